// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "verify/holes.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace jail_ai {
namespace {

const jail_rule* exact_rule(const Rules& rules, const IpPrefix& prefix) {
    const auto found = rules.find(prefix);
    return found == rules.end() ? nullptr : &found->second.value;
}

// What decides about the prefix's addresses that no longer prefix holds.
const jail_rule* decisive_rule(const Rules& rules, const IpPrefix& prefix) {
    const Rule* rule = find_rule(rules, prefix);
    return rule == nullptr ? nullptr : &rule->value;
}

bool lets_pass(const jail_rule& rule, const jail_ports& ports) {
    return std::ranges::any_of(rule.ports, [&](const jail_ports& each) {
        return each.first <= ports.first && ports.last <= each.last &&
               (ports.protocols & ~each.protocols) == 0;
    });
}

bool is_hole(const jail_rule* attached, const jail_rule* desired) {
    if (desired == nullptr) return false;
    if (attached == nullptr) return true;
    return std::ranges::any_of(attached->ports, [&](const jail_ports& ports) {
        return ports.protocols != 0 && !lets_pass(*desired, ports);
    });
}

}  // namespace

std::vector<IpPrefix> find_holes(const Rules& attached, const Rules& desired) {
    std::set<IpPrefix> prefixes;
    for (const Rules* rules : {&attached, &desired})
        for (const auto& [prefix, rule] : *rules) {
            const jail_rule* before = exact_rule(attached, prefix);
            const jail_rule* after = exact_rule(desired, prefix);
            const bool same = before != nullptr && after != nullptr &&
                              std::memcmp(before, after, sizeof *before) == 0;
            if (!same && is_hole(decisive_rule(attached, prefix), decisive_rule(desired, prefix)))
                prefixes.insert(prefix);
        }
    return {prefixes.begin(), prefixes.end()};
}

}  // namespace jail_ai
