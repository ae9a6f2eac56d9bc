// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phase 6: the list of system calls.
#pragma once

#include "base/result.h"
#include "sandbox/sandbox.h"

namespace jail_ai {

// A build with sanitizers, or for coverage, has none.
#ifdef JAIL_AI_NO_SYSCALL_FILTER
inline constexpr bool kHasSyscallFilter = false;
#else
inline constexpr bool kHasSyscallFilter = true;
#endif

// From now on any system call that is not on the role's list (filter/calls.h) kills the process. Needs no_new_privs.
Status enter_syscall_filter(Role role);

}  // namespace jail_ai
