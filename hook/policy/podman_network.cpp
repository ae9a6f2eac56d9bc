// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See podman_network.h.
#include "policy/podman_network.h"

#include <fmt/format.h>

#include "base/quoted.h"
#include "container/json.h"

namespace jail_ai {
namespace {

Result<std::string> text_of(const rapidjson::Value& object, std::string_view key) {
    auto found = find_string(object, key);
    if (!found) return std::move(found).error();
    return std::string(*found == nullptr ? std::string_view() : string_of(**found));
}

Result<bool> truth_of(const rapidjson::Value& object, std::string_view key) {
    auto found = find_member(object, key);
    if (!found) return std::move(found).error();
    if (*found == nullptr) return false;
    if (!(**found).IsBool()) return Error{EX_DATAERR, fmt::format("{} is {}, not true or false", quoted(key), kind_of(**found))};
    return (**found).GetBool();
}

// Nothing where the subnet has no gateway.
Result<std::optional<IpPrefix>> gateway_of(const rapidjson::Value& subnet) {
    if (!subnet.IsObject()) return Error{EX_DATAERR, fmt::format("a subnet is {}, not an object", kind_of(subnet))};
    auto written = text_of(subnet, "gateway");
    if (!written) return std::move(written).error();
    if (written->empty()) return std::optional<IpPrefix>();
    const auto address = IpPrefix::parse(*written);
    if (!address || !address->is_single()) return Error{EX_DATAERR, fmt::format("gateway {} is no address", quoted(*written))};
    return std::optional(*address);
}

}  // namespace

Result<PodmanNetwork> parse_podman_network(std::string_view json) {
    auto document = parse_json_object(json);
    if (!document) return std::move(document).error();
    auto name = text_of(*document, "name");
    if (!name) return std::move(name).error();
    auto device = text_of(*document, "network_interface");
    if (!device) return std::move(device).error();
    auto serves_names = truth_of(*document, "dns_enabled");
    if (!serves_names) return std::move(serves_names).error();
    auto subnets = find_array(*document, "subnets");
    if (!subnets) return std::move(subnets).error();
    PodmanNetwork network{std::move(*name), std::move(*device), *serves_names, {}};
    if (*subnets == nullptr) return network;
    for (const auto& subnet : (**subnets).GetArray()) {
        auto gateway = gateway_of(subnet);
        if (!gateway) return std::move(gateway).error();
        if (*gateway) network.gateways.push_back(**gateway);
    }
    return network;
}

}  // namespace jail_ai
