// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "base/quote.h"
#include "container/container_id.h"
#include "container/request.h"
#include "jail/program_table.h"
#include "policy/risks.h"
#include "verify/facts.h"

namespace jail_ai {
namespace {

// Maps of which a jail has one each.
constexpr std::array<std::string_view, 6> kSharedMaps = {
    "jail_rules", "jail_peers", "jail_accepted", "jail_raw", "jail_denials", "jail_recent"};

std::string renewal(const std::string& container) {
    return container.empty() ? "restart the container"
                             : fmt::format("restart it, or run jail-ai-hook attach --container {}",
                                           shown_id(container));
}

// A user may give a container any ID, also that of another's.
std::string whose(const SeenContainer& container) {
    return container.owner == 0
               ? ""
               : fmt::format(" (run by uid {}, process {})", container.owner, container.pid);
}

std::string renewal(const SeenContainer& container) {
    // Docker starts a container again by the runtime that it was created with.
    const std::string_view again =
        container.is_dockers() ? "create it again with --runtime=jail-ai" : "restart it";
    return container.owner == 0
               ? fmt::format("{}, or run jail-ai-hook attach --container {}", again,
                             shown_id(container.id))
               : fmt::format("ask uid {} to {}, or run jail-ai-hook attach --pid {}",
                             container.owner, again, container.pid);
}

bool is_in(const SeenContainer& container, const JailSnapshot& jail) {
    return std::ranges::find(container.cgroups, jail.cgroup_id) != container.cgroups.end();
}

bool is_of_mode(const JailSnapshot& jail, Mode mode) {
    return jail.metadata && jail.metadata->mode == mode;
}

// If several jails act on a container, one that enforces is enough.
void check_mode(const SeenContainer& container, const std::vector<JailSnapshot>& jails,
                Findings& found) {
    bool watches = false;
    bool enforces = false;
    for (const JailSnapshot& jail : jails) {
        if (!is_in(container, jail)) continue;
        watches = watches || is_of_mode(jail, Mode::audit);
        enforces = enforces || is_of_mode(jail, Mode::enforce);
    }
    if (container.asks == RequestedMode::enforce && watches && !enforces)
        found.push_back(
            {FindingKind::other_mode, container.id,
             "block-host=true is asked for, and the jail only counts (audit)" + whose(container),
             renewal(container)});
    if (container.asks == RequestedMode::audit && enforces)
        found.push_back({FindingKind::other_mode, container.id,
                         "audit is asked for, and the jail denies" + whose(container),
                         renewal(container)});
}

void check_container(const SeenContainer& container, const std::vector<JailSnapshot>& jails,
                     Findings& found) {
    const bool jailed = is_jailed(container, jails);
    if (!container.unread.empty() && !jailed)
        found.push_back({FindingKind::unreadable, container.id,
                         fmt::format("unknown whether it must be jailed{}: {}", whose(container),
                                     container.unread),
                         "read its annotations (podman inspect), or restart it"});
    else if (wants_jail(container) && !jailed)
        found.push_back({FindingKind::not_jailed, container.id,
                         fmt::format("not jailed{}: {}", whose(container),
                                     container.asks == RequestedMode::unclear
                                         ? "it has annotations that no hook has read"
                                         : "its annotations or the settings file ask for it"),
                         renewal(container)});
    else
        check_mode(container, jails, found);
}

std::size_t count(const JailSnapshot& jail, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count(jail.programs, name, &JailProgram::name));
}

bool has_any(const JailSnapshot& jail, std::span<const ProgramSlot> table) {
    return std::ranges::any_of(
        table, [&](const ProgramSlot& slot) { return count(jail, slot.name) != 0; });
}

bool has_guard(const JailSnapshot& jail, Guard guard) {
    return jail.metadata && jail.metadata->guard == guard;
}

// Neither refresh nor watch follows the host's addresses for it.
void check_version(const JailSnapshot& jail, const std::string& container, Findings& found) {
    // What it says of itself goes with the first program, which is reported if it is missing.
    if (!jail.metadata && count(jail, kProgramTable.front().name) != 0)
        found.push_back({FindingKind::other_version, container,
                         fmt::format("unknown whether the rules on cgroup {} are up to date: they "
                                     "are of another version of jail-ai-hook",
                                     quote(jail.cgroup)),
                         renewal(container)});
}

void check_programs(const JailSnapshot& jail, const std::string& container, Findings& found) {
    std::vector<std::string_view> missing, twice;
    const auto check = [&](std::span<const ProgramSlot> table, bool wanted) {
        for (const ProgramSlot& slot : table) {
            const std::size_t times = count(jail, slot.name);
            if (times == 0 && wanted) missing.emplace_back(slot.name);
            if (times > 1) twice.emplace_back(slot.name);
        }
    };
    check(kProgramTable, true);
    check(kGuardTable, has_guard(jail, Guard::lsm) || has_any(jail, kGuardTable));
    check(kUnixTable, has_guard(jail, Guard::unix_hooks) || has_any(jail, kUnixTable));
    if (!missing.empty())
        found.push_back({FindingKind::program_missing, container,
                         fmt::format("programs missing on cgroup {}: {}", quote(jail.cgroup),
                                     fmt::join(missing, ", ")),
                         renewal(container)});
    if (!twice.empty())
        found.push_back({FindingKind::program_twice, container,
                         fmt::format("programs attached more than once to cgroup {}: {}",
                                     quote(jail.cgroup), fmt::join(twice, ", ")),
                         renewal(container)});
}

void check_maps(const JailSnapshot& jail, const std::string& container, Findings& found) {
    std::vector<std::string> odd;
    for (const std::string_view name : kSharedMaps) {
        std::set<std::uint32_t> ids;
        for (const JailProgram& program : jail.programs)
            if (const auto map = program.maps.find(std::string(name)); map != program.maps.end())
                ids.insert(map->second);
        if (ids.size() > 1)
            odd.push_back(fmt::format("{} maps {} instead of one", ids.size(), name));
    }
    for (const JailProgram& program : jail.programs)
        if (std::ranges::none_of(kSharedMaps, [&](std::string_view name) {
                return program.maps.contains(std::string(name));
            }))
            odd.push_back(fmt::format("{} uses none of the jail's maps", program.name));
    if (!odd.empty())
        found.push_back({FindingKind::maps_not_shared, container,
                         fmt::format("programs on cgroup {} are of different jails: {}",
                                     quote(jail.cgroup), fmt::join(odd, ", ")),
                         renewal(container)});
}

void check_proof(const JailSnapshot& jail, const VerifyFacts& facts, const std::string& container,
                 Findings& found) {
    for (const FailedProof& proof : facts.failed_proofs) {
        if (proof.cgroup_id != jail.cgroup_id) continue;
        const std::string what =
            fmt::format("jail on cgroup {}: {}", quote(jail.cgroup), proof.why);
        if (proof.acts_not)
            found.push_back({FindingKind::not_acting, container, what,
                             "stop the container, fix that, and start it again"});
        else
            found.push_back({FindingKind::unreadable, container,
                             "unknown whether the block acts: " + what, "run verify again"});
    }
}

void check_flags(const JailSnapshot& jail, const std::string& container, Findings& found) {
    std::vector<std::string> odd;
    for (const JailProgram& program : jail.programs)
        if (program.attach_flags != BPF_F_ALLOW_MULTI)
            odd.push_back(fmt::format("{} with {:#x}", program.name, program.attach_flags));
    if (!odd.empty())
        found.push_back(
            {FindingKind::attach_flags, container,
             fmt::format(
                 "programs attached to cgroup {} without BPF_F_ALLOW_MULTI, so that another "
                 "process can detach them: {}",
                 quote(jail.cgroup), fmt::join(odd, ", ")),
             renewal(container)});
}

void check_overriders(const JailSnapshot& jail, const std::string& container, Findings& found) {
    for (const OverridingProgram& other : jail.overriders)
        found.push_back({FindingKind::overridden, container,
                         fmt::format("the foreign BPF program {}, id {}, runs after {} of "
                                     "cgroup {} and can override its verdict",
                                     quote(other.name), other.id, other.after, quote(jail.cgroup)),
                         fmt::format("find out whose it is (bpftool prog show id {0}; bpftool "
                                     "cgroup tree) and detach it, unless you trust it",
                                     other.id)});
}

std::string shown_processes(uid_t owner, const VerifyFacts& facts) {
    constexpr std::size_t kShown = 4;
    std::vector<pid_t> pids;
    for (const UnknownProcess& each : facts.unknown_processes)
        if (each.owner == owner) pids.push_back(each.pid);
    const std::span<const pid_t> shown(pids.data(), std::min(pids.size(), kShown));
    std::string text = fmt::format("{}", fmt::join(shown, ", "));
    if (pids.size() > shown.size()) text += fmt::format(" and {} more", pids.size() - shown.size());
    return text;
}

// What a user has put there hides a container only where the kernel knows of a process that could
// be one.
void check_overlooked(const UnreadableStateDir& overlooked, const VerifyFacts& facts,
                      Findings& found) {
    const std::string why =
        fmt::format("containers of uid {} in {} may have been overlooked: {}", overlooked.owner,
                    quote(overlooked.directory), overlooked.why);
    if (!overlooked.by_owner)
        return found.push_back({FindingKind::unreadable, "", why,
                                "as root, list that directory and remove what is not a runtime's"});
    if (const std::string pids = shown_processes(overlooked.owner, facts); !pids.empty())
        return found.push_back(
            {FindingKind::unreadable, "",
             fmt::format("{}: unknown whether its processes {} are containers that must be jailed",
                         why, pids),
             fmt::format("ask uid {} to remove what is not a runtime's and to restart its "
                         "containers, or end these processes",
                         overlooked.owner)});
    found.push_back(
        {FindingKind::user_state, "",
         fmt::format("uid {} has in {} what is not the state of a container that runs: {}",
                     overlooked.owner, quote(overlooked.directory), overlooked.why),
         fmt::format("ask uid {} to remove it", overlooked.owner)});
}

}  // namespace

