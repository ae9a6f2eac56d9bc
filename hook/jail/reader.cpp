// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/reader.h"

#include <bpf/bpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include "container/mountinfo.h"
#include "jail/inspect.h"
#include "jail/open_jail.h"
#include "system/cgroup_walk.h"

namespace jail_ai {
namespace {

bool is_ours(std::string_view name) {
    const auto is_named = [&](const ProgramSlot& slot) { return slot.name == name; };
    return std::ranges::any_of(kProgramTable, is_named) ||
           std::ranges::any_of(kGuardTable, is_named) || std::ranges::any_of(kUnixTable, is_named);
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

Status find_overriders(int cgroup_fd, const ProgramSlot& slot,
                       std::vector<OverridingProgram>& overriders) {
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

Status read_programs(int cgroup_fd, const std::vector<AttachedProgram>& programs,
                     JailSnapshot& jail) {
    std::vector<ProgramMap> maps;  // of all of them, which share most
    for (const AttachedProgram& program : programs) {
        const auto ids = TRY(map_ids(program.fd.get()));
        auto fresh = ids;
        for (const ProgramMap& map : maps) fresh.erase(map.id);
        auto opened = TRY(open_maps(fresh));
        std::ranges::move(opened, std::back_inserter(maps));
        JailProgram& read = jail.programs.emplace_back(
            JailProgram{program.name, program.id, program.attach_flags, {}});
        for (const ProgramMap& map : maps)
            if (ids.contains(map.id)) read.maps.emplace(map.name, map.id);
    }
    jail.metadata = TRY(read_metadata(maps));
    for (const ProgramSlot& slot : kOverridable)
        TRY(find_overriders(cgroup_fd, slot, jail.overriders));
    return ok();
}

std::size_t count_prefixes(const ProgramMap& map) {
    jail_key key{};
    jail_key next{};
    const jail_key* last = nullptr;
    std::size_t prefixes = 0;
    while (prefixes <= JAIL_MAX_RULES && ::bpf_map_get_next_key(map.fd.get(), last, &next) == 0) {
        key = next;
        last = &key;
        ++prefixes;
    }
    return prefixes;
}

Status read_denials(int cgroup_fd, const OpenJail& open, JailSnapshot& jail) {
    const auto programs = TRY(attached_programs(cgroup_fd));
    for (const AttachedProgram& program : programs)
        jail.programs.push_back({program.name, program.id, program.attach_flags, {}});
    jail.metadata = TRY(read_metadata(open.maps));
    // Of another version's jail it isn't known.
    if (const auto error = read_denial_error(open)) jail.denial_error = *error;
    if (const ProgramMap* map = open.map("jail_denials"))
        jail.denials = TRY(read_counts(map->fd.get()));
    if (const ProgramMap* map = open.map("jail_recent"))
        jail.recent_denials = TRY(read_recent_denials(*map));
    if (const ProgramMap* map = open.map("jail_rules")) jail.prefixes = count_prefixes(*map);
    return ok();
}

// In the order of their names, those of cgroups for which it says so.
Result<std::vector<JailSnapshot>> read_jails_where(
    JailPart part,
    const std::function<Result<bool>(int cgroup_fd, const std::string& path)>& is_meant) {
    std::vector<JailSnapshot> jails;
    TRY(for_each_cgroup([&](int cgroup_fd, const std::string& path) -> Status {
        const bool meant = TRY(is_meant(cgroup_fd, path));
        if (!meant) return ok();
        auto jail = TRY(read_jail(cgroup_fd, part));
        if (!jail) return ok();
        jail->cgroup = path;
        jails.push_back(std::move(*jail));
        return ok();
    }));
    std::ranges::sort(jails, {}, &JailSnapshot::cgroup);
    return jails;
}

}  // namespace

Result<std::optional<JailSnapshot>> read_jail(int cgroup_fd, JailPart part) {
    JailSnapshot jail;
    if (part == JailPart::programs) {
        const auto programs = TRY(attached_programs(cgroup_fd));
        if (programs.empty()) return std::optional<JailSnapshot>();
        TRY(read_programs(cgroup_fd, programs, jail));
    } else {
        const auto open = TRY(open_jail_of(cgroup_fd));
        if (!open) return std::optional<JailSnapshot>();
        if (part == JailPart::policy) {
            jail.metadata = TRY(read_metadata(open->maps));
            if (jail.metadata) jail.policy = TRY(read_policy(*open));
        } else {
            TRY(read_denials(cgroup_fd, *open, jail));
        }
    }
    struct stat info {};
    if (::fstat(cgroup_fd, &info) != 0) return system_error("stat a cgroup", errno);
    jail.cgroup_id = info.st_ino;
    return std::optional(std::move(jail));
}

Result<std::vector<JailSnapshot>> read_jails(JailPart part) {
    return read_jails_where(
        part, [](int /*cgroup_fd*/, const std::string& /*path*/) { return Result<bool>(true); });
}

Result<std::vector<JailSnapshot>> read_jails_of(uid_t user, JailPart part) {
    std::string given;  // the last that the user owns: those below come right after it
    return read_jails_where(part, [&](int cgroup_fd, const std::string& path) -> Result<bool> {
        if (!given.empty() && is_at_or_below(path, given)) return true;
        struct stat info {};
        if (::fstat(cgroup_fd, &info) != 0) return system_error("stat a cgroup", errno);
        if (info.st_uid != user) return false;
        given = path;
        return true;
    });
}

}  // namespace jail_ai
