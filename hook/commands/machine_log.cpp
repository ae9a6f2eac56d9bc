// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/machine_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/absence.h"
#include "base/quote.h"
#include "system/file.h"
#include "system/program.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMostLog = 16U << 20;
constexpr std::chrono::seconds kPatience{10};

// Where journald keeps entries, for good or until the machine stops. A package makes the first
// directory where no journald has ever run.
bool has_journal() {
    return std::ranges::any_of(
        std::to_array({"/var/log/journal", "/run/log/journal"}), [](const char* path) {
            const auto names = list_directory(AT_FDCWD, path, Entries::all, 1);
            return names && !names->empty();
        });
}

// The newest first, so that they are there however long the others are.
Result<MachineLog> read_journal(const std::string& journalctl,
                                const std::vector<std::string>& matches) {
    std::vector<std::string> arguments = {"--quiet",
                                          "--no-pager",
                                          "--reverse",
                                          "--output=json",
                                          "--output-fields=MESSAGE,_UID",
                                          "--lines=10000",
                                          "SYSLOG_IDENTIFIER=jail-ai-hook"};
    arguments.insert(arguments.end(), matches.begin(), matches.end());
    auto text = TRY(output_of(journalctl, arguments, kMostLog, kPatience));
    return MachineLog{"the journal", std::move(text), true};
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
Result<MachineLog> read_syslog() {
    for (const char* path : {"/var/log/syslog", "/var/log/messages"}) {
        auto fd = open_regular_file(AT_FDCWD, path);
        if (is_absent(fd)) continue;
        if (!fd && ::geteuid() != 0)
            return Error{EX_NOPERM, fmt::format("{}: ask root for 'jail-ai-hook why'",
                                                std::move(fd).error().message)};
        const auto opened = TRY(std::move(fd));
        auto text = TRY(read_end(opened.get(), kMostLog).context(quote(path)));
        return MachineLog{path, std::move(text)};
    }
    return Error{EX_UNAVAILABLE,
                 "this machine keeps no log: neither a journal nor /var/log/syslog is there: run "
                 "systemd-journald or rsyslog"};
}

}  // namespace

std::vector<LoggedLine> MachineLog::lines() const {
    if (!is_journal) return lines_of_syslog(text);
    std::vector<LoggedLine> found = lines_of_journal(text);
    std::ranges::reverse(found);
    return found;
}

Result<MachineLog> read_machine_log(const std::vector<std::string>& matches) {
    const std::string journalctl = has_journal() ? find_program("journalctl") : "";
    return journalctl.empty() ? read_syslog() : read_journal(journalctl, matches);
}

}  // namespace jail_ai
