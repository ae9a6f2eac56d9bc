// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From one set of rules to another, element by element, in the map that the programs look into
// meanwhile.
#pragma once

#include <optional>
#include <vector>

#include "policy/policy.h"

namespace jail_ai {

// Puts the rule, or removes the one that is there.
struct RuleStep {
    IpPrefix prefix;
    std::optional<jail_rule> put;
};

// The steps in their order; none if both are alike. Before, between and after them every
// destination, port and protocol that both sets deny is denied, so that it doesn't matter where a
// failure ends them. Meanwhile there are at most as many rules as both have together.
std::vector<RuleStep> plan_transition(const Rules& attached, const Rules& desired);

}  // namespace jail_ai
