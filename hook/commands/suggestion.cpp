// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/suggestion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>

#include "base/quote.h"
#include "commands/denial_text.h"
#include "container/container_id.h"
#include "container/json_writer.h"
#include "container/setting_values.h"
#include "policy/evaluate.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

constexpr std::string_view kNotAllowed = "no annotation allows it";

// Where something was denied, in the order in which ports in a row follow each other.
struct Place {
    IpPrefix address;
    std::uint8_t protocol;
    std::uint16_t port;

    auto operator<=>(const Place&) const = default;
};

std::optional<Place> place_of(const jail_denial& what) {
    const auto address = IpPrefix::parse(destination_of(what));
    const bool has_port = what.protocol == IPPROTO_TCP || what.protocol == IPPROTO_UDP;
    if (!address || !has_port || what.port == 0) return std::nullopt;
    return Place{*address, what.protocol, what.port};
}

std::string item_text(const Place& first, std::uint16_t last) {
    const std::string address = first.address.to_string();
    return fmt::format("{}:{}{}{}", first.address.is_v4() ? address : "[" + address + "]",
                       first.port, last == first.port ? "" : fmt::format("-{}", last),
                       first.protocol == IPPROTO_UDP ? "/udp" : "");
}

jail_reason reason_of(const RecentDenial& denial) {
    return static_cast<jail_reason>(denial.what.reason);
}

// Empty where it can be suggested.
std::string why_left(const RecentDenial& denial) {
    if (!place_of(denial.what)) return std::string(kNotAllowed);
    if (reason_of(denial) == JAIL_REASON_METADATA)
        return "it gives out credentials of this machine";
    return "";
}

using Denials = std::map<Place, const RecentDenial*>;

std::vector<SuggestedItem> items_of(const Denials& denials) {
    std::vector<SuggestedItem> items;
    for (auto at = denials.begin(); at != denials.end();) {
        const Place first = at->first;
        const RecentDenial* latest = at->second;
        std::uint64_t count = 0;
        std::uint32_t port = first.port;
        for (; at != denials.end() &&
               at->first == Place{first.address, first.protocol, static_cast<std::uint16_t>(port)};
             ++at, ++port) {
            count += at->second->seen.count;
            if (at->second->seen.last > latest->seen.last) latest = at->second;
        }
        items.push_back({item_text(first, static_cast<std::uint16_t>(port - 1)), reason_of(*latest),
                         count, latest->seen.pid == 0 ? "" : comm_of(latest->seen.comm)});
    }
    return items;
}

std::string value_of(const Request& request, const std::vector<SuggestedItem>& items) {
    std::vector<std::string_view> words;
    for (const AllowRule& rule : request.allow) words.push_back(rule.text);
    for (const SuggestedItem& item : items) words.push_back(item.text);
    return fmt::format("{}", fmt::join(words, " "));  // podman 4.3 splits at commas
}

// The policy with them.
Result<Policy> compile_with(const std::vector<SuggestedItem>& items, PolicyInputs inputs) {
    for (const SuggestedItem& item : items)
        inputs.request.allow.push_back(TRY(parse_exception(item.text)));
    return compile_policy(inputs.request, inputs.host);
}

bool is_denied(const Policy& policy, const Place& place) {
    return evaluate(policy.rules, place.address, place.protocol, place.port).denied;
}

std::string item_line(const SuggestedItem& item, Mode mode) {
    return fmt::format("  {}  {} ({}), {}{}\n", item.text, denied_by(mode),
                       reason_name(item.reason), times_text(item.count),
                       item.comm.empty() ? "" : ", last to " + quote(item.comm));
}

std::string to_paste(const std::string& allow) {
    const std::string key = fmt::format("{}.allow", kBlockHost);
    return fmt::format(
        "create the container again with:\n"
        "podman, docker:  --annotation '{0}={1}'\n"
        "quadlet:         Annotation=\"{0}={1}\"\n"
        "compose, kube:   {0}: \"{1}\"\n",
        key, allow);
}

}  // namespace

Result<Suggestion> suggest(const JailSnapshot& jail, const PolicyInputs& inputs) {
    Suggestion suggestion;
    suggestion.container = jail.container_id();
    suggestion.name = jail.name;
    suggestion.mode = inputs.request.mode;
    const auto leave = [&](const RecentDenial& denial, std::string why) {
        suggestion.left.push_back({denial_text(denial.what), std::move(why), denial.seen.count});
    };
    const auto now = TRY(compile_policy(inputs.request, inputs.host));
    Denials denials;
    for (const RecentDenial& denial : jail.recent_denials) {
        const auto place = place_of(denial.what);
        if (place && !is_denied(now, *place)) continue;
        if (std::string why = why_left(denial); !why.empty())
            leave(denial, std::move(why));
        else
            denials.emplace(*place, &denial);
    }
    // Of a loopback, for one, it is what leaves by a device that was denied, whatever the port.
    const auto wanted = TRY(compile_with(items_of(denials), inputs));
    std::erase_if(denials, [&](const auto& each) {
        const bool stays = is_denied(wanted, each.first);
        if (stays) leave(*each.second, std::string(kNotAllowed));
        return stays;
    });
    suggestion.items = items_of(denials);
    if (!suggestion.items.empty()) suggestion.allow = value_of(inputs.request, suggestion.items);
    return suggestion;
}

std::string suggestions_to_people(const std::vector<Suggestion>& suggestions) {
    std::string text;
    for (const Suggestion& each : suggestions) {
        if (!text.empty()) text += "\n";
        text += (each.container.empty() ? "unknown container"
                                        : shown_container(each.container, each.name)) +
                ": ";
        if (each.items.empty())
            text += "nothing to allow\n";
        else
            text += fmt::format(
                "to allow what {} denied, and nothing else, for every process of the container:\n",
                each.mode == Mode::audit ? "would have been" : "was");
        for (const SuggestedItem& item : each.items) text += item_line(item, each.mode);
        if (!each.items.empty()) text += to_paste(each.allow);
        for (const LeftDenied& left : each.left)
            text += fmt::format("not suggested: {}, {}: {}\n", left.what, times_text(left.count),
                                left.why);
    }
    return printable(text.empty() ? std::string(kNoJail) : text, "\n");
}

std::string suggestions_to_machines(const std::vector<Suggestion>& suggestions) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartArray();
    for (const Suggestion& each : suggestions) {
        writer.StartObject();
        put(writer, "container", printable(each.container));
        if (!each.name.empty()) put(writer, "name", each.name);
        writer.Key("annotations");
        writer.StartObject();
        if (!each.allow.empty()) put(writer, fmt::format("{}.allow", kBlockHost), each.allow);
        writer.EndObject();
        writer.Key("items");
        writer.StartArray();
        for (const SuggestedItem& item : each.items) {
            writer.StartObject();
            put(writer, "allow", item.text);
            put(writer, "reason", reason_name(item.reason));
            put(writer, "count", item.count);
            if (!item.comm.empty()) put(writer, "comm", printable(item.comm));
            writer.EndObject();
        }
        writer.EndArray();
        writer.Key("left");
        writer.StartArray();
        for (const LeftDenied& left : each.left) {
            writer.StartObject();
            put(writer, "what", left.what);
            put(writer, "why", left.why);
            put(writer, "count", left.count);
            writer.EndObject();
        }
        writer.EndArray();
        writer.EndObject();
    }
    writer.EndArray();
    return line_of(buffer);
}

}  // namespace jail_ai
