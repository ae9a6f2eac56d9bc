// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "status": every jail on this machine, or those of some containers.
#include <algorithm>
#include <map>

#include "base/clock.h"
#include "commands/arguments.h"
#include "commands/containers_meant.h"
#include "commands/status_report.h"
#include "commands/verbs.h"
#include "container/cgroup_path.h"
#include "container/mountinfo.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kPrometheus = "--prometheus";

// A name is a jail's where the container that has it is in the jail's cgroup: who asks the broker makes the ID up.
std::vector<NamedJail> put_names(std::vector<JailReport> jails, const std::vector<NamedContainer>& containers) {
    std::multimap<std::string_view, const NamedContainer*> by_id;
    for (const NamedContainer& each : containers) by_id.emplace(each.id, &each);
    std::vector<NamedJail> named;
    for (JailReport& jail : jails) {
        const auto [begin, end] = by_id.equal_range(jail.container_id());
        const auto its = std::find_if(begin, end, [&](const auto& each) { return is_at_or_below(each.second->cgroup, jail.cgroup); });
        named.push_back({std::move(jail), its == end ? std::string() : its->second->name});
    }
    return named;
}

Result<Outcome> status(const Arguments& asked, const Caller& /*caller*/) {
    auto jails = TRY(list_jails());
    std::vector<NamedContainer> containers = named_containers();
    std::vector<NamedJail> named = put_names(std::move(jails), containers);
    const ContainersMeant meant(asked.words, std::move(containers));
    std::vector<std::string_view> ids;
    for (const NamedJail& each : named) ids.push_back(each.jail.container_id());
    TRY(check_jailed(meant, ids));
    std::erase_if(named, [&](const NamedJail& each) { return !meant.has(each.jail.container_id()); });
    const Now now{nanoseconds(CLOCK_BOOTTIME), nanoseconds(CLOCK_REALTIME)};
    if (asked.has(kJson)) return Outcome{status_to_machines(named, now), {}};
    if (asked.has(kPrometheus)) return Outcome{status_to_prometheus(named), {}};
    return Outcome{status_to_people(named, now), {}};
}

constexpr Option kOptions[] = {
    {kJson, "", "for machines, with everything that is remembered", Use::one_of},
    {kPrometheus, "", "counters for node_exporter's textfile collector", Use::one_of},
};

}  // namespace

const Verb kStatus{
    .name = "status",
    .summary = "every jail on this machine: what was refused, how often, and when last",
    .options = kOptions,
    .words = kContainers,
    .only_root_may = "look at BPF programs",
    .run = status,
};

}  // namespace jail_ai
