// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Whether cgroup v1 takes sockets away from cgroup v2 on this machine
// (system/blinding_hierarchy.h).
#pragma once

#include "base/result.h"

namespace jail_ai {

// Error: EX_UNAVAILABLE if it does, or may.
Status check_cgroup_v1();

}  // namespace jail_ai
