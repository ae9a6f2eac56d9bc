// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// bpf/verdict.h, compiled as C++: the very code that the programs run, with a policy compiled in
// userspace behind it.
#include <doctest/doctest.h>

#include "policy/policy.h"
#include "random_policy.h"

#include "bpf/verdict.h"

JAIL_INLINE const jail_rule* jail_lookup(const void* rules, const jail_key* key) {
    CHECK(key->prefix_bits == 128);
    const auto address = jail_ai::IpPrefix::from_bytes(std::span(key->addr), 128);
    const jail_ai::Rule* rule =
        jail_ai::find_rule(*static_cast<const jail_ai::Rules*>(rules), *address);
    return rule == nullptr ? nullptr : &rule->value;
}

namespace {

int evaluate(const jail_ai::Rules& rules, const char* text, std::uint8_t protocol = IPPROTO_TCP,
             std::uint16_t port = 80) {
    const jail_key key = jail_ai::IpPrefix::parse(text).value().key();
    return jail_evaluate(&rules, &key, protocol, port);
}

jail_ai::Rules rules_of(std::initializer_list<std::pair<const char*, jail_rule>> list) {
    jail_ai::Rules out;
    for (const auto& [prefix, rule] : list)
        out.emplace(jail_ai::IpPrefix::parse(prefix).value(), jail_ai::Rule{rule, ""});
    return out;
}

constexpr jail_rule block(jail_reason reason) {
    return {static_cast<__u8>(reason), {}, {}, {}};
}

}  // namespace