bool wants_jail(const SeenContainer& container) {
    return container.asks == RequestedMode::audit || container.asks == RequestedMode::enforce ||
           container.asks == RequestedMode::unclear;
}

bool is_jailed(const SeenContainer& container, std::span<const JailSnapshot> jails) {
    return std::ranges::any_of(jails,
                               [&](const JailSnapshot& jail) { return is_in(container, jail); });
}

std::string container_of(const JailSnapshot& jail, const std::vector<SeenContainer>& containers) {
    if (jail.metadata) return jail.metadata->container;
    const auto inside = std::ranges::find_if(
        containers, [&](const SeenContainer& container) { return is_in(container, jail); });
    return inside == containers.end() ? std::string() : inside->id;
}

Findings check_containers(const VerifyFacts& facts) {
    Findings found;
    for (const SeenContainer& container : facts.containers)
        check_container(container, facts.jails, found);
    for (const JailSnapshot& jail : facts.jails) {
        const std::string container = container_of(jail, facts.containers);
        check_version(jail, container, found);
        const std::size_t before = found.size();
        check_programs(jail, container, found);
        check_maps(jail, container, found);
        if (found.size() == before)
            check_proof(jail, facts, container, found);  // what isn't there can't act
        check_flags(jail, container, found);
        check_overriders(jail, container, found);
    }
    for (const UnreadableStateDir& overlooked : facts.overlooked)
        check_overlooked(overlooked, facts, found);
    std::ranges::stable_sort(found, {}, &Finding::kind);
    return found;
}

}  // namespace jail_ai
