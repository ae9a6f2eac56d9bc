// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/log_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/quote.h"
#include "commands/denial_text.h"
#include "commands/logged_line.h"
#include "commands/status_report.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

constexpr std::size_t kShownOfEnded = 16;  // destinations

std::span<const RecentDenial> shown_of(const JailSnapshot& jail) {
    return std::span(jail.recent_denials)
        .first(std::min(kShownOfEnded, jail.recent_denials.size()));
}

JournalFields container_fields(std::string_view event, Mode mode, std::string_view container,
                               std::string_view name) {
    JournalFields fields = {{"JAIL_AI_EVENT", std::string(event)},
                            {"JAIL_AI_MODE", mode == Mode::audit ? "audit" : "enforce"}};
    if (!container.empty()) fields.push_back({"JAIL_AI_CONTAINER", printable(container)});
    if (!name.empty()) fields.push_back({"JAIL_AI_NAME", std::string(name)});
    return fields;
}

}  // namespace

JournalFields journal_fields(const LogEntry& entry) {
    const auto& [what, seen] = entry.denial;
    JournalFields fields = container_fields("denied", entry.mode, entry.container, entry.name);
    fields.push_back({"JAIL_AI_REASON", std::string(reason_name(what.reason))});
    if (std::string destination = destination_of(what); !destination.empty()) {
        fields.push_back({"JAIL_AI_DESTINATION", std::move(destination)});
        fields.push_back({"JAIL_AI_PORT", fmt::format("{}", what.port)});
        fields.push_back({"JAIL_AI_PROTOCOL", protocol_text(what.protocol)});
    }
    if (seen.pid != 0) {
        fields.push_back({"JAIL_AI_PID", fmt::format("{}", seen.pid)});
        fields.push_back({"JAIL_AI_COMM", printable(comm_of(seen.comm))});
    }
    fields.push_back({"JAIL_AI_COUNT", fmt::format("{}", seen.count)});
    return fields;
}

std::string ended_sentence(const JailSnapshot& jail) {
    std::string text = fmt::format("{}{}", kEnded, denials_text(jail));
    for (const RecentDenial& each : shown_of(jail))
        text += fmt::format("; {} ({}), {}", denial_text(each.what), reason_name(each.what.reason),
                            times_text(each.seen.count));
    const std::size_t rest = jail.recent_denials.size() - shown_of(jail).size();
    if (rest != 0) text += fmt::format("; and {} more", rest);
    return text;
}

JournalFields journal_fields(const JailSnapshot& jail) {
    JournalFields fields =
        container_fields("ended", jail.metadata ? jail.metadata->mode : Mode::enforce,
                         jail.container_id(), jail.name);
    for (std::size_t reason = 0; reason < jail.denials.size(); ++reason)
        if (jail.denials[reason] != 0)
            fields.push_back(
                {"JAIL_AI_REASON", std::string(reason_name(static_cast<jail_reason>(reason)))});
    for (const RecentDenial& each : shown_of(jail))
        if (std::string destination = destination_of(each.what); !destination.empty())
            fields.push_back({"JAIL_AI_DESTINATION", std::move(destination)});
    fields.push_back({"JAIL_AI_COUNT", fmt::format("{}", all_denials(jail))});
    return fields;
}

std::string denial_sentence(const LogEntry& entry) {
    const auto& [what, seen] = entry.denial;
    return fmt::format(
        "{} {} ({}){}{}", denied_by(entry.mode), denial_text(what), reason_name(what.reason),
        seen.pid == 0 ? "" : fmt::format(" to {}, process {}", quote(comm_of(seen.comm)), seen.pid),
        seen.count == 1 ? "" : ", " + times_text(seen.count));
}

std::string log_to_people(const LogEntry& entry) {
    return fmt::format(
        "{} {:12} {}\n", time_text(entry.real, true),
        entry.container.empty() ? "unknown" : shown_container(entry.container, entry.name),
        denial_sentence(entry));
}

std::string log_to_machines(const LogEntry& entry) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    const auto& [what, seen] = entry.denial;
    writer.StartObject();
    put(writer, "time", time_text(entry.real, true));
    put(writer, "container", printable(entry.container));
    if (!entry.name.empty()) put(writer, "name", entry.name);
    put(writer, "mode", entry.mode == Mode::audit ? "audit" : "enforce");
    put_denial(writer, what, seen.pid, seen.comm);
    if (const std::string destination = destination_of(what); !destination.empty()) {
        put(writer, "destination", destination);
        put(writer, "port", std::uint64_t{what.port});
        put(writer, "protocol", protocol_text(what.protocol));
    }
    put(writer, "count", seen.count);
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
