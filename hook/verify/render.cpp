// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "policy/route_localnet.h"
#include "verify/facts.h"

namespace jail_ai {
namespace {

std::string_view name_of(RequestedMode asks) {
    switch (asks) {
        case RequestedMode::nothing: return "nothing";
        case RequestedMode::off: return "off";
        case RequestedMode::audit: return "audit";
        case RequestedMode::enforce: return "enforce";
        case RequestedMode::unclear: return "unclear";
    }
    return "?";
}

std::string_view asks_of(const SeenContainer& container) {
    return container.unread.empty() ? name_of(container.asks) : "unknown";
}

// By ID and by name, if no other container has the ID, too.
std::string heading_of(const std::string& id, const std::vector<SeenContainer>& containers) {
    if (id.empty()) return "unknown container";
    const auto its = std::ranges::find(containers, id, &SeenContainer::id);
    const bool is_clear = its != containers.end() && !its->name.empty() &&
                          std::ranges::count(containers, id, &SeenContainer::id) == 1;
    return shown_container(id, is_clear ? its->name : "");
}

}  // namespace

std::string verification_to_people(const VerifyFacts& facts, const Findings& findings) {
    std::string text;
    for (const Finding& each : findings)
        text += fmt::format("{}: {}: {}\n", heading_of(each.about, facts.containers), each.what,
                            each.remedy);
    const auto is_free = [&](const SeenContainer& each) { return !is_jailed(each, facts.jails); };
    if (!facts.route_localnet.empty() && std::ranges::any_of(facts.containers, is_free))
        text += fmt::format("{}: {}\n", route_localnet_text(facts.route_localnet),
                            kRouteLocalnetRemedy);
    const auto asking = std::ranges::count_if(facts.containers, wants_jail);
    const auto having = std::ranges::count_if(facts.containers, [&](const SeenContainer& each) {
        return wants_jail(each) && is_jailed(each, facts.jails);
    });
    return printable(text, "\n") +
           fmt::format("containers that must be jailed: {}; jailed: {}\n", asking, having);
}

std::string verification_to_machines(const VerifyFacts& facts, const Findings& findings) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    writer.Key("containers");
    writer.StartArray();
    for (const SeenContainer& each : facts.containers) {
        writer.StartObject();
        put(writer, "container", each.id);
        if (!each.name.empty()) put(writer, "name", each.name);
        put(writer, "runtime", each.runtime);
        put(writer, "owner", std::uint64_t{each.owner});
        put(writer, "pid", static_cast<std::uint64_t>(each.pid));
        put(writer, "asks", asks_of(each));
        writer.Key("jailed");
        writer.Bool(is_jailed(each, facts.jails));
        writer.EndObject();
    }
    writer.EndArray();
    put_findings(writer, findings, "kind", "container");
    put_all(writer, "route_localnet", facts.route_localnet);
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
