// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phase 4: privileges go.
#pragma once

#include "base/result.h"
#include "sandbox/sandbox.h"

namespace jail_ai {

// Leaves of the caller's capabilities those that the role uses, in the permitted and effective sets and nowhere else, and no way to get more.
Status drop_privileges(Role role);

}  // namespace jail_ai
