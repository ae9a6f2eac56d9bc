// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What doctor and verify say of interfaces by which the host takes packets for 127.0.0.0/8. Pure.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

namespace jail_ai {

inline std::string route_localnet_text(const std::vector<std::string>& interfaces) {
    return fmt::format(
        "{}: route_localnet=1: containers that aren't jailed reach 127.0.0.1 of the host by it",
        fmt::join(interfaces, ", "));
}

inline constexpr std::string_view kRouteLocalnetRemedy =
    "jail them; or sysctl net.ipv4.conf.INTERFACE.route_localnet=0, where no published port needs "
    "it";

}  // namespace jail_ai
