// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Bringing the rules of jails that are in force up to the addresses that the host has now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "jail/open_jail.h"
#include "policy/policy.h"

namespace jail_ai {

// How the rules of one jail differ from what they should be.
struct RulesDiff {
    std::string container;
    Rules attached;
    Rules desired;
    std::string left_alone;    // why nothing can be said of it, if that is so: it is of another
                               // version or of another engine's network namespace
    std::uint64_t cgroup = 0;  // its id
};

// Compares the rules of the jail with those that would be compiled now. `routes` are the host's,
// read in network namespace `network` (current_network_namespace()). Errors: as compile_policy(),
// EX_OSERR.
Result<RulesDiff> compare(const OpenJail& jail, const std::vector<LocalRoute>& routes,
                          std::uint32_t network);

// Makes the rules what they should be, element by element, so that nothing passes meanwhile that
// was denied and is to be. Anyone who calls it holds kRulesLock since before compare(). Error:
// EX_OSERR; the rules are then stricter than either.
Status apply(const OpenJail& jail, const RulesDiff& diff);

}  // namespace jail_ai
