// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the programs would say about a destination, by the same verdict.h, and which rule decides.
// For commands that explain.
#pragma once

#include "policy/policy.h"

namespace jail_ai {

struct Evaluation {
    bool denied;
    jail_reason reason;      // valid if denied
    const IpPrefix* prefix;  // of the rule that decides, in the rules that were given; nullptr
                             // if none holds the address
    const Rule* rule;        // likewise
    std::optional<IpPrefix> form;  // the IPv4 address in an IPv6 one, if that is what decides

    // The container may have the address itself, and reaches it as long as that is so.
    bool is_container_local() const {
        return denied && rule != nullptr && rule->value.container_local != 0;
    }
};

// `address` is a single one. `protocol` and `port` are 0 for what no allow rule names. The rules
// must outlive the evaluation.
Evaluation evaluate(const Rules& rules, const IpPrefix& address, std::uint8_t protocol,
                    std::uint16_t port);

}  // namespace jail_ai
