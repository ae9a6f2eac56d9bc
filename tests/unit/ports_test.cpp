// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Sets of ports.
#include "policy/ports.h"

#include <doctest/doctest.h>

#include <random>

using namespace jail_ai;

TEST_CASE("ports: merging keeps exactly the same ports, for random sets") {
    std::mt19937 random(4711);
    for (int round = 0; round < 2000; ++round) {
        std::vector<jail_ports> ranges;
        for (auto i = random() % 10; i > 0; --i) {
            const auto first = static_cast<std::uint16_t>(1 + random() % 40);
            ranges.push_back({first, static_cast<std::uint16_t>(first + random() % 10),
                              static_cast<std::uint8_t>(1 + random() % 3), 0});
        }
        const auto merged = merge_ports(ranges);
        CHECK(merged.size() <= 2 * ranges.size());
        for (const int protocol : {JAIL_PORTS_TCP, JAIL_PORTS_UDP}) {
            for (unsigned port = 0; port < 60; ++port) {
                const auto in = [&](const std::vector<jail_ports>& set) {
                    for (const jail_ports& range : set)
                        if ((range.protocols & protocol) != 0 && range.first <= port &&
                            port <= range.last)
                            return true;
                    return false;
                };
                REQUIRE(in(ranges) == in(merged));
            }
        }
    }
}

TEST_CASE("ports: the last port of all touches nothing") {
    const auto merged = merge_ports({{65535, 65535, JAIL_PORTS_TCP, 0},
                                     {1, 1, JAIL_PORTS_TCP, 0},
                                     {2, 65534, JAIL_PORTS_TCP, 0}});
    REQUIRE(merged.size() == 1);
    CHECK(merged[0].first == 1);
    CHECK(merged[0].last == 65535);
}
