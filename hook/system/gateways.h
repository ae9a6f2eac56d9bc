// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The default gateways of a network namespace, read off proc(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix.h"

namespace jail_ai {

// From /proc/PID/net/route: the gateways of routes to 0.0.0.0/0.
std::vector<IpPrefix> default_gateways_v4(std::string_view route);

// From the same: the devices of those routes.
std::vector<std::string> default_devices_v4(std::string_view route);

// From /proc/PID/net/ipv6_route: the next hops of routes to ::/0.
std::vector<IpPrefix> default_gateways_v6(std::string_view ipv6_route);

}  // namespace jail_ai
