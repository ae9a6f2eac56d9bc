// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The part of doctor's evaluation that is about podman's hooks directories: does it call the hook,
// for which containers, and what else does it find?
#pragma once

#include <string>
#include <vector>

#include "doctor/facts.h"

namespace jail_ai {

inline constexpr std::size_t kMostListed = 8;

// The first of them, and how many more there are.
std::string list(const std::vector<std::string>& words);

void check_hooks(const MachineFacts& facts, Findings& findings);

}  // namespace jail_ai
