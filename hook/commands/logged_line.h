// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Lines of this program in the log of the machine, among those of others. Pure.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jail_ai {

// What is written when a jail has gone with its container begins with it, behind the container.
inline constexpr std::string_view kEnded = "ended: ";

struct LoggedLine {
    std::string time;  // UTC from the journal; from a file as it has it
    std::string message;
    std::optional<uid_t> uid;  // of the process that wrote it, by the journal
};

// What `journalctl --output=json` prints: one object a line, in its order. A line that is
// none is passed over.
std::vector<LoggedLine> lines_of_journal(std::string_view text);

// Lines of a file that a syslog daemon writes: "TIME HOST jail-ai-hook[PID]: MESSAGE", with a time
// as in RFC 3339 or RFC 3164.
std::vector<LoggedLine> lines_of_syslog(std::string_view text);

// Which container a message is about, as container_text() writes it; empty if none.
struct LoggedContainer {
    std::string id;    // the beginning of it
    std::string name;  // empty if unknown
};

// Removes "container ID (NAME): " from the front.
LoggedContainer take_container(std::string_view& message);

// Is the container meant by its ID, the beginning of that, or its name?
bool is_meant(const LoggedContainer& container, std::string_view word);

// Leaves of what the log says of containers what one of the words means; all if there are none.
template <typename Entry>
void keep_meant(std::vector<Entry>& entries, const std::vector<std::string>& words) {
    if (words.empty()) return;
    std::erase_if(entries, [&](const Entry& entry) {
        return std::ranges::none_of(
            words, [&](const std::string& word) { return is_meant(entry.container, word); });
    });
}

// "TIME ID (NAME): TEXT", printable, with its end; `whose` stands behind the time.
std::string logged_to_people(std::string_view time, std::string_view whose,
                             const LoggedContainer& container, std::string_view text);

// A jail that has gone with its container.
struct EndedJail {
    std::string time;
    LoggedContainer container;
    std::string text;  // "denied 3: local 3; …"
};

std::vector<EndedJail> ended_jails(const std::vector<LoggedLine>& lines);

std::string ended_to_people(const EndedJail& ended);    // a line with its end
std::string ended_to_machines(const EndedJail& ended);  // one JSON object and a newline

}  // namespace jail_ai
