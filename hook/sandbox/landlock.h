// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phase 5: Landlock, where the kernel has it.
#pragma once

#include "base/result.h"

namespace jail_ai {

// Enters a Landlock domain that denies what this kernel's Landlock can deny, but for reading below /proc and /sys. Needs no_new_privs. Without
// Landlock in the kernel it does nothing and succeeds.
Status enter_landlock();

}  // namespace jail_ai
