// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Exchanging rules while the programs look them up: what both sets block is blocked at every step
// of the way.
#include "policy/transition.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cstring>

#include "policy/evaluate.h"
#include "random_policy.h"

using namespace jail_ai;
using test::Destination;
using test::RandomWorld;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

Rules compiled(RandomWorld& world) {
    while (true)
        if (auto policy = compile_policy(world.request(), world.host())) return policy->rules;
}

// NAT64's form of an IPv4 prefix: of such an address two lookups decide.
IpPrefix translated(const IpPrefix& v4) {
    std::uint8_t bytes[16] = {0, 0x64, 0xff, 0x9b};
    std::memcpy(bytes + 12, v4.key().addr + 12, 4);
    return *IpPrefix::from_bytes(bytes, v4.key().prefix_bits);
}

constexpr jail_rule kBlock{};
// What passes but for ICMP and the like.
constexpr jail_rule kOpen{0, 0, {}, {{0, 65535, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0}}};

IpPrefix some_prefix(RandomWorld& world) {
    const IpPrefix prefix = world.prefix(false);
    return prefix.is_v4() && world.below(2) == 0 ? translated(prefix) : prefix;
}

// Rules that no policy compiles to, but that a map may hold: they pass, overlap, and have ports of
// all kinds.
Rules arbitrary(RandomWorld& world) {
    Rules rules;
    for (unsigned i = world.below(12); i > 0; --i) {
        jail_rule rule = world.below(3) == 0 ? kOpen : kBlock;
        rule.container_local = static_cast<std::uint8_t>(world.below(2));
        for (unsigned range = world.below(JAIL_MAX_PORTS + 1); range > 0; --range) {
            const std::uint16_t first = world.port();
            rule.ports[range - 1] = {first, static_cast<std::uint16_t>(first + world.below(4)),
                                     static_cast<std::uint8_t>(1 + world.below(3)), 0};
        }
        rules.insert_or_assign(some_prefix(world), Rule{rule, {}});
    }
    return rules;
}

Destination some_destination(RandomWorld& world) {
    Destination destination = world.destination();
    if (destination.address.is_v4() && world.below(2) == 0)
        destination.address = translated(destination.address);
    return destination;
}

void apply(Rules& rules, const RuleStep& step) {
    if (step.put)
        rules.insert_or_assign(step.prefix, Rule{*step.put, {}});
    else
        REQUIRE(rules.erase(step.prefix) == 1);
}

bool same(const Rules& a, const Rules& b) {
    return std::ranges::equal(a, b, [](const auto& left, const auto& right) {
        return left.first == right.first &&
               std::memcmp(&left.second.value, &right.second.value, sizeof(jail_rule)) == 0;
    });
}

bool blocks(const Rules& rules, const Destination& destination) {
    return evaluate(rules, destination.address, destination.protocol, destination.port).denied;
}

void check_transition(const Rules& now, const Rules& then, RandomWorld& world,
                      unsigned destinations) {
    std::vector<Destination> watched;
    for (unsigned i = 0; i < destinations; ++i) {
        Destination destination = some_destination(world);
        if (blocks(now, destination) && blocks(then, destination)) watched.push_back(destination);
    }
    Rules rules = now;
    for (const RuleStep& step : plan_transition(now, then)) {
        apply(rules, step);
        REQUIRE(rules.size() <= now.size() + then.size());
        for (const Destination& destination : watched)
            REQUIRE_MESSAGE(blocks(rules, destination),
                            fmt::format("{} port {} protocol {} passes after the step at {}",
                                        destination.address.to_string(), destination.port,
                                        destination.protocol, step.prefix.to_string()));
    }
    CHECK(same(rules, then));
}

}  // namespace

TEST_CASE("transition: between rules that are alike there is no step") {
    RandomWorld world(1);
    for (int i = 0; i < 20; ++i) {
        const Rules rules = compiled(world);
        CHECK(plan_transition(rules, rules).empty());
    }
}

TEST_CASE("transition: a new address is one step, and one that leaves is one") {
    const Request request{Mode::enforce, Dns::automatic, OnFailure::refuse, {}, {}, {}};
    const auto rules_with = [&](std::vector<LocalRoute> routes) {
        NetworkFacts host;
        host.routes = std::move(routes);
        return compile_policy(request, host)->rules;
    };
    const Rules without = rules_with({});
    const Rules with = rules_with({{prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"}});
    const auto added = plan_transition(without, with);
    REQUIRE(added.size() == 1);
    CHECK(added[0].prefix == prefix("198.51.100.7"));
    CHECK(added[0].put.has_value());
    const auto removed = plan_transition(with, without);
    REQUIRE(removed.size() == 1);
    CHECK(!removed[0].put.has_value());
}

TEST_CASE("transition: an exception that moves to another prefix opens nothing that both close") {
    const auto rule = [](const jail_rule& value) { return Rule{value, {}}; };
    // The old set blocks the wide prefix and the new one the narrow one inside of it: the narrow
    // one is blocked throughout.
    const Rules now{{prefix("10.0.0.0/8"), rule(kBlock)}};
    const Rules then{{prefix("10.0.0.0/8"), rule(kOpen)}, {prefix("10.1.0.0/16"), rule(kBlock)}};
    Rules rules = now;
    for (const RuleStep& step : plan_transition(now, then)) {
        apply(rules, step);
        CHECK(evaluate(rules, prefix("10.1.2.3"), IPPROTO_TCP, 80).denied);
    }
    CHECK(same(rules, then));
}

TEST_CASE("transition: an address that each set denies by another of its two forms stays denied") {
    const auto rules_of = [](const jail_rule& translated_form, const jail_rule& v4) {
        return Rules{{prefix("64:ff9b::a00:1"), Rule{translated_form, {}}},
                     {prefix("10.0.0.1"), Rule{v4, {}}}};
    };
    const Rules one = rules_of(kOpen, kBlock), other = rules_of(kBlock, kOpen);
    for (const auto& [now, then] : {std::pair(one, other), std::pair(other, one)}) {
        Rules rules = now;
        for (const RuleStep& step : plan_transition(now, then)) {
            apply(rules, step);
            CHECK(evaluate(rules, prefix("64:ff9b::10.0.0.1"), IPPROTO_TCP, 80).denied);
        }
        CHECK(same(rules, then));
    }
}

TEST_CASE("transition: a destination that both sets deny is denied at every step, compiled ones") {
    for (unsigned seed = 1; seed <= 25; ++seed) {
        RandomWorld world(seed);
        const Rules now = compiled(world), then = compiled(world);
        check_transition(now, then, world, 60);
    }
}

TEST_CASE("transition: a destination that both sets deny is denied at every step, arbitrary ones") {
    for (unsigned seed = 1; seed <= 80; ++seed) {
        RandomWorld world(seed);
        const Rules now = arbitrary(world), then = arbitrary(world);
        check_transition(now, then, world, 80);
    }
}
