// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The hook's own deadline, below the engine's. When it passes, the system call that waits is interrupted (EINTR), the failure goes the way of
// every other, and what was half done is undone. Should that hang too, the process ends a second later.
#pragma once

namespace jail_ai {

inline constexpr unsigned kDeadlineSeconds = 8;  // hooks.d gives 10

// Starts the clock. Once a process.
void start_deadline();

// Has it passed? Whoever would begin an interrupted call again asks first.
bool deadline_passed();

}  // namespace jail_ai
