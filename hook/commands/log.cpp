// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "log": what was denied, remembered or as it happens.
#include <fmt/format.h>
#include <poll.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/quote.h"
#include "base/stop.h"
#include "commands/arguments.h"
#include "commands/denial_text.h"
#include "commands/jail_view.h"
#include "commands/log_report.h"
#include "commands/machine_log.h"
#include "commands/select_running.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "jail/events.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kFollow = "--follow", kEndedOnes = "--ended", kJson = "--json";
constexpr std::string_view kFollowing = "follow denials", kReading = "read the log of the machine";

std::string line_of(const LogEntry& entry, const Arguments& asked) {
    return asked.has(kJson) ? log_to_machines(entry) : log_to_people(entry);
}

// What to add to CLOCK_BOOTTIME for CLOCK_REALTIME.
std::uint64_t boot_time() {
    return nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
}

// For containers that start later: a name is looked up when a container is met first.
class LazyContainerSelector {
public:
    explicit LazyContainerSelector(const Arguments& asked) : asked_(asked) {}

    bool has(std::string_view id) {
        if (asked_.words.empty()) return true;
        const auto known = met_.find(id);
        return known != met_.end()
                   ? known->second
                   : met_.emplace(id, select_running(asked_.words).has(id)).first->second;
    }

private:
    const Arguments& asked_;
    std::map<std::string, bool, std::less<>> met_;
};

Result<std::string> remembered_text(const Arguments& asked,
                                    const std::vector<JailSnapshot>& jails) {
    // The broker shows what is there.
    if (asked.has(kFollow)) return only_root_may(kFollowing);
    if (asked.has(kEndedOnes)) return only_root_may(kReading);
    const std::uint64_t boot = boot_time();
    std::vector<LogEntry> entries;
    for (const JailSnapshot& jail : jails) {
        const Mode mode = jail.metadata ? jail.metadata->mode : Mode::enforce;
        for (const RecentDenial& denial : jail.recent_denials)
            entries.push_back(
                {denial.seen.last + boot, jail.container_id(), jail.name, mode, denial});
    }
    std::ranges::sort(entries, {}, &LogEntry::real);
    std::string text;
    for (const LogEntry& entry : entries) text += line_of(entry, asked);
    if (!text.empty() || asked.has(kJson)) return text;
    return std::string(jails.empty() ? kNoJail : "nothing denied\n");
}

// Goes on until it is asked to stop, or its reader has gone.
Result<Outcome> follow(const Arguments& asked, const Caller& caller) {
    if (::geteuid() != 0) return only_root_may(kFollowing);
    end_deadline();
    listen_for_stop();
    Events events;
    TRY(confine(Role::follow));
    TRY(events.begin());
    LazyContainerSelector meant(asked);
    std::string text;
    const auto add = [&](const DenialEvent& event) {
        if (meant.has(event.container))
            text += line_of({event.denial.seen.last + boot_time(), event.container, event.name,
                             event.mode, event.denial},
                            asked);
    };
    const auto report_lost = [&](std::string_view container, std::uint64_t count) {
        if (meant.has(container))
            caller.report({LOG_WARNING, fmt::format("{}: {} more denials came faster than "
                                                    "they could be read; status counts them",
                                                    container_text(container), count)});
    };
    while (!stop_requested()) {
        if (::poll(nullptr, 0, Events::kLookMs) < 0 && errno != EINTR)
            return system_error("wait for denials", errno);
        TRY(events.take(add, report_lost, [](const JailSnapshot& /*jail*/) {}));
        if (!text.empty() && !caller.print(text)) return Outcome{{}, {}, EX_IOERR};
        text.clear();
    }
    TRY(events.take_last(add, report_lost));
    return Outcome{std::move(text), {}};
}

std::string none_ended(std::string_view which, const MachineLog& log) {
    return fmt::format(
        "no ended container{} with denials is in {}: watch --log writes them when a "
        "container ends",
        which, log.name);
}

// Entries of root's alone, who alone may watch: any user may write to the journal.
Result<Outcome> show_ended(const Arguments& asked) {
    if (::geteuid() != 0) return only_root_may(kReading);
    const auto log = TRY(read_machine_log({"_UID=0", "JAIL_AI_EVENT=ended"}));
    TRY(confine(Role::show));
    auto found = ended_jails(log.lines());
    keep_meant(found, asked.words);
    if (found.empty() && !asked.words.empty())
        return Error{EX_NOINPUT, none_ended(" " + quote(asked.words.front()), log)};
    std::string text;
    for (const EndedJail& ended : found)
        text += asked.has(kJson) ? ended_to_machines(ended) : ended_to_people(ended);
    if (text.empty() && !asked.has(kJson)) text = none_ended("", log) + "\n";
    return Outcome{std::move(text), {}};
}

Result<Outcome> log(const Arguments& asked, const Caller& caller) {
    if (asked.has(kEndedOnes)) return show_ended(asked);
    return asked.has(kFollow) ? follow(asked, caller) : show_jails(kLogView, asked);
}

constexpr Option kOptions[] = {
    {kFollow, "",
     "as they happen, also of jails that start later; how often, if one comes often at a time",
     Use::one_of},
    {kEndedOnes, "", "of containers that have gone, as watch --log has written it to the log",
     Use::one_of},
    {kJson, "", "one object a line"},
};

}  // namespace

const JailView kLogView{kLog, Role::show, remembered_text};

const Verb kLog{
    .name = "log",
    .summary = "shows what was denied, one line each; with --follow as it happens",
    .about = "The last different denials that the kernel remembers of each jail, the newest last.",
    .options = kOptions,
    .words = kContainers,
    .shows_own_to_users = true,
    .deadline = kShowDeadlineSeconds,
    .run = log,
};

}  // namespace jail_ai
