// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's verdict, for random policies and destinations, beside a naive reference and the
// compiled policy.
#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "random_policy.h"
#include "test_run.h"

namespace jail_ai::test {

TEST_CASE("the kernel, the compiled policy and a naive reference agree") {
    RandomWorld world(97);
    Programs programs(true);
    int blocked = 0;
    for (int round = 0; round < 1000; ++round) {
        const Request request = world.request();
        const NetworkFacts host = world.host();
        const auto policy = compile_policy(request, host);
        REQUIRE(policy);
        programs.fill(policy->rules);
        for (int i = 0; i < 100; ++i) {
            const Destination to = world.destination();
            const Bytes payload = to.protocol == IPPROTO_TCP ? tcp(to.port, kSyn) : udp(to.port);
            const bool is_v4 = to.address.is_v4();
            const bool passed = programs.passes(
                is_v4 ? v4(to.address, to.protocol, payload) : v6(to.address, to.protocol, payload),
                is_v4 ? ETH_P_IP : ETH_P_IPV6);
            const bool expected = is_blocked_by_reference(request, host, to);
            if (passed == expected)
                FAIL(round << ": " << to.address.to_string() << " port " << to.port << " protocol "
                           << int{to.protocol} << (passed ? ": passed" : ": denied"));
            blocked += expected ? 1 : 0;
        }
    }
    CHECK(blocked > 20000);
}

}  // namespace jail_ai::test
