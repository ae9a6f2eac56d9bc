// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/rejection_report.h"

#include <fmt/format.h>

#include <utility>

#include "container/json_writer.h"

namespace jail_ai {
namespace {

std::optional<Rejection> rejection_of(const LoggedLine& line) {
    std::string_view message = line.message;
    const bool rejected = message.starts_with(kRejected);
    if (rejected) message.remove_prefix(kRejected.size());
    Rejection rejection{line.time, take_container(message), {}, false, line.uid};
    rejection.started =
        message.starts_with("STARTS UNPROTECTED") || message.starts_with("STARTS AS IT IS");
    if (!rejected && !rejection.started) return std::nullopt;
    rejection.reason = message;
    return rejection;
}

}  // namespace

std::vector<Rejection> rejections(const std::vector<LoggedLine>& lines) {
    std::vector<Rejection> found;
    for (const LoggedLine& line : lines)
        if (auto rejection = rejection_of(line)) found.push_back(std::move(*rejection));
    return found;
}

std::string rejection_to_people(const Rejection& rejection) {
    const std::string whose = rejection.uid && *rejection.uid != 0
                                  ? fmt::format(" (uid {})", *rejection.uid)
                                  : std::string();
    return logged_to_people(rejection.time, whose, rejection.container, rejection.reason);
}

std::string rejection_to_machines(const Rejection& rejection) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "time", rejection.time);
    if (!rejection.container.id.empty()) put(writer, "container", rejection.container.id);
    if (!rejection.container.name.empty()) put(writer, "name", rejection.container.name);
    writer.Key("started");
    writer.Bool(rejection.started);
    put(writer, "message", rejection.reason);
    if (rejection.uid) put(writer, "uid", std::uint64_t{*rejection.uid});
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
