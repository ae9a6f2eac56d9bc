// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Between the two stands a third set, which has every prefix of both, and at each prefix the
// stricter of the two rules that decide there. A first phase puts it into the map, a second one
// puts the new rules in its place and removes the prefixes that they don't have. In the first,
// each lookup is answered by an old rule or, if no narrower old prefix holds the address, by one
// at least as strict as the old rule that decided; in the second likewise by the new rules. So each
// lookup denies in the first phase what the old rules denied and in the second what the new ones
// deny, in whatever order the steps of a phase come. Without the third set that would not be so
// if two lookups decide (bpf/verdict.h): one of them could be answered by the old rules and the
// other by the new.
#include "policy/transition.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "policy/ports.h"

namespace jail_ai {
namespace {

bool alike(const jail_rule& a, const jail_rule& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<jail_ports> ports_of(const jail_rule& rule) {
    std::vector<jail_ports> ports;
    std::ranges::copy_if(rule.ports, std::back_inserter(ports),
                         [](const jail_ports& range) { return range.protocols != 0; });
    return ports;
}

// Leaves the last ranges out if a rule has no room for all: for a moment it allows less.
jail_rule stricter(const jail_rule& a, const jail_rule& b) {
    if (alike(a, b)) return a;
    jail_rule rule = b;
    rule.container_local = a.container_local == b.container_local
                               ? a.container_local
                               : static_cast<__u8>(JAIL_CONTAINER_LOCAL_NOT);
    std::ranges::fill(rule.ports, jail_ports{});
    const auto ports = common_ports(ports_of(a), ports_of(b));
    std::copy_n(ports.begin(), std::min<std::size_t>(ports.size(), JAIL_MAX_PORTS), rule.ports);
    return rule;
}

jail_rule stricter_at(const IpPrefix& prefix, const Rules& attached, const Rules& desired) {
    const Rule* first = find_rule(attached, prefix);
    const Rule* second = find_rule(desired, prefix);
    if (first == nullptr) return second->value;
    return second == nullptr ? first->value : stricter(first->value, second->value);
}

void put_changed(const Rules& from, const Rules& to, std::vector<RuleStep>& steps) {
    for (const auto& [prefix, rule] : to) {
        const auto before = from.find(prefix);
        if (before == from.end() || !alike(before->second.value, rule.value))
            steps.push_back({prefix, rule.value});
    }
}

}  // namespace

std::vector<RuleStep> plan_transition(const Rules& attached, const Rules& desired) {
    Rules between;
    for (const Rules* rules : {&attached, &desired})
        for (const auto& [prefix, rule] : *rules)
            between.try_emplace(prefix, Rule{stricter_at(prefix, attached, desired), {}});
    std::vector<RuleStep> steps;
    put_changed(attached, between, steps);
    put_changed(between, desired, steps);
    for (const auto& [prefix, rule] : attached)
        if (!desired.contains(prefix)) steps.push_back({prefix, std::nullopt});
    return steps;
}

}  // namespace jail_ai
