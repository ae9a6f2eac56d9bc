// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What "explain" says of a destination: the verdict of the compiled policy, and the rule that
// decides.
#include "policy/evaluate.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include "random_policy.h"

using namespace jail_ai;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

Rules some_rules() {
    const auto settings =
        parse_settings({{"--allow", "host:80 10.9.0.1:53/udp"}, {"--also", "10.9.0.0/16"}}).value();
    const NetworkFacts host{{{prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"}},
                            false,
                            {},
                            {},
                            {},
                            {prefix("10.9.0.5")}};
    return compile_policy({Mode::enforce,
                           Dns::automatic,
                           OnFailure::refuse,
                           settings.allow,
                           settings.also,
                           {}},
                          host)
        ->rules;
}

// "blocked by PREFIX", "own by PREFIX", "passes by PREFIX" or "passes"
std::string told(const Rules& rules, const char* address, std::uint8_t protocol = 0,
                 std::uint16_t port = 0) {
    const Evaluation evaluation = evaluate(rules, prefix(address), protocol, port);
    std::string text = evaluation.is_container_local() ? "own"
                       : evaluation.denied             ? "blocked"
                                                       : "passes";
    if (evaluation.form) text += " as " + evaluation.form->to_string();
    if (evaluation.prefix != nullptr) text += " by " + evaluation.prefix->to_string();
    return text;
}

}  // namespace

TEST_CASE("evaluate: the rule of the longest prefix decides, and is named") {
    const Rules rules = some_rules();
    CHECK(told(rules, "198.51.100.7") == "blocked by 198.51.100.7");
    CHECK(told(rules, "198.51.100.7", IPPROTO_TCP, 80) == "passes by 198.51.100.7");
    CHECK(told(rules, "198.51.100.7", IPPROTO_UDP, 80) == "blocked by 198.51.100.7");
    CHECK(told(rules, "10.9.0.1", IPPROTO_UDP, 53) == "passes by 10.9.0.1");
    CHECK(told(rules, "10.9.7.7") == "blocked by 10.9.0.0/16");
    CHECK(told(rules, "10.9.0.5") == "own by 10.9.0.5");
    CHECK(told(rules, "203.0.113.1") == "passes");
}

TEST_CASE("evaluate: IPv4 inside of IPv6 decides where the address as it stands passes") {
    const Rules rules = some_rules();
    CHECK(told(rules, "64:ff9b::198.51.100.7") == "blocked as 198.51.100.7 by 198.51.100.7");
    CHECK(told(rules, "64:ff9b::198.51.100.7", IPPROTO_TCP, 80) ==
          "passes as 198.51.100.7 by 198.51.100.7");
    CHECK(told(rules, "2002:a09:707::1") == "blocked as 10.9.7.7 by 10.9.0.0/16");
    CHECK(told(rules, "64:ff9b::10.9.0.5") == "own as 10.9.0.5 by 10.9.0.5");
    CHECK(told(rules, "64:ff9b::203.0.113.1") == "passes");
}

TEST_CASE("evaluate: for random policies it says what a naive reference says") {
    test::RandomWorld world(41);
    int blocked = 0;
    for (int round = 0; round < 500; ++round) {
        const Request request = world.request();
        const NetworkFacts host = world.host();
        const auto policy = compile_policy(request, host);
        REQUIRE(policy);
        for (int i = 0; i < 20; ++i) {
            const test::Destination to = world.destination();
            const bool expected = test::is_blocked_by_reference(request, host, to);
            CHECK(evaluate(policy->rules, to.address, to.protocol, to.port).denied == expected);
            blocked += expected ? 1 : 0;
        }
    }
    CHECK(blocked > 1000);
}
