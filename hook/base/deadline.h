// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The hook's own deadline, below the engine's. When it passes, the system call that waits is
// interrupted (EINTR), the failure goes the way of every other, and what was half done is undone.
// Should that hang too, the process ends a second later.
#pragma once

namespace jail_ai {

inline constexpr unsigned kDeadlineSeconds = 8;  // hooks.d gives 10
inline constexpr unsigned kBrokerDeadlineSeconds =
    5;  // the asking hook waits no longer than the above

// Starts the clock. Once a process.
void start_deadline(unsigned seconds = kDeadlineSeconds);

// No deadline any more, for a process that turns out to be one that stays.
void end_deadline();

// Has the kernel kill this process after that time, also if it waits for something that no
// signal with a handler interrupts, such as a file system that a user serves (FUSE). False if
// the kernel has no timer to give.
bool kill_after(unsigned seconds);

// Has it passed? Call it before an interrupted call is begun again.
bool deadline_passed();

}  // namespace jail_ai
