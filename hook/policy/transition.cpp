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

// Calls it with each prefix of either and its rules there, a null pointer where one has none.
template <typename Each>
void for_each_pair(const Rules& attached, const Rules& desired, Each&& each) {
    auto one = attached.begin();
    auto other = desired.begin();
    while (one != attached.end() || other != desired.end()) {
        const bool first =
            other == desired.end() || (one != attached.end() && one->first <= other->first);
        const bool second =
            one == attached.end() || (other != desired.end() && other->first <= one->first);
        each(first ? one->first : other->first, first ? &one->second.value : nullptr,
             second ? &other->second.value : nullptr);
        if (first) ++one;
        if (second) ++other;
    }
}

}  // namespace

std::vector<RuleStep> plan_transition(const Rules& attached, const Rules& desired) {
    std::vector<RuleStep> steps;
    std::vector<RuleStep> second_phase;
    const auto plan = [&](const IpPrefix& prefix, const jail_rule* before, const jail_rule* after) {
        if (before != nullptr && after != nullptr && alike(*before, *after)) return;
        const jail_rule between = stricter_at(prefix, attached, desired);
        if (before == nullptr || !alike(*before, between)) steps.push_back({prefix, between});
        if (after == nullptr)
            second_phase.push_back({prefix, std::nullopt});
        else if (!alike(between, *after))
            second_phase.push_back({prefix, *after});
    };
    for_each_pair(attached, desired, plan);
    steps.insert(steps.end(), second_phase.begin(), second_phase.end());
    return steps;
}

}  // namespace jail_ai
