// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "status": every jail on this machine, or a user's own, or those of some containers.
#include "base/clock.h"
#include "base/deadline.h"
#include "commands/arguments.h"
#include "commands/jail_view.h"
#include "commands/status_report.h"
#include "commands/verbs.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kPrometheus = "--prometheus";

Result<std::string> status_text(const Arguments& asked, const std::vector<JailSnapshot>& jails) {
    const Now now{nanoseconds(CLOCK_BOOTTIME), nanoseconds(CLOCK_REALTIME)};
    if (asked.has(kJson)) return status_to_machines(jails, now);
    if (asked.has(kPrometheus)) return status_to_prometheus(jails);
    return status_to_people(jails, now);
}

Result<Outcome> status(const Arguments& asked, const Caller& /*caller*/) {
    return show_jails(kStatusView, asked);
}

constexpr Option kOptions[] = {
    {kJson, "", "for machines, with everything that is remembered", Use::one_of},
    {kPrometheus, "", "counters for node_exporter's textfile collector", Use::one_of},
};

}  // namespace

const JailView kStatusView{kStatus, Role::show, status_text};

const Verb kStatus{
    .name = "status",
    .summary = "shows every jail on this machine: what was denied, how often, and when last",
    .options = kOptions,
    .words = kContainers,
    .shows_own_to_users = true,
    .deadline = kShowDeadlineSeconds,
    .run = status,
};

}  // namespace jail_ai
