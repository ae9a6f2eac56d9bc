// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Rules that have fallen behind the host, as far as it matters: what they would have to deny and
// don't.
#pragma once

#include <vector>

#include "policy/policy.h"

namespace jail_ai {

// Prefixes that `desired` denies and `attached` allows, or on more ports. A prefix that only
// one of them has counts for nothing if a wider one says the same: each container's start gives
// the host another link-local address, and all of fe80::/10 is denied. Nor does what is denied in
// excess.
std::vector<IpPrefix> find_holes(const Rules& attached, const Rules& desired);

}  // namespace jail_ai
