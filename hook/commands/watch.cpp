// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "watch": refreshes every jail when the host's addresses change. The block doesn't depend on it.
//
// A jail that is in the making when an address comes has read the old ones. So each change is
// looked at again when whatever was in the making then must have been made: hooks have a deadline.
#include <fmt/format.h>
#include <poll.h>
#include <syslog.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <span>

#include "base/deadline.h"
#include "base/quote.h"
#include "base/stop.h"
#include "commands/arguments.h"
#include "commands/denial_text.h"
#include "commands/log_report.h"
#include "commands/refresh.h"
#include "commands/status_report.h"
#include "commands/verbs.h"
#include "container/container_id.h"
#include "jail/events.h"
#include "policy/reason.h"
#include "sandbox/sandbox.h"
#include "system/address_changes.h"

namespace jail_ai {
namespace {

using Clock = std::chrono::steady_clock;
using Report = std::function<void(const LogLine& line)>;

constexpr std::string_view kLogToo = "--log";
constexpr std::chrono::seconds kRecheckDelays[] = {std::chrono::seconds(1),
                                                   std::chrono::seconds(kDeadlineSeconds + 2)};
constexpr std::chrono::seconds kCountAgain(1);
constexpr unsigned kTellPerJail = 20;  // denials of one jail in that time

// What changed, in one line, however much it is.
std::string changes_text(const Refreshed& jail) {
    constexpr std::size_t kShown = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, jail.changes.size()); ++i)
        text += fmt::format("{}{}", i == 0 ? "" : "; ", jail.changes[i]);
    if (jail.changes.size() > kShown)
        text += fmt::format("; and {} more", jail.changes.size() - kShown);
    return text;
}

// False if it must be tried again.
bool refresh_and_report(const LockFile& lock, OtherPrograms& others, const Report& report) {
    auto jails = refresh_jails(lock, others, {}, [](std::size_t /*done*/) {});
    if (!jails) {
        report({LOG_ERR, fmt::format("{}: will be tried again", jails.error().message)});
        return false;
    }
    for (const Refreshed& jail : *jails) {
        const std::string who = container_text(jail.container) + ": ";
        if (!jail.failure.empty())
            report({LOG_ERR, fmt::format("{}not brought up to date: {}", who, jail.failure)});
        if (!jail.changes.empty() && jail.failure.empty())
            report({LOG_NOTICE, fmt::format("{}brought up to date: {}", who, changes_text(jail))});
        if (jail.ended != 0)
            report(
                {LOG_NOTICE, fmt::format("{}{} connections from before ended", who, jail.ended)});
        if (!jail.warning.empty()) report({LOG_WARNING, who + jail.warning});
    }
    return true;
}

// Denials handed on, of each jail so many a second: a process in it can be denied as often as
// it likes.
class Denials {
public:
    explicit Denials(const Report& report) : report_(report) {}

    Status begin() { return events_.begin(); }

    Status take(Clock::time_point now) {
        TRY(events_.take([&](const DenialEvent& denial) { hand_on(denial); },
                         [&](std::string_view container, std::uint64_t lost) {
                             more_[std::string(container)] += lost;
                         },
                         [&](const JailSnapshot& jail) { sum_up_ended(jail); }));
        if (now >= next_count_) sum_up(now);
        return ok();
    }

private:
    void hand_on(const DenialEvent& event) {
        const std::string container(event.container);
        unsigned& reported = reported_[container];
        if (reported == kTellPerJail) {
            more_[container] += event.denial.seen.count;
            return;
        }
        ++reported;
        const LogEntry entry{0, event.container, event.name, event.mode, event.denial};
        report_(
            {LOG_NOTICE,
             fmt::format("{}: {}", container_text(container, event.name), denial_sentence(entry)),
             journal_fields(entry)});
    }

    // Of a jail that has gone with its container, and of which no verb can ask any more.
    void sum_up_ended(const JailSnapshot& jail) {
        if (all_denials(jail) == 0) return;
        report_({LOG_NOTICE,
                 fmt::format("{}: {}", container_text(jail.container_id(), jail.name),
                             ended_sentence(jail)),
                 journal_fields(jail)});
    }

    void sum_up(Clock::time_point now) {
        next_count_ = now + kCountAgain;
        for (const auto& [container, more] : more_)
            report_({LOG_NOTICE,
                     fmt::format("{}: {} more denials; status counts them",
                                 container_text(container), more),
                     {{"JAIL_AI_EVENT", "more"},
                      {"JAIL_AI_CONTAINER", printable(container)},
                      {"JAIL_AI_COUNT", fmt::format("{}", more)}}});
        reported_.clear();
        more_.clear();
    }

    Events events_;
    const Report& report_;
    std::map<std::string, unsigned> reported_;   // lines since the last sum
    std::map<std::string, std::uint64_t> more_;  // denials since then that have no line
    Clock::time_point next_count_;
};

int wait_ms(const std::deque<Clock::time_point>& again, bool logs, Clock::time_point now) {
    std::optional<Clock::time_point> until;
    if (!again.empty()) until = again.front();
    if (logs)
        until = std::min(until.value_or(Clock::time_point::max()),
                         now + std::chrono::milliseconds(Events::kLookMs));
    if (!until) return -1;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(
                                std::max(*until - now, Clock::duration::zero()))
                                .count());
}

// Goes on until it is asked to stop.
Result<Outcome> watch(const Arguments& arguments, const Caller& caller) {
    const bool logs = arguments.has(kLogToo);
    listen_for_stop();
    auto changes = TRY(AddressChanges::open());
    std::optional<Denials> denials;
    if (logs) denials.emplace(caller.report);
    const auto lock = TRY(LockFile::open(kRulesLock));
    TRY(confine(Role::watch));
    if (denials) TRY(denials->begin());
    OtherPrograms others;
    std::deque<Clock::time_point> again{Clock::now()};
    while (!stop_requested()) {
        pollfd ready{changes.fd(), POLLIN, 0};
        if (::poll(&ready, 1, wait_ms(again, logs, Clock::now())) < 0 && errno != EINTR)
            return system_error("wait for changes", errno);
        auto changed = TRY(changes.take());
        const auto now = Clock::now();
        const bool due = !again.empty() && again.front() <= now;
        if (due) again.pop_front();
        if (changed) {
            again.clear();
            for (const auto later : kRecheckDelays) again.push_back(now + later);
        }
        if ((changed || due) && !refresh_and_report(lock, others, caller.report) && again.empty())
            again.push_back(now + kRecheckDelays[0]);
        if (denials) TRY(denials->take(now));
    }
    return Outcome{};
}

constexpr Option kOptions[] = {
    {kLogToo, "", "also writes denials to syslog, and what a container was denied when it ends"}};

}  // namespace

const Verb kWatch{
    .name = "watch",
    .summary = "refreshes automatically when the host's addresses change",
    .about = "Runs until a signal ends it.",
    .options = kOptions,
    .only_root_may = "change the rules of jails",
    .run = watch,
};

}  // namespace jail_ai
