// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A network as podman keeps it, in a JSON file of /etc/containers/networks (netavark). Needed if
// a container gets its network only after the hook has run: the bridge may not be there yet, and
// its gateway is an address of the host anyway.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"
#include "base/result.h"

namespace jail_ai {

struct PodmanNetwork {
    std::string name;
    std::string device;  // the bridge on the host, may be empty
    bool serves_names;   // podman answers DNS at its gateways
    std::vector<IpPrefix> subnets;
    std::vector<IpPrefix> gateways;
};

// Takes unknown keys; errors (EX_DATAERR) name the key that isn't of its type.
Result<PodmanNetwork> parse_podman_network(std::string_view json);

// The single addresses in quotes of a text that parse_podman_network() doesn't take: among them are
// the gateways that its author meant.
std::vector<IpPrefix> addresses_in(std::string_view text);

}  // namespace jail_ai
