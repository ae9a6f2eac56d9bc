// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "verify/probe.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/absence.h"
#include "container/container_id.h"
#include "container/json.h"
#include "engines/annotation_sources.h"
#include "engines/container_names.h"
#include "engines/running_containers.h"
#include "engines/user_network.h"
#include "jail/acting.h"
#include "jail/reader.h"
#include "jail/refresh.h"
#include "system/cgroup_walk.h"
#include "system/file.h"
#include "system/machine_settings.h"
#include "system/process.h"
#include "system/route_localnet.h"
#include "system/routes.h"
#include "verify/holes.h"

namespace jail_ai {
namespace {

void note_unread(SeenContainer& seen, const Error& why) {
    seen.unread = why.message;
}

// As the hook would take it. What users write in their bundles makes none of them a sandbox, and
// what lies beside those is not read.
Result<RequestedMode> what_it_asks(const RunningContainer& container, const Defaults& defaults) {
    const auto config = TRY(read_config(container));
    auto json = TRY(parse_json_object(config).context("config.json"));
    auto annotations = TRY(read_annotations(json).context("config.json"));
    if (container.owner == 0) {
        if (is_sandbox_of_pod(annotations, container.id)) return RequestedMode::nothing;
        TRY(ignore_others_annotations(annotations, container.id, container.bundle));
    }
    return requested_mode(annotations, defaults);
}

SeenContainer look_at(const RunningContainer& container, const Process& first,
                      const Defaults& defaults) {
    SeenContainer seen{container};
    seen.name = name_of(container, first);
    const auto asks = what_it_asks(container, defaults);
    if (asks)
        seen.asks = *asks;
    else
        note_unread(seen, asks.error());
    auto cgroups = cgroup_ids(first);
    if (cgroups)
        seen.cgroups = std::move(*cgroups);
    else
        note_unread(seen, cgroups.error());
    return seen;
}

// One that has gone meanwhile is none.
Status prove_jails(VerifyFacts& facts) {
    for (const JailSnapshot& jail : facts.jails) {
        const auto cgroup = TRY(open_cgroup_by_id(jail.cgroup_id));
        if (!cgroup) continue;
        auto proved = prove_attached(cgroup->get());
        if (!proved && !is_absent(proved))
            facts.failed_proofs.push_back({jail.cgroup_id,
                                           proved.error().exit_code == EX_UNAVAILABLE,
                                           proved.error().message});
    }
    return ok();
}

// Does it run a program of root's that is a user-mode network? pasta makes itself the first process
// of a PID namespace.
bool is_network_helper(const Process& process) {
    struct stat program {};
    const auto path = read_link(process.proc_fd(), "exe");
    return path && helper_named(path->substr(path->rfind('/') + 1)) != NetworkHelper::none &&
           ::fstatat(process.proc_fd(), "exe", &program, 0) == 0 && program.st_uid == 0;
}

// Could it be a user's container? Its owner then, 0 if not.
Result<uid_t> user_of_container(const Process& process) {
    const auto its = TRY(process.user_namespace());
    if (its.is_initial) return uid_t{0};
    const bool is_first = TRY(process.is_first_of_pid_namespace());
    return is_first && !is_network_helper(process) ? its.owner : uid_t{0};
}

// By what the kernel knows and no user writes: first processes of PID namespaces, in user
// namespaces that this user has made.
Status find_unknown_processes(const std::set<pid_t>& known, VerifyFacts& facts) {
    std::set<uid_t> users;
    for (const UnreadableStateDir& each : facts.overlooked)
        if (each.by_owner) users.insert(each.owner);
    if (users.empty()) return ok();
    const auto pids = TRY(list_processes());
    for (const pid_t pid : pids) {
        if (known.contains(pid)) continue;
        const auto process = Process::open(pid);
        if (!process) continue;
        const auto user = user_of_container(*process);
        if (!user || !users.contains(*user)) continue;
        const auto cgroups = cgroup_ids(*process);
        SeenContainer seen;
        if (cgroups) seen.cgroups = *cgroups;
        if (!is_jailed(seen, facts.jails) && process->check_alive())
            facts.unknown_processes.push_back({*user, pid});
    }
    return ok();
}

// The jails were looked for after the containers: a jail that isn't there may have gone with its
// container.
bool still_runs(const SeenContainer& seen) {
    const auto process = Process::open(seen.pid);
    if (!process) return false;
    const auto cgroups = cgroup_ids(*process);
    return !cgroups || *cgroups == seen.cgroups;
}

Finding stale(const std::string& container, const std::vector<IpPrefix>& holes) {
    return {
        FindingKind::stale, container,
        fmt::format("its rules are out of date, so that it reaches {}{}", holes.front().to_string(),
                    holes.size() > 1 ? fmt::format(" and {} more", holes.size() - 1) : ""),
        container.empty() ? "jail-ai-hook refresh"
                          : fmt::format("jail-ai-hook refresh {}", shown_id(container))};
}

}  // namespace

Result<VerifyFacts> collect_containers() {
    VerifyFacts facts;
    const Defaults defaults = TRY(read_machine_settings());
    std::set<pid_t> known;
    facts.overlooked =
        for_each_container([&](const RunningContainer& container, const Process& first) {
            known.insert(first.pid());
            // One that has not started may be with its hooks right now.
            if (container.has_started)
                facts.containers.push_back(look_at(container, first, defaults));
        });
    auto jails = TRY(read_jails(JailPart::programs));
    facts.jails = std::move(jails);
    facts.route_localnet = TRY(route_localnet_interfaces());
    TRY(prove_jails(facts));
    TRY(find_unknown_processes(known, facts));
    std::erase_if(facts.containers, [&](const SeenContainer& seen) {
        return !is_jailed(seen, facts.jails) && !still_runs(seen);
    });
    return facts;
}

// By what refresh compares. What that leaves alone is another version's, or of another network
// namespace, whose addresses aren't known here.
Result<Findings> find_stale(const VerifyFacts& facts) {
    Findings findings;
    auto network = TRY(current_network_namespace());
    auto routes = TRY(read_local_routes());
    OtherPrograms others;
    TRY(for_each_jail(0, others, [&](const OpenJail& open) -> Status {
        const auto has_it = [&](const JailSnapshot& jail) {
            return std::ranges::find(jail.programs, open.program, &JailProgram::id) !=
                   jail.programs.end();
        };
        const auto jail = std::ranges::find_if(facts.jails, has_it);
        if (jail == facts.jails.end()) return ok();
        const std::string container = container_of(*jail, facts.containers);
        const auto diff = compare(open, routes, network);
        if (!diff) {
            findings.push_back(
                {FindingKind::unreadable, container,
                 fmt::format("unknown whether its rules are up to date: {}", diff.error().message),
                 "restart it"});
            return ok();
        }
        const auto holes = find_holes(diff->attached, diff->desired);
        if (!holes.empty()) findings.push_back(stale(container, holes));
        return ok();
    }));
    return findings;
}

}  // namespace jail_ai
