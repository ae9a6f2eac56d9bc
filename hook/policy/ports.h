// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Sets of ports of TCP and UDP, and how they fit into a rule.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bpf/abi.h"

namespace jail_ai {

// The fewest ranges that hold the same ports, in order. Ranges of both protocols that are alike
// become one.
std::vector<jail_ports> merge_ports(const std::vector<jail_ports>& ranges);

// What both hold, in the same form.
std::vector<jail_ports> common_ports(const std::vector<jail_ports>& a,
                                     const std::vector<jail_ports>& b);

}  // namespace jail_ai
