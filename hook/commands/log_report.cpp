// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/log_report.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "commands/denial_text.h"
#include "container/json_writer.h"
#include "policy/reason.h"

namespace jail_ai {

std::string refusal_sentence(const LogEntry& entry) {
    const jail_event& event = entry.event;
    return fmt::format(
        "{} {} ({}){}{}", denied_by(entry.mode), denial_text(event.what),
        reason_name(event.what.reason),
        event.pid == 0 ? ""
                       : fmt::format(" to {}, process {}", quote(comm_of(event.comm)), event.pid),
        entry.count == 1 ? "" : fmt::format(", {} times", entry.count));
}

std::string log_to_people(const LogEntry& entry) {
    const std::string_view container =
        entry.container.empty() ? "unknown" : entry.container.substr(0, 12);
    return fmt::format("{} {:12} {}\n", time_text(entry.real, true), printable(container),
                       refusal_sentence(entry));
}

std::string log_to_machines(const LogEntry& entry) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    const jail_event& event = entry.event;
    writer.StartObject();
    put(writer, "time", time_text(entry.real, true));
    put(writer, "container", printable(entry.container));
    put(writer, "mode", entry.mode == Mode::audit ? "audit" : "enforce");
    put_refusal(writer, event.what, event.pid, event.comm);
    if (const std::string destination = destination_of(event.what); !destination.empty()) {
        put(writer, "destination", destination);
        put(writer, "port", std::uint64_t{event.what.port});
        put(writer, "protocol", protocol_text(event.what.protocol));
    }
    put(writer, "count", entry.count);
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
