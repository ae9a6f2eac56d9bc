// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Addresses of a network namespace, from what proc(5) prints.
#include "system/container_addresses.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace jail_ai;

namespace {

std::string listed(const std::vector<IpPrefix>& addresses) {
    std::string text;
    for (const IpPrefix& address : addresses) text += address.to_string() + " ";
    return text;
}

constexpr std::string_view kTrie =
    "Main:\n"
    "  +-- 0.0.0.0/1 2 0 2\n"
    "     +-- 10.3.0.0/24 2 0 2\n"
    "        +-- 10.3.0.0/30 2 0 2\n"
    "           |-- 10.3.0.0\n"
    "              /24 link UNICAST\n"
    "           |-- 10.3.0.2\n"
    "              /32 host LOCAL\n"
    "        |-- 10.3.0.255\n"
    "           /32 link BROADCAST\n"
    "     |-- 127.0.0.0\n"
    "        /8 host LOCAL\n"
    "     |-- 127.0.0.1\n"
    "        /32 host LOCAL\n"
    "Local:\n"
    "  |-- 10.3.0.2\n"
    "     /32 host LOCAL\n"
    "  |-- 192.0.2.0\n"
    "     /24 universe UNICAST\n"
    "     /32 host LOCAL\n";

}  // namespace

TEST_CASE("own addresses: IPv4, once, without loopback") {
    CHECK(listed(container_addresses_v4(kTrie)) == "10.3.0.2 192.0.2.0 ");
    for (const char* nothing : {"", "/32 host LOCAL", "|-- nonsense\n/32 host LOCAL",
                                "|-- 10.0.0.1\n/32 link BROADCAST", "|-- 10.0.0.1"})
        CHECK(container_addresses_v4(nothing).empty());
}

TEST_CASE("own addresses: IPv6, without loopback") {
    CHECK(
        listed(container_addresses_v6("00000000000000000000000000000001 01 80 10 80       lo\n"
                                      "fe8000000000000050132bfffe81f69e 03 40 20 c0        v\n"
                                      "fd000000000000000000000000000002 03 40 00 80     eth0\n")) ==
        "fe80::5013:2bff:fe81:f69e fd00::2 ");
    for (const char* nothing : {"", "fd00", "fd0000000000000000000000000000zz 03 40 00 80 eth0",
                                "fd00000000000000000000000000000203 40 00 80 eth0"})
        CHECK(container_addresses_v6(nothing).empty());
}
