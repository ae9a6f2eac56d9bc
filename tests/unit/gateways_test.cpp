// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Default gateways, from what proc(5) prints.
#include "system/gateways.h"

#include <doctest/doctest.h>

#include <bit>

using namespace jail_ai;

TEST_CASE("gateways: IPv4") {
    const auto gateways = default_gateways_v4(
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010058C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t00000000\t020058C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"
        "eth0\t000058C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
    REQUIRE(gateways.size() == 1);
    CHECK(gateways[0].to_string() ==
          (std::endian::native == std::endian::little ? "192.88.0.1" : "1.0.88.192"));
    CHECK(default_gateways_v4("").empty());
}

TEST_CASE("gateways: IPv6") {
    const auto gateways = default_gateways_v6(
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fd000000000000000000000000000001 00000400 00000001 00000000 "
        "00000003 eth0\n"
        "fd000000000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000000 "
        "00000001 eth0\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 ffffffff 00000001 00000000 "
        "00200200 lo\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "zz000000000000000000000000000001 00000400 00000001 00000000 "
        "00000003 eth0\n");
    REQUIRE(gateways.size() == 1);
    CHECK(gateways[0].to_string() == "fd00::1");
}
