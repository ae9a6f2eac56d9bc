// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phases 4 to 6 of what sandbox.h describes. Each needs those before it.
#pragma once

#include "base/result.h"
#include "sandbox/sandbox.h"

namespace jail_ai {

// Leaves of the caller's capabilities those that the role uses, in the permitted and effective sets
// and nowhere else, and no way to get more.
Status drop_privileges(Role role);

// Enters a Landlock domain that denies what this kernel's Landlock can deny, but for reading below
// /proc and /sys. Needs no_new_privs. Without Landlock in the kernel it does nothing and succeeds.
Status enter_landlock();

// A build with sanitizers, or for coverage, has none.
#ifdef JAIL_AI_NO_SYSCALL_FILTER
inline constexpr bool kHasSyscallFilter = false;
#else
inline constexpr bool kHasSyscallFilter = true;
#endif

// From now on any system call that is not on the role's list (filter/calls.h) kills the process.
// Needs no_new_privs.
Status enter_syscall_filter(Role role);

}  // namespace jail_ai
