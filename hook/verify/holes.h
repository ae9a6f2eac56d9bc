// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Rules that have fallen behind the host, as far as it matters: what they would have to block and
// don't.
#pragma once

#include <vector>

#include "policy/policy.h"

namespace jail_ai {

// Prefixes that `desired` blocks, and `attached` lets pass, or on more ports. A prefix that only
// one of them has counts for nothing where a wider one says the same: each container's start gives
// the host another link-local address, and all of fe80::/10 is blocked. Nor does what is blocked in
// excess.
std::vector<IpPrefix> find_holes(const Rules& attached, const Rules& desired);

}  // namespace jail_ai
