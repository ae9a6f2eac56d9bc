// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is asked is written as annotations have it, and read by the same grammar.
#include "policy/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/lines.h"
#include "base/quote.h"
#include "container/settings.h"

namespace jail_ai {
namespace {

struct AddressList {
    std::string_view key;
    std::vector<IpPrefix> NetworkFacts::*list;
};
constexpr std::array kAddressLists =
    std::to_array<AddressList>({{"named", &NetworkFacts::named},
                                {"name-server", &NetworkFacts::name_servers},
                                {"gateway", &NetworkFacts::gateways},
                                {"mapped", &NetworkFacts::mapped},
                                {"own", &NetworkFacts::container_addresses}});

struct Mark {
    std::string_view key;
    bool NetworkFacts::*mark;
};
constexpr std::array kMarks =
    std::to_array<Mark>({{"shares-network", &NetworkFacts::shares_network},
                         {"network-follows", &NetworkFacts::network_is_deferred},
                         {"may-copy-host", &NetworkFacts::may_copy_host}});

constexpr std::string_view kComing = "coming";

// A name of an engine's file, which need not be one that an interface could have.
std::string one_line(std::string name) {
    std::ranges::replace(name, '\n', '?');
    return name;
}

Status read_line(std::string_view key, std::string_view value, PolicyInputs& inputs,
                 std::vector<RawSetting>& written) {
    if (key.starts_with(kAnnotationPrefix)) {
        written.emplace_back(key, value);
        return ok();
    }
    for (const Mark& mark : kMarks) {
        if (mark.key != key) continue;
        inputs.host.*mark.mark = true;
        return ok();
    }
    const auto address = IpPrefix::parse(value.substr(0, value.find(' ')));
    const auto* list = std::ranges::find(kAddressLists, key, &AddressList::key);
    if (!address || (list == kAddressLists.end() && key != kComing))
        return Error{EX_DATAERR, fmt::format("{} {}", quote(key), quote(value))};
    if (list != kAddressLists.end())
        (inputs.host.*list->list).push_back(*address);
    else
        inputs.host.predicted_routes.push_back(
            {*address, JAIL_REASON_LOCAL,
             std::string(value.substr(std::min(value.find(' '), value.size() - 1) + 1))});
    return ok();
}

}  // namespace

Result<std::string> write_inputs(const PolicyInputs& inputs) {
    std::string text;
    for (const auto& [key, value] : policy_settings(inputs.request))
        text += fmt::format("{} {}\n", key, value);
    for (const AddressList& list : kAddressLists) {
        const auto& addresses = inputs.host.*list.list;
        for (const IpPrefix& address : std::set<IpPrefix>(addresses.begin(), addresses.end()))
            text += fmt::format("{} {}\n", list.key, address.to_string());
    }
    for (const Mark& mark : kMarks)
        if (inputs.host.*mark.mark) text += fmt::format("{} yes\n", mark.key);
    for (const LocalRoute& route : inputs.host.predicted_routes)
        text +=
            fmt::format("{} {} {}\n", kComing, route.prefix.to_string(), one_line(route.device));
    if (text.size() > kMaxInputsBytes)
        return Error{
            EX_UNAVAILABLE,
            fmt::format("more than {} bytes of settings, names and resolvers to keep with a jail",
                        kMaxInputsBytes)};
    return text;
}

Result<PolicyInputs> read_inputs(std::string_view text) {
    PolicyInputs inputs{};
    std::vector<RawSetting> written;
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) return Error{EX_DATAERR, quote(line)};
        TRY(read_line(line.substr(0, space), line.substr(space + 1), inputs, written));
    }
    auto settings = TRY(parse_settings(written));
    inputs.request = TRY(join_settings({}, settings));
    return inputs;
}

}  // namespace jail_ai
