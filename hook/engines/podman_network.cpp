// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/podman_network.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "container/json.h"

namespace jail_ai {
namespace {

Result<bool> truth_of(const rapidjson::Value& object, std::string_view key) {
    auto found = TRY(find_member(object, key));
    if (found == nullptr) return false;
    if (!found->IsBool())
        return Error{EX_DATAERR,
                     fmt::format("{} is {}, not true or false", quote(key), kind_of(*found))};
    return found->GetBool();
}

// The prefix at the key, pushed to `into`; nothing if the key is missing.
Status take_prefix(const rapidjson::Value& subnet, std::string_view key, bool is_address,
                   std::vector<IpPrefix>& into) {
    if (!subnet.IsObject())
        return Error{EX_DATAERR, fmt::format("a subnet is {}, not an object", kind_of(subnet))};
    auto written = TRY(string_or_empty(subnet, key));
    if (written.empty()) return ok();
    const auto prefix = IpPrefix::parse(written);
    if (!prefix || (is_address && !prefix->is_single()))
        return Error{EX_DATAERR, fmt::format("{} {}: not {}", key, quote(written),
                                             is_address ? "an address" : "a prefix")};
    into.push_back(*prefix);
    return ok();
}

}  // namespace

Result<PodmanNetwork> parse_podman_network(std::string_view json) {
    auto document = TRY(parse_json_object(json));
    auto name = TRY(string_or_empty(document, "name"));
    auto device = TRY(string_or_empty(document, "network_interface"));
    auto serves_names = TRY(truth_of(document, "dns_enabled"));
    auto subnets = TRY(find_array(document, "subnets"));
    PodmanNetwork network{std::move(name), std::move(device), serves_names, {}, {}};
    if (subnets == nullptr) return network;
    for (const auto& subnet : subnets->GetArray()) {
        TRY(take_prefix(subnet, "subnet", false, network.subnets));
        TRY(take_prefix(subnet, "gateway", true, network.gateways));
    }
    return network;
}

std::vector<IpPrefix> addresses_in(std::string_view text) {
    std::vector<IpPrefix> addresses;
    for (std::size_t at = text.find('"'); at != std::string_view::npos;
         at = text.find('"', at + 1)) {
        const std::string_view rest = text.substr(at + 1);
        const auto address = IpPrefix::parse(rest.substr(0, rest.find('"')));
        if (address && address->is_single()) addresses.push_back(*address);
    }
    return addresses;
}

}  // namespace jail_ai
