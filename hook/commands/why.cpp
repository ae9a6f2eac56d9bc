// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "why": containers that were rejected, each with the reason and the remedy. An engine shows the
// hook's exit code, and with crun nothing else; what the hook reports is in the journal or in
// syslog's file.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/deadline.h"
#include "base/number.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/machine_log.h"
#include "commands/rejection_report.h"
#include "commands/verbs.h"
#include "sandbox/sandbox.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kLast = "--last";
constexpr std::size_t kShown = 10;  // without --last

Result<std::size_t> number_shown(const Arguments& asked) {
    const std::string* text = asked.value(kLast);
    if (text == nullptr) return kShown;
    const auto number = parse_number<std::size_t>(*text);
    if (!number || *number == 0)
        return Error{EX_USAGE,
                     fmt::format("{}: {}: expected a number from 1", kLast, quote(*text))};
    return *number;
}

std::string none(const MachineLog& log) {
    // journald shows users their own entries if it keeps them for good (journald.conf(5),
    // SplitMode).
    return ::geteuid() == 0
               ? fmt::format("no container was rejected, as far as {} goes back\n", log.name)
               : fmt::format(
                     "no container of yours was rejected, as far as {} shows users: root "
                     "sees all by 'jail-ai-hook why'\n",
                     log.name);
}

Result<Outcome> why(const Arguments& asked, const Caller& /*caller*/) {
    const std::size_t shown = TRY(number_shown(asked));
    // By /dev/log, where conmon doesn't write what containers print, whatever they are called.
    const auto log = TRY(read_machine_log({"--priority=err", "_TRANSPORT=syslog"}));
    TRY(confine(Role::show));
    auto found = rejections(log.lines());
    keep_meant(found, asked.words);
    if (found.empty() && !asked.words.empty())
        return Error{EX_NOINPUT,
                     fmt::format("no rejection of {} is in {}, where some have an ID and no name: "
                                 "'jail-ai-hook why' shows the last ones of all, 'jail-ai-hook "
                                 "log' denied connections",
                                 quote(asked.words.front()), log.name)};
    found.erase(found.begin(),
                found.end() - static_cast<std::ptrdiff_t>(std::min(shown, found.size())));
    std::string text;
    for (const Rejection& rejection : found)
        text +=
            asked.has(kJson) ? rejection_to_machines(rejection) : rejection_to_people(rejection);
    return Outcome{text.empty() && !asked.has(kJson) ? none(log) : std::move(text), {}};
}

constexpr Option kOptions[] = {
    {kLast, "NUMBER", "of them, the newest last: 10"},
    {kJson, "", "one object a line"},
};

}  // namespace

const Verb kWhy{
    .name = "why",
    .summary = "shows why containers were rejected, and what to do about it",
    .about = "Reads the journal, or syslog's file: a user's own, or all as root.",
    .options = kOptions,
    .words = kContainers,
    .deadline = kVerifyDeadlineSeconds,
    .run = why,
};

}  // namespace jail_ai
