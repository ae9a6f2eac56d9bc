// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The hook's own deadline, below the engine's. When it passes, the system call that waits is
// interrupted (EINTR), the failure goes the way of every other, and what was half done is undone.
// Should that hang too, the process ends a second later. And if it waits for something that no
// signal with a handler interrupts, such as a file system that answers no more, the kernel kills it
// soon after.
#pragma once

namespace jail_ai {

inline constexpr unsigned kDeadlineSeconds = 8;  // hooks.d gives 10
inline constexpr unsigned kBrokerDeadlineSeconds =
    5;  // the asking hook waits no longer than the above
// For people and timers: much more than a busy machine with 1,000 jails takes.
inline constexpr unsigned kShowDeadlineSeconds = 30;
inline constexpr unsigned kVerifyDeadlineSeconds = 60;  // units have 120

// Starts the clock. Once a process. False if the kernel has no timer to give.
bool start_deadline(unsigned seconds = kDeadlineSeconds);

// No deadline any more, for a process that turns out to be one that stays, or that has all its
// answers and hands them to a person.
void end_deadline();

// Has it passed? Call it before an interrupted call is begun again.
bool deadline_passed();

}  // namespace jail_ai