TEST_CASE("verdict: what no rule holds passes, the longest prefix decides") {
    jail_rule open = block(JAIL_REASON_LOCAL);
    open.ports[0] = {0, 65535, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
    const auto local = rules_of({{"10.0.0.0/8", block(JAIL_REASON_LOCAL)},
                                 {"10.1.0.0/16", open},
                                 {"10.1.2.3", block(JAIL_REASON_HOSTS_FILE)},
                                 {"fd00::/16", block(JAIL_REASON_ALIAS)}});
    CHECK(evaluate(local, "192.0.2.1") == JAIL_VERDICT_PASS);
    CHECK(evaluate(local, "10.0.0.1") == JAIL_REASON_LOCAL);
    CHECK(evaluate(local, "10.1.0.1") == JAIL_VERDICT_PASS);
    CHECK(evaluate(local, "10.1.2.3") == JAIL_REASON_HOSTS_FILE);
    CHECK(evaluate(local, "fd00::1") == JAIL_REASON_ALIAS);
    CHECK(evaluate(local, "fd01::1") == JAIL_VERDICT_PASS);
}

TEST_CASE("verdict: IPv4 in every IPv6 disguise is checked as IPv4") {
    const auto local = rules_of(
        {{"192.0.2.1", block(JAIL_REASON_LOCAL)}, {"0.0.0.0/8", block(JAIL_REASON_UNSPECIFIED)}});
    for (const char* disguise :
         {"::ffff:192.0.2.1", "::192.0.2.1", "::ffff:0:192.0.2.1", "64:ff9b::192.0.2.1",
          "64:ff9b:1::192.0.2.1", "64:ff9b:1:fffe::192.0.2.1",
          "2002:c000:0201::", "2002:c000:0201:1:2:3:4:5",
          // RFC 6052 2.2, behind 48, 56 and 64 bits
          "64:ff9b:1:c000:2:100::", "64:ff9b:1:c000:2:100:7:7",
          "64:ff9b:1:aac0:0:201::", "64:ff9b:1:aabb:c0:2:100::"})
        CHECK_MESSAGE(evaluate(local, disguise) == JAIL_REASON_LOCAL, disguise);
    for (const char* other :
         {"::ffff:192.0.2.2", "::192.0.2.2", "64:ff9b::192.0.2.2", "64:ff9b:2::192.0.2.1",
          "2002:c000:0202::", "2003:c000:0201::", "::1:192.0.2.1", "1::192.0.2.1",
          "::fffe:192.0.2.1", "64:ff9c::192.0.2.1", "::1",
          "::", "64:ff9b:1:c000:2:200::", "64:ff9b:1:aac0:0:202::", "64:ff9b:1:aabb:c0:2:200::",
          "64:ff9b:2:c000:2:100::", "64:ff9b:1::"})
        CHECK_MESSAGE(evaluate(local, other) == JAIL_VERDICT_PASS, other);
    CHECK(evaluate(local, "::2") == JAIL_REASON_UNSPECIFIED);
}

TEST_CASE(
    "verdict: an IPv6 address of the host that happens to be a disguise is denied as it stands") {
    const auto local = rules_of({{"2002:c000:0201::1", block(JAIL_REASON_LOCAL)},
                                 {"64:ff9b::/96", block(JAIL_REASON_ALIAS)}});
    CHECK(evaluate(local, "2002:c000:0201::1") == JAIL_REASON_LOCAL);
    CHECK(evaluate(local, "2002:c000:0201::2") == JAIL_VERDICT_PASS);
    CHECK(evaluate(local, "64:ff9b::198.51.100.1") == JAIL_REASON_ALIAS);
    CHECK(evaluate(local, "198.51.100.1") == JAIL_VERDICT_PASS);
}

TEST_CASE(
    "verdict: port ranges pass for their protocol, both ends included, and for nothing else") {
    jail_rule rule = block(JAIL_REASON_LOCAL);
    rule.ports[0] = {53, 53, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
    rule.ports[JAIL_MAX_PORTS - 1] = {8000, 8010, JAIL_PORTS_TCP, 0};
    const auto local = rules_of({{"192.0.2.1", rule}});
    CHECK(evaluate(local, "192.0.2.1", IPPROTO_TCP, 53) == JAIL_VERDICT_PASS);
    CHECK(evaluate(local, "192.0.2.1", IPPROTO_UDP, 53) == JAIL_VERDICT_PASS);
    CHECK(evaluate(local, "192.0.2.1", IPPROTO_UDP, 8000) == JAIL_REASON_LOCAL);
    for (const std::uint16_t port : std::to_array<std::uint16_t>({8000, 8005, 8010}))
        CHECK(evaluate(local, "192.0.2.1", IPPROTO_TCP, port) == JAIL_VERDICT_PASS);
    for (const std::uint16_t port : std::to_array<std::uint16_t>({0, 52, 54, 7999, 8011, 65535}))
        CHECK(evaluate(local, "192.0.2.1", IPPROTO_TCP, port) == JAIL_REASON_LOCAL);
    for (const std::uint8_t protocol : std::to_array<std::uint8_t>({0, 1, 58, 132, 136, 255}))
        CHECK(evaluate(local, "192.0.2.1", protocol, 53) == JAIL_REASON_LOCAL);
}

TEST_CASE(
    "verdict: compiled policies say what a naive reference says, for random policies and "
    "destinations") {
    jail_ai::test::RandomWorld world(20261124);
    int blocked = 0;
    int opened = 0;
    for (int round = 0; round < 2500; ++round) {
        const jail_ai::Request request = world.request();
        const jail_ai::NetworkFacts host = world.host();
        const auto policy = jail_ai::compile_policy(request, host);
        REQUIRE(policy);
        for (int i = 0; i < 40; ++i) {
            const auto to = world.destination();
            const bool expected = jail_ai::test::is_blocked_by_reference(request, host, to);
            const bool actual = jail_evaluate(&policy->rules, &to.address.key(), to.protocol,
                                              to.port) != JAIL_VERDICT_PASS;
            if (actual != expected)
                FAIL(round << ": " << to.address.to_string() << " port " << to.port << " protocol "
                           << int{to.protocol});
            blocked += expected ? 1 : 0;
            opened += !expected && jail_ai::find_rule(policy->rules, to.address) != nullptr ? 1 : 0;
        }
    }
    // The world is one in which there is something to get wrong.
    CHECK(blocked > 20000);
    CHECK(opened > 400);
}

TEST_CASE("verdict: a value that was never filled in denies") {
    const auto local = rules_of({{"192.0.2.1", jail_rule{}}, {"192.0.2.2", {250, {}, {}, {}}}});
    CHECK(evaluate(local, "192.0.2.1") == JAIL_REASON_LOCAL);
    CHECK(evaluate(local, "192.0.2.1", IPPROTO_TCP, 0) == JAIL_REASON_LOCAL);
    CHECK(evaluate(local, "192.0.2.2") == JAIL_REASON_MALFORMED_PACKET);
}
