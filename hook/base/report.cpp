// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The record is what syslog(3) sends (RFC 3164): "<PRIORITY>Mmm dd hh:mm:ss TAG[PID]: LINE".
#include "base/report.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
#include <string>

#include "base/quote.h"
#include "base/unique_fd.h"

namespace jail_ai {
namespace {

constexpr std::string_view kTag = "jail-ai-hook";

std::string timestamp() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    std::array<char, 32> text{};
    if (::localtime_r(&now, &local) == nullptr) return "Jan  1 00:00:00";
    return {text.data(), std::strftime(text.data(), text.size(), "%b %e %H:%M:%S", &local)};
}

UniqueFd connect_to(const char* path, int type) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fd;
    return {};
}

struct Syslog {
    UniqueFd fd;  // empty if no process listens
    bool is_stream = false;
};

Syslog open_syslog() {
    Syslog log{connect_to(_PATH_LOG, SOCK_DGRAM)};
    if (log.fd || errno != EPROTOTYPE) return log;
    return {connect_to(_PATH_LOG, SOCK_STREAM), true};
}

// Where another daemon takes what is sent to syslog, the administrator reads that one's files.
UniqueFd open_journal() {
    constexpr std::string_view kJournalsSyslog = "/run/systemd/journal/dev-log";
    std::array<char, 64> target{};
    const ssize_t size = ::readlink(_PATH_LOG, target.data(), target.size());
    if (size < 0 ||
        std::string_view(target.data(), static_cast<std::size_t>(size)) != kJournalsSyslog)
        return {};
    return connect_to("/run/systemd/journal/socket", SOCK_DGRAM);
}

const UniqueFd& journal_connection() {
    static const UniqueFd journal = open_journal();
    return journal;
}

Syslog& syslog_connection() {
    static Syslog log = open_syslog();
    return log;
}

void send_to_syslog(int priority, std::string_view line) {
    const Syslog& log = syslog_connection();
    if (!log.fd) return;
    std::string record = fmt::format("<{}>{} {}[{}]: {}", LOG_MAKEPRI(LOG_DAEMON, priority),
                                     timestamp(), kTag, ::getpid(), line);
    if (log.is_stream) record += '\0';  // ends a record there
    [[maybe_unused]] const ssize_t sent =
        ::send(log.fd.get(), record.data(), record.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

// False if there is no journal, or its queue is full.
bool send_to_journal(int priority, const std::string& line, std::span<const JournalField> fields) {
    if (!journal_connection()) return false;
    JournalFields all = {{"MESSAGE", line},
                         {"PRIORITY", fmt::format("{}", priority)},
                         {"SYSLOG_FACILITY", fmt::format("{}", LOG_FAC(LOG_DAEMON))},
                         {"SYSLOG_IDENTIFIER", std::string(kTag)},
                         {"SYSLOG_PID", fmt::format("{}", ::getpid())}};
    all.insert(all.end(), fields.begin(), fields.end());
    const std::string entry = journal_entry(all);
    return ::send(journal_connection().get(), entry.data(), entry.size(),
                  MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

}  // namespace

void open_report() {
    ::tzset();
    syslog_connection();
    journal_connection();
}

// A pipe that is ready for writing takes PIPE_BUF bytes at once (pipe(7)), and so do terminals and
// sockets. A line of up to that size is one write, so that lines of several hooks don't mix.
void write_if_ready(int fd, std::string_view text) {
    while (!text.empty()) {
        pollfd ready{fd, POLLOUT, 0};
        if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return;
        const ssize_t written =
            ::write(fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void report(int priority, std::string_view line, std::span<const JournalField> fields) {
    const std::string shown = printable(line);
    if (priority <= LOG_WARNING) {
        const std::string text = fmt::format("{}: {}\n", kTag, shown);
        write_if_ready(STDERR_FILENO, text);
    }
    if (fields.empty() || !send_to_journal(priority, shown, fields))
        send_to_syslog(priority, shown);
}

}  // namespace jail_ai
