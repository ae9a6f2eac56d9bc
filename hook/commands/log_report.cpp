// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/log_report.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "commands/denial_text.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "policy/reason.h"

namespace jail_ai {

std::string denial_sentence(const LogEntry& entry) {
    const jail_event& event = entry.event;
    return fmt::format(
        "{} {} ({}){}{}", denied_by(entry.mode), denial_text(event.what),
        reason_name(event.what.reason),
        event.pid == 0 ? ""
                       : fmt::format(" to {}, process {}", quote(comm_of(event.comm)), event.pid),
        entry.count == 1 ? "" : fmt::format(", {} times", entry.count));
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
    const jail_event& event = entry.event;
    writer.StartObject();
    put(writer, "time", time_text(entry.real, true));
    put(writer, "container", printable(entry.container));
    if (!entry.name.empty()) put(writer, "name", entry.name);
    put(writer, "mode", entry.mode == Mode::audit ? "audit" : "enforce");
    put_denial(writer, event.what, event.pid, event.comm);
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
