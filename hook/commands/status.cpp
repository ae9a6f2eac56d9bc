// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "status": every jail on this machine, or those of some containers.
#include <algorithm>
#include <iterator>
#include <map>

#include "base/clock.h"
#include "base/deadline.h"
#include "commands/arguments.h"
#include "commands/container_selector.h"
#include "commands/jail_names.h"
#include "commands/status_report.h"
#include "commands/verbs.h"
#include "container/cgroup_path.h"
#include "container/mountinfo.h"
#include "engines/container_names.h"
#include "jail/reader.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kPrometheus = "--prometheus";

Result<Outcome> status(const Arguments& asked, const Caller& /*caller*/) {
    TRY(confine(Role::show));
    auto jails = TRY(read_jails(JailPart::denials));
    std::vector<RunningContainer> containers = named_containers();
    put_names(jails, containers);
    const ContainerSelector meant(asked.words, std::move(containers));
    std::vector<std::string_view> ids;
    std::ranges::transform(jails, std::back_inserter(ids), &JailSnapshot::container_id);
    TRY(check_jailed(meant, ids));
    std::erase_if(jails, [&](const JailSnapshot& each) { return !meant.has(each.container_id()); });
    const Now now{nanoseconds(CLOCK_BOOTTIME), nanoseconds(CLOCK_REALTIME)};
    if (asked.has(kJson)) return Outcome{status_to_machines(jails, now), {}};
    if (asked.has(kPrometheus)) return Outcome{status_to_prometheus(jails), {}};
    return Outcome{status_to_people(jails, now), {}};
}

constexpr Option kOptions[] = {
    {kJson, "", "for machines, with everything that is remembered", Use::one_of},
    {kPrometheus, "", "counters for node_exporter's textfile collector", Use::one_of},
};

}  // namespace

const Verb kStatus{
    .name = "status",
    .summary = "shows every jail on this machine: what was denied, how often, and when last",
    .options = kOptions,
    .words = kContainers,
    .only_root_may = "look at BPF programs",
    .deadline = kShowDeadlineSeconds,
    .run = status,
};

}  // namespace jail_ai
