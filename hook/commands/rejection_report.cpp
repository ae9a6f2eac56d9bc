// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/rejection_report.h"

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

bool take(std::string_view& text, std::string_view start) {
    if (!text.starts_with(start)) return false;
    text.remove_prefix(start.size());
    return true;
}

// "container ID (NAME): ", as container_text() and shown_container() write it.
void take_container(std::string_view& text, Rejection& rejection) {
    std::string_view rest = text;
    if (!take(rest, kContainer)) return;
    const std::size_t end = std::min(rest.find(": "), rest.find(" ("));
    if (end == std::string_view::npos || !is_container_id(rest.substr(0, end))) return;
    const std::string_view id = rest.substr(0, end);
    rest.remove_prefix(end);
    std::string_view name;
    if (take(rest, " (")) {
        const std::size_t closing = rest.find("): ");
        if (closing == std::string_view::npos) return;
        name = rest.substr(0, closing);
        rest.remove_prefix(closing + 1);
    }
    if (!take(rest, ": ")) return;
    rejection.container = id;
    rejection.name = name;
    text = rest;
}

std::optional<Rejection> parse_message(std::string_view message) {
    Rejection rejection{};
    const bool rejected = take(message, kRejected);
    take_container(message, rejection);
    rejection.started =
        message.starts_with("STARTS UNPROTECTED") || message.starts_with("STARTS AS IT IS");
    if (!rejected && !rejection.started) return std::nullopt;
    rejection.reason = message;
    return rejection;
}

}  // namespace

std::vector<Rejection> rejections_of_journal(std::string_view text) {
    std::vector<Rejection> found;
    while (!text.empty()) {
        const auto entry = parse_json_object(next_line(text));
        if (!entry) continue;
        // A message that is not UTF-8 is an array of bytes there, and not the hook's.
        const auto message = string_or_empty(*entry, "MESSAGE");
        const auto time = string_or_empty(*entry, "__REALTIME_TIMESTAMP");
        const auto uid = string_or_empty(*entry, "_UID");
        if (!message || !time || !uid) continue;
        auto rejection = parse_message(*message);
        if (!rejection) continue;
        if (const auto microseconds = parse_number<std::uint64_t>(*time))
            rejection->time = time_text(*microseconds * 1000, false);
        rejection->uid = parse_number<uid_t>(*uid);
        found.push_back(std::move(*rejection));
    }
    return found;
}

std::vector<Rejection> rejections_of_syslog(std::string_view text) {
    std::vector<Rejection> found;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const std::size_t tag = line.find(kTag);
        if (tag == std::string_view::npos) continue;
        const std::size_t message = line.find("]: ", tag);
        if (message == std::string_view::npos) continue;
        auto rejection = parse_message(line.substr(message + 3));
        if (!rejection) continue;
        const std::string_view head = line.substr(0, tag);  // TIME HOST
        rejection->time = head.substr(0, head.rfind(' '));
        found.push_back(std::move(*rejection));
    }
    return found;
}

bool is_meant(const Rejection& rejection, std::string_view word) {
    // The log has the first 12 characters of an ID.
    const std::string_view id = rejection.container;
    return !id.empty() && (id.starts_with(word) || word.starts_with(id) || rejection.name == word);
}

std::string rejection_to_people(const Rejection& rejection) {
    const std::string who =
        rejection.container.empty() ? "" : shown_container(rejection.container, rejection.name);
    const std::string whose = rejection.uid && *rejection.uid != 0
                                  ? fmt::format(" (uid {})", *rejection.uid)
                                  : std::string();
    return printable(fmt::format("{}{} {}{}{}\n", rejection.time, whose, who,
                                 who.empty() ? "" : ": ", rejection.reason),
                     "\n");
}

std::string rejection_to_machines(const Rejection& rejection) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "time", rejection.time);
    if (!rejection.container.empty()) put(writer, "container", rejection.container);
    if (!rejection.name.empty()) put(writer, "name", rejection.name);
    writer.Key("started");
    writer.Bool(rejection.started);
    put(writer, "message", rejection.reason);
    if (rejection.uid) put(writer, "uid", std::uint64_t{*rejection.uid});
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
