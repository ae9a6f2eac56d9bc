// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "why": containers that were rejected, each with the reason and the remedy. An engine shows the
// hook's exit code, and with crun nothing else; what the hook reports is in the journal or in
// syslog's file.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/absence.h"
#include "base/deadline.h"
#include "base/number.h"
#include "base/quote.h"
#include "commands/arguments.h"
#include "commands/rejection_report.h"
#include "commands/verbs.h"
#include "sandbox/sandbox.h"
#include "system/file.h"
#include "system/program.h"

namespace jail_ai {
namespace {

constexpr std::string_view kJson = "--json", kLast = "--last";
constexpr std::size_t kShown = 10;  // without --last
constexpr std::size_t kMostLog = 16U << 20;
constexpr std::chrono::seconds kPatience{10};

// As they were read: parsed when the process is confined.
struct Log {
    std::string name;
    std::string text;
    bool is_journal = false;
};

// Where journald keeps entries, for good or until the machine stops. A package makes the first
// directory where no journald has ever run.
bool has_journal() {
    return std::ranges::any_of(
        std::to_array({"/var/log/journal", "/run/log/journal"}), [](const char* path) {
            const auto names = list_directory(AT_FDCWD, path, Entries::all, 1);
            return names && !names->empty();
        });
}

// The newest first, so that they are there however long the others are. By /dev/log, where conmon
// doesn't write what containers print, whatever they are called.
Result<Log> read_journal(const std::string& journalctl) {
    auto text = TRY(output_of(
        journalctl,
        {"--quiet", "--no-pager", "--reverse", "--output=json", "--output-fields=MESSAGE,_UID",
         "--lines=10000", "--priority=err", "SYSLOG_IDENTIFIER=jail-ai-hook", "_TRANSPORT=syslog"},
        kMostLog, kPatience));
    return Log{"the journal", std::move(text), true};
}

// The last part of a file that grows.
Result<std::string> read_end(int fd, std::size_t most) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return system_error("stat", errno);
    const off_t skipped = std::max<off_t>(info.st_size - static_cast<off_t>(most), 0);
    if (::lseek(fd, skipped, SEEK_SET) < 0) return system_error("seek", errno);
    std::string text;
    TRY(read_pieces(fd, [&](std::string_view piece) {
        text += piece.substr(0, most - std::min(most, text.size()));
        return ok();
    }));
    return text;
}

// The file that the distribution's syslog daemon writes errors of daemons to.
Result<Log> read_syslog() {
    for (const char* path : {"/var/log/syslog", "/var/log/messages"}) {
        auto fd = open_regular_file(AT_FDCWD, path);
        if (is_absent(fd)) continue;
        if (!fd && ::geteuid() != 0)
            return Error{EX_NOPERM, fmt::format("{}: ask root for 'jail-ai-hook why'",
                                                std::move(fd).error().message)};
        const auto opened = TRY(std::move(fd));
        auto text = TRY(read_end(opened.get(), kMostLog).context(quote(path)));
        return Log{path, std::move(text)};
    }
    return Error{EX_UNAVAILABLE,
                 "this machine keeps no log: neither a journal nor /var/log/syslog is there: run "
                 "systemd-journald or rsyslog, or see the reason in what podman prints with runc"};
}

Result<Log> read_log() {
    const std::string journalctl = has_journal() ? find_program("journalctl") : "";
    return journalctl.empty() ? read_syslog() : read_journal(journalctl);
}

Result<std::size_t> number_shown(const Arguments& asked) {
    const std::string* text = asked.value(kLast);
    if (text == nullptr) return kShown;
    const auto number = parse_number<std::size_t>(*text);
    if (!number || *number == 0)
        return Error{EX_USAGE,
                     fmt::format("{}: {}: expected a number from 1", kLast, quote(*text))};
    return *number;
}

std::string none(const Log& log) {
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
    const auto log = TRY(read_log());
    TRY(confine(Role::show));
    auto found = log.is_journal ? rejections_of_journal(log.text) : rejections_of_syslog(log.text);
    if (log.is_journal) std::ranges::reverse(found);
    if (!asked.words.empty())
        std::erase_if(found, [&](const Rejection& rejection) {
            return std::ranges::none_of(
                asked.words, [&](const std::string& word) { return is_meant(rejection, word); });
        });
    if (found.empty() && !asked.words.empty())
        return Error{EX_NOINPUT,
                     fmt::format("no rejection of {} is in {}: 'jail-ai-hook why' shows the last "
                                 "ones of all",
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
