// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/examine.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <span>

#include "jail/inspect.h"
#include "jail/list.h"
#include "system/cgroup_walk.h"

namespace jail_ai {
namespace {

bool is_ours(std::string_view name) {
    const auto is_named = [&](const ProgramSlot& slot) { return slot.name == name; };
    return std::ranges::any_of(kProgramTable, is_named) || std::ranges::any_of(kGuardTable, is_named) ||
           std::ranges::any_of(kAbstractTable, is_named);
}

// Attach types at which a later program may undo what an earlier one has said: one slot for each.
constexpr std::array kOverridable = std::to_array<ProgramSlot>({
    {"jail_connect4", BPF_CGROUP_INET4_CONNECT},
    {"jail_connect6", BPF_CGROUP_INET6_CONNECT},
    {"jail_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},
    {"jail_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
    {"jail_abs_conn", kUnixConnect},
    {"jail_abs_send", kUnixSendmsg},
    {"jail_socket", BPF_LSM_CGROUP},
});

Result<ExaminedProgram> examine_program(const AttachedProgram& program, std::optional<jail_about>& about) {
    auto maps = TRY(maps_of(program.fd.get()));
    ExaminedProgram examined{program.name, program.id, program.attach_flags, {}};
    for (const ProgramMap& map : maps) examined.maps.emplace(map.name, map.id);
    if (about) return examined;
    auto record = TRY(read_record(maps));
    if (record) about = record->about;
    return examined;
}

Status find_overriders(int cgroup_fd, const ProgramSlot& slot, std::vector<Overrider>& overriders) {
    auto acting = TRY(acting_programs(cgroup_fd, slot));
    std::map<std::uint32_t, std::string> ours;  // the first on each hook
    for (ActingProgram& program : acting) {
        const auto before = ours.find(program.hook);
        if (is_ours(program.name))
            ours.emplace(program.hook, std::move(program.name));
        else if (before != ours.end())
            overriders.push_back({std::move(program.name), program.id, before->second});
    }
    return ok();
}

}  // namespace

Result<std::optional<ExaminedJail>> examine_jail(int cgroup_fd) {
    auto programs = TRY(attached_programs(cgroup_fd));
    if (programs.empty()) return std::optional<ExaminedJail>();
    ExaminedJail jail;
    struct stat info {};
    if (::fstat(cgroup_fd, &info) != 0) return system_error("stat a cgroup", errno);
    jail.cgroup_id = info.st_ino;
    for (const AttachedProgram& program : programs) {
        auto examined = TRY(examine_program(program, jail.about));
        jail.programs.push_back(std::move(examined));
    }
    for (const ProgramSlot& slot : kOverridable) TRY(find_overriders(cgroup_fd, slot, jail.overriders));
    return std::optional(std::move(jail));
}

Result<std::vector<ExaminedJail>> examine_jails() {
    std::vector<ExaminedJail> jails;
    TRY(for_each_cgroup([&](int cgroup_fd, const std::string& path) -> Status {
        auto jail = TRY(examine_jail(cgroup_fd));
        if (!jail) return ok();
        jail->cgroup = path;
        jails.push_back(std::move(*jail));
        return ok();
    }));
    std::ranges::sort(jails, {}, &ExaminedJail::cgroup);
    return jails;
}

}  // namespace jail_ai
