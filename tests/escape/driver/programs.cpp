// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What bpf(2) says of a cgroup; see programs.h.
#include "programs.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "failure.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;

constexpr bpf_attach_type lsm_cgroup =
    static_cast<bpf_attach_type>(43);  // BPF_LSM_CGROUP, Linux 6.0
constexpr bpf_attach_type cgroup_unix_connect =
    static_cast<bpf_attach_type>(49);  // BPF_CGROUP_UNIX_CONNECT, Linux 6.7

int bpf(bpf_cmd command, bpf_attr& attributes) {
    return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

uint64_t pointer(const void* at) {
    return reinterpret_cast<uintptr_t>(at);
}

std::vector<uint32_t> program_ids(int cgroup, bpf_attach_type type) {
    std::vector<uint32_t> ids(64), flags(64);
    bpf_attr attributes{};
    attributes.query.target_fd = static_cast<uint32_t>(cgroup);
    attributes.query.attach_type = type;
    attributes.query.prog_ids = pointer(ids.data());
    attributes.query.prog_cnt = static_cast<uint32_t>(ids.size());
    if (type == lsm_cgroup)
        attributes.query.prog_attach_flags = pointer(flags.data());  // EINVAL without it
    if (bpf(BPF_PROG_QUERY, attributes)) {
        if (errno == EINVAL || errno == EOPNOTSUPP)
            return {};  // a type that this kernel does not have
        give_up("query the cgroup's programs");
    }
    ids.resize(attributes.query.prog_cnt);
    return ids;
}

UniqueFd by_id(bpf_cmd command, uint32_t id) {
    bpf_attr attributes{};
    attributes.prog_id = id;
    return UniqueFd(bpf(command, attributes));
}

template <typename Info>
void describe(int fd, Info& info) {
    bpf_attr attributes{};
    attributes.info.bpf_fd = static_cast<uint32_t>(fd);
    attributes.info.info_len = sizeof(info);
    attributes.info.info = pointer(&info);
    if (bpf(BPF_OBJ_GET_INFO_BY_FD, attributes)) give_up("describe a BPF object");
}

uint64_t sum(int map, uint32_t entries) {
    uint64_t total = 0;
    for (uint32_t key = 0; key < entries; key++) {
        uint64_t value = 0;
        bpf_attr attributes{};
        attributes.map_fd = static_cast<uint32_t>(map);
        attributes.key = pointer(&key);
        attributes.value = pointer(&value);
        if (bpf(BPF_MAP_LOOKUP_ELEM, attributes)) give_up("read jail_denials");
        total += value;
    }
    return total;
}

}  // namespace

unsigned attached_programs(int cgroup) {
    static constexpr std::array types = {BPF_CGROUP_INET4_CONNECT,
                                         BPF_CGROUP_INET6_CONNECT,
                                         BPF_CGROUP_UDP4_SENDMSG,
                                         BPF_CGROUP_UDP6_SENDMSG,
                                         BPF_CGROUP_INET_EGRESS,
                                         BPF_CGROUP_INET_INGRESS,
                                         lsm_cgroup};
    size_t count = 0;
    for (bpf_attach_type type : types) count += program_ids(cgroup, type).size();
    return static_cast<unsigned>(count);
}

bool guard_in_force(int cgroup) {
    return !program_ids(cgroup, lsm_cgroup).empty();
}

bool unix_hooks_in_force(int cgroup) {
    return !program_ids(cgroup, cgroup_unix_connect).empty();
}

uint64_t denials(int cgroup) {
    for (uint32_t id : program_ids(cgroup, BPF_CGROUP_INET4_CONNECT)) {
        UniqueFd program = by_id(BPF_PROG_GET_FD_BY_ID, id);
        std::array<uint32_t, 32> maps{};
        bpf_prog_info info{};
        info.nr_map_ids = maps.size();
        info.map_ids = pointer(maps.data());
        if (!program) give_up("open a program of the jail");
        describe(program.get(), info);
        for (uint32_t i = 0; i < info.nr_map_ids; i++) {
            UniqueFd map = by_id(BPF_MAP_GET_FD_BY_ID, maps[i]);
            bpf_map_info about{};
            if (!map) give_up("open a map of the jail");
            describe(map.get(), about);
            if (std::string_view(about.name) == "jail_denials")
                return sum(map.get(), about.max_entries);
        }
    }
    errno = ENOENT;
    give_up("find jail_denials");
}

}  // namespace escape
