// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "kernel_bpf.h"

#include <bpf/libbpf.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include <cstring>
#include <span>
#include <stdexcept>

#include "base/kernel_release.h"
#include "files.h"
#include "must.h"

namespace jail_ai::test {
namespace {

constexpr std::uint32_t kMaxPrograms = 640;  // 10 LSM hooks with 64 programs each

long bpf(bpf_cmd command, bpf_attr& attributes) {
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address_of(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

UniqueFd open_by_id(bpf_cmd command, std::uint32_t id) {
    bpf_attr attributes{};
    attributes.prog_id = id;
    return UniqueFd(static_cast<int>(bpf(command, attributes)));
}

bool exists(bpf_cmd command, std::uint32_t id) {
    const UniqueFd fd = open_by_id(command, id);
    if (fd) return true;
    if (errno != ENOENT) throw_errno("look for BPF object " + std::to_string(id));
    return false;
}

bpf_prog_info program_info(std::uint32_t id, std::vector<std::uint32_t>* maps = nullptr) {
    const UniqueFd fd = open_by_id(BPF_PROG_GET_FD_BY_ID, id);
    if (!fd) throw_errno("open program " + std::to_string(id));
    bpf_prog_info info{};
    if (maps != nullptr) {
        info.nr_map_ids = static_cast<std::uint32_t>(maps->size());
        info.map_ids = address_of(maps->data());
    }
    bpf_attr attributes{};
    attributes.info.bpf_fd = static_cast<std::uint32_t>(fd.get());
    attributes.info.info_len = sizeof info;
    attributes.info.info = address_of(&info);
    must(bpf(BPF_OBJ_GET_INFO_BY_FD, attributes), "ask about program " + std::to_string(id));
    return info;
}

constexpr bpf_insn kPass[] = {
    {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
};

UniqueFd load(bpf_prog_type kind, bpf_attach_type type, std::span<const bpf_insn> instructions,
              const std::string& name, std::uint32_t attach_btf_id = 0) {
    // Before 5.11 the kernel charges BPF memory to this limit, which may only be raised where the
    // kernel cares: then loading says so.
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    bpf_attr attributes{};
    attributes.prog_type = kind;
    attributes.expected_attach_type = type;
    attributes.insns = address_of(instructions.data());
    attributes.insn_cnt = static_cast<std::uint32_t>(instructions.size());
    attributes.license = address_of("GPL");
    attributes.attach_btf_id = attach_btf_id;
    std::strncpy(attributes.prog_name, name.c_str(), sizeof attributes.prog_name - 1);
    return UniqueFd(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
}

}  // namespace

std::vector<Attachment> attachments(int cgroup_fd) {
    std::vector<Attachment> found;
    for (std::uint32_t type = 0; type < 64; type++) {  // also types that came after these headers
        std::uint32_t ids[kMaxPrograms], flags[kMaxPrograms];
        bpf_attr attributes{};
        attributes.query.target_fd = static_cast<std::uint32_t>(cgroup_fd);
        attributes.query.attach_type = type;
        attributes.query.prog_cnt = kMaxPrograms;
        attributes.query.prog_ids = address_of(ids);
        const bool flags_each = type == BPF_LSM_CGROUP;  // the programs of all LSM hooks together
        if (flags_each) attributes.query.prog_attach_flags = address_of(flags);
        if (bpf(BPF_PROG_QUERY, attributes) != 0) {
            if (errno == EINVAL || errno == EOPNOTSUPP || errno == EBADF || errno == ENODEV)
                continue;  // not a type of cgroups here
            throw_errno("query programs of type " + std::to_string(type));
        }
        for (std::uint32_t i = 0; i < attributes.query.prog_cnt; i++)
            found.push_back({ids[i], program_info(ids[i]).name, type,
                             flags_each ? flags[i] : attributes.query.attach_flags});
    }
    return found;
}

bool kernel_is_at_least(int major, int minor) {
    utsname kernel{};
    must(::uname(&kernel), "ask for the kernel's release");
    return is_at_least(kernel.release, major, minor);
}

bool kernel_has_guard() {
    constexpr const char* list = "/sys/kernel/security/lsm";
    if (::access(list, R_OK) != 0) return false;
    std::string names = "," + read_file(list);
    while (names.ends_with('\n')) names.pop_back();
#ifdef __aarch64__
    constexpr int kMinor = 4;  // of 6, from which on programs can be attached there
#else
    constexpr int kMinor = 0;
#endif
    return (names + ",").find(",bpf,") != std::string::npos && kernel_is_at_least(6, kMinor);
}

bool kernel_has_unix_hooks() {
    return kernel_is_at_least(6, 7) && ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

std::vector<Attachment> jail_attachments(int cgroup_fd) {
    std::vector<Attachment> found = attachments(cgroup_fd);
    std::erase_if(found, [](const Attachment& each) { return !each.name.starts_with("jail_"); });
    return found;
}

std::vector<std::string> names_of(const std::vector<Attachment>& attached) {
    std::vector<std::string> names;
    for (const auto& each : attached) names.push_back(each.name);
    return names;
}

bool program_exists(std::uint32_t id) {
    return exists(BPF_PROG_GET_FD_BY_ID, id);
}

bool map_exists(std::uint32_t id) {
    return exists(BPF_MAP_GET_FD_BY_ID, id);
}

std::vector<std::uint32_t> maps_of(std::uint32_t program_id) {
    std::vector<std::uint32_t> maps(64);
    maps.resize(program_info(program_id, &maps).nr_map_ids);
    return maps;
}

UniqueFd load_passing_program(bpf_attach_type type, const std::string& name) {
    UniqueFd program = load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, type, kPass, name);
    if (!program) throw_errno("load a program that passes everything");
    return program;
}

UniqueFd load_undoing_program(bpf_attach_type type) {
    const bpf_insn undo[] = {
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 0},
        {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_set_retval},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    };
    return load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, type, undo, "foreign_undo");
}

UniqueFd load_passing_packets(const std::string& name) {
    UniqueFd program = load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, kPass, name);
    if (!program) throw_errno("load a program that passes every packet");
    return program;
}

UniqueFd load_passing_lsm(const char* hook) {
    const int id = ::libbpf_find_vmlinux_btf_id(hook, BPF_LSM_CGROUP);
    if (id < 0) throw std::runtime_error(std::string("this kernel has no LSM hook ") + hook);
    UniqueFd program = load(BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, kPass, "foreign_lsm",
                            static_cast<std::uint32_t>(id));
    if (!program) throw_errno(std::string("load a program for the LSM hook ") + hook);
    return program;
}

void attach(int cgroup_fd, const UniqueFd& program, bpf_attach_type type, std::uint32_t flags) {
    bpf_attr attributes{};
    attributes.target_fd = static_cast<std::uint32_t>(cgroup_fd);
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
    attributes.attach_type = type;
    attributes.attach_flags = flags;
    must(bpf(BPF_PROG_ATTACH, attributes), "attach a program");
}

int try_detach(int cgroup_fd, std::uint32_t type, int program_fd) {
    bpf_attr attributes{};
    attributes.target_fd = static_cast<std::uint32_t>(cgroup_fd);
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(program_fd);
    attributes.attach_type = type;
    return bpf(BPF_PROG_DETACH, attributes) == 0 ? 0 : errno;
}

int try_open_program(std::uint32_t id) {
    return open_by_id(BPF_PROG_GET_FD_BY_ID, id) ? 0 : errno;
}

int detach_by_id(int cgroup_fd, std::uint32_t type, std::uint32_t program_id) {
    const UniqueFd program = open_by_id(BPF_PROG_GET_FD_BY_ID, program_id);
    return program ? try_detach(cgroup_fd, type, program.get()) : errno;
}

}  // namespace jail_ai::test
