// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The order never varies: open, load, fill, attach, ask the kernel, probe, and only then keep.
#include "jail/build.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/clock.h"
#include "jail/acting.h"
#include "jail/guard.h"
#include "jail/loading.h"
#include "jail/skeleton.h"
#include "system/conntrack.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::string_view kWhat = "BPF programs";
constexpr std::string_view kNeeds = "Linux 5.10 with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF";

Result<Skeleton<jail_bpf>> open_skeleton() {
    listen_to_libbpf();
    Skeleton<jail_bpf> skeleton(jail_bpf::open());
    if (skeleton == nullptr) return load_error(kWhat, kNeeds, errno);
    return skeleton;
}

Status load_programs(jail_bpf& skeleton) {
    if (const int failed = keep_unmapped(skeleton.maps.rodata); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    if (const int failed = jail_bpf::load(&skeleton); failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    return ok();
}

Status fill_rules(int map_fd, const Rules& rules) {
    for (const auto& [prefix, rule] : rules)
        if (::bpf_map_update_elem(map_fd, &prefix.key(), &rule.value, BPF_ANY) != 0)
            return system_error(fmt::format("put {} into jail_rules", prefix.to_string()), errno);
    return ok();
}

// Can programs of connect and sendmsg say with what the call fails? libbpf's own probe goes by what
// the verifier prints, which newer kernels print otherwise.
Result<bool> kernel_sets_errno() {
    constexpr std::uint8_t kMove = BPF_ALU64 | BPF_MOV | BPF_K;
    constexpr std::array<bpf_insn, 4> kSet = {{
        {kMove, BPF_REG_1, 0, 0, -ECONNREFUSED},
        {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_set_retval},
        {kMove, BPF_REG_0, 0, 0, 0},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    }};
    struct bpf_prog_load_opts options {};
    options.sz = sizeof options;
    options.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
    const UniqueFd program(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "jail_errno",
                                           "Dual MIT/GPL", kSet.data(), kSet.size(), &options));
    if (!program && errno != EINVAL)
        return system_error("load a BPF program that sets what a call fails with", errno);
    return static_cast<bool>(program);
}

// The constant that the programs have for it; 0 for EPERM, which takes nothing of the kernel.
// Error: EX_UNAVAILABLE.
Result<__u32> choose_denial_errno(const Policy& policy) {
    if (policy.denial_error == DenialError::eperm || policy.mode != Mode::enforce) return 0U;
    if (!TRY(kernel_sets_errno()))
        return Error{
            EX_UNAVAILABLE,
            fmt::format("errno={}: on kernel {} a denied call fails with EPERM alone "
                        "(bpf_set_retval for connect and sendmsg): leave errno out, or boot Linux "
                        "6.1 or newer",
                        name_of(kDenialErrors, policy.denial_error), kernel_release())};
    return static_cast<__u32>(errno_of(policy.denial_error));
}

std::size_t about_size(const JailMetadata& metadata) {
    return sizeof(jail_about) + metadata.inputs.size() + metadata.name.size();
}

Status fill_about(int map_fd, int program_fd, const Policy& policy, Guard guard,
                  const Cgroup& cgroup, const JailMetadata& metadata) {
    auto network = TRY(current_network_namespace());
    struct stat directory {};
    if (::fstat(cgroup.fd(), &directory) != 0) return system_error("stat the cgroup", errno);
    jail_about about{};
    about.cgroup = directory.st_ino;
    about.engine_network = network;
    about.inputs_size = static_cast<std::uint32_t>(metadata.inputs.size());
    about.name_size = static_cast<std::uint32_t>(metadata.name.size());
    about.version = JAIL_ABOUT_VERSION;
    about.risks = metadata.risks;
    about.since = nanoseconds(CLOCK_REALTIME);
    about.mode = static_cast<std::uint8_t>(policy.mode);
    about.guard = static_cast<std::uint8_t>(guard);
    about.shares_network = policy.shares_network ? 1 : 0;
    metadata.container.copy(about.container, sizeof about.container - 1);
    std::vector<char> value(about_size(metadata));
    std::memcpy(value.data(), &about, sizeof about);
    char* const texts = value.data() + sizeof about;
    metadata.inputs.copy(texts, metadata.inputs.size());
    metadata.name.copy(texts + metadata.inputs.size(), metadata.name.size());
    const std::uint32_t first = 0;
    if (::bpf_map_update_elem(map_fd, &first, value.data(), BPF_ANY) != 0)
        return system_error("fill jail_about", errno);
    if (::bpf_prog_bind_map(program_fd, map_fd, nullptr) != 0)
        return system_error("bind jail_about to a program", errno);
    return ok();
}

Result<std::vector<LoadedProgram>> load_guard_programs(Guard guard, const Cgroup& cgroup, Mode mode,
                                                       const RecordMaps& record) {
    switch (guard) {
        case Guard::none: break;
        case Guard::unix_hooks: return load_unix_hooks(mode, record);
        case Guard::lsm: return load_guard(cgroup, mode, record);
    }
    return std::vector<LoadedProgram>();
}

}  // namespace

Result<Jail> Jail::load(const Policy& policy, Guard guard, const Cgroup& cgroup,
                        const JailMetadata& metadata) {
    auto opened = TRY(open_skeleton());
    jail_bpf* skeleton = opened.get();
    skeleton->rodata->audit = policy.mode == Mode::audit ? 1 : 0;
    skeleton->rodata->shares_network = policy.shares_network ? 1 : 0;
    skeleton->rodata->denial_errno = TRY(choose_denial_errno(policy));
    auto answers = TRY(udp_answer_seconds());
    skeleton->rodata->answer_ticks =
        static_cast<__u32>((answers * 1'000'000'000ULL) >> JAIL_PEER_TICK);
    if (const int failed = ::bpf_map__set_value_size(
            skeleton->maps.jail_about, static_cast<std::uint32_t>(about_size(metadata)));
        failed != 0)
        return load_error(kWhat, kNeeds, -failed);
    TRY(load_programs(*skeleton));
    TRY(fill_rules(::bpf_map__fd(skeleton->maps.jail_rules), policy.rules));
    auto programs = TRY(loaded_programs(skeleton->obj, kProgramTable));
    TRY(fill_about(::bpf_map__fd(skeleton->maps.jail_about), programs.front().fd.get(), policy,
                   guard, cgroup, metadata));
    auto guards = TRY(load_guard_programs(guard, cgroup, policy.mode, record_maps(skeleton->maps)));
    programs.insert(programs.end(), std::move_iterator(guards.begin()),
                    std::move_iterator(guards.end()));
    UniqueFd probe_map(::fcntl(::bpf_map__fd(skeleton->maps.jail_probe), F_DUPFD_CLOEXEC, 0));
    if (!probe_map) return system_error("keep jail_probe", errno);
    return Jail(std::move(programs), std::move(probe_map), policy, guard);
}

Result<Attachment> Jail::attach(const Cgroup& cgroup, Existing existing) && {
    auto attachment = Attachment::make(std::move(programs_), cgroup, existing);
    if (!attachment) return attachment;
    TRY(prove_acting(cgroup.fd(), probe_map_.get(), policy_, guard_));
    return attachment;
}

Status try_to_load() {
    auto skeleton = TRY(open_skeleton());
    return load_programs(*skeleton);
}

}  // namespace jail_ai
