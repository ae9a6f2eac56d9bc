// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/logged_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/lines.h"
#include "base/number.h"
#include "base/quote.h"
#include "commands/denial_text.h"
#include "container/container_id.h"
#include "container/json.h"
#include "container/json_writer.h"

namespace jail_ai {
namespace {

constexpr std::string_view kTag = " jail-ai-hook[";
constexpr std::string_view kContainer = "container ";

}  // namespace

std::vector<LoggedLine> lines_of_journal(std::string_view text) {
    std::vector<LoggedLine> found;
    while (!text.empty()) {
        const auto entry = parse_json_object(next_line(text));
        if (!entry) continue;
        // A message that is not UTF-8 is an array of bytes there, and not the hook's.
        auto message = string_or_empty(*entry, "MESSAGE");
        const auto time = string_or_empty(*entry, "__REALTIME_TIMESTAMP");
        const auto uid = string_or_empty(*entry, "_UID");
        if (!message || !time || !uid) continue;
        LoggedLine line{{}, std::move(*message), parse_number<uid_t>(*uid)};
        if (const auto microseconds = parse_number<std::uint64_t>(*time))
            line.time = time_text(*microseconds * 1000, false);
        found.push_back(std::move(line));
    }
    return found;
}

std::vector<LoggedLine> lines_of_syslog(std::string_view text) {
    std::vector<LoggedLine> found;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const std::size_t tag = line.find(kTag);
        if (tag == std::string_view::npos) continue;
        const std::size_t message = line.find("]: ", tag);
        if (message == std::string_view::npos) continue;
        const std::string_view head = line.substr(0, tag);  // TIME HOST
        found.push_back({std::string(head.substr(0, head.rfind(' '))),
                         std::string(line.substr(message + 3)), std::nullopt});
    }
    return found;
}

LoggedContainer take_container(std::string_view& message) {
    std::string_view rest = message;
    if (!rest.starts_with(kContainer)) return {};
    rest.remove_prefix(kContainer.size());
    const std::size_t end = std::min(rest.find(": "), rest.find(" ("));
    if (end == std::string_view::npos || !is_container_id(rest.substr(0, end))) return {};
    LoggedContainer container{std::string(rest.substr(0, end)), {}};
    rest.remove_prefix(end);
    if (rest.starts_with(" (")) {
        const std::size_t closing = rest.find("): ");
        if (closing == std::string_view::npos) return {};
        container.name = rest.substr(2, closing - 2);
        rest.remove_prefix(closing + 1);
    }
    if (!rest.starts_with(": ")) return {};
    message = rest.substr(2);
    return container;
}

bool is_meant(const LoggedContainer& container, std::string_view word) {
    // The log has the first 12 characters of an ID.
    const std::string_view id = container.id;
    return !id.empty() && (id.starts_with(word) || word.starts_with(id) || container.name == word);
}

std::string logged_to_people(std::string_view time, std::string_view whose,
                             const LoggedContainer& container, std::string_view text) {
    const std::string who =
        container.id.empty() ? "" : shown_container(container.id, container.name) + ": ";
    return printable(fmt::format("{}{} {}{}\n", time, whose, who, text), "\n");
}

std::vector<EndedJail> ended_jails(const std::vector<LoggedLine>& lines) {
    std::vector<EndedJail> found;
    for (const LoggedLine& line : lines) {
        std::string_view message = line.message;
        LoggedContainer container = take_container(message);
        if (container.id.empty() || !message.starts_with(kEnded)) continue;
        found.push_back(
            {line.time, std::move(container), std::string(message.substr(kEnded.size()))});
    }
    return found;
}

std::string ended_to_people(const EndedJail& ended) {
    return logged_to_people(ended.time, "", ended.container, ended.text);
}

std::string ended_to_machines(const EndedJail& ended) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "time", ended.time);
    put(writer, "container", ended.container.id);
    if (!ended.container.name.empty()) put(writer, "name", ended.container.name);
    put(writer, "message", ended.text);
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
