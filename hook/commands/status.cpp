// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "status": every jail on this machine, or those of some containers.
#include "base/clock.h"
#include "base/deadline.h"
#include "commands/arguments.h"
#include "commands/selected_jails.h"
#include "commands/status_report.h"
#include "commands/verbs.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kPrometheus = "--prometheus";

Result<Outcome> status(const Arguments& asked, const Caller& /*caller*/) {
    TRY(confine(Role::show));
    const auto jails = TRY(select_jails(asked.words));
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
