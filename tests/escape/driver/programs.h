// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What bpf(2) says of a cgroup: which kinds of programs are attached, and what they have denied.
// Asked of the kernel directly, not of the product's own code.
#pragma once

#include <cstdint>

namespace escape {

// How many programs the cgroup itself has of any kind that a jail uses; 0 when there is no jail.
unsigned attached_programs(int cgroup);
// Whether LSM programs (the guard) are among them.
bool guard_in_force(int cgroup);
bool unix_hooks_in_force(int cgroup);
// The sum of the jail's denial counters.
uint64_t denials(int cgroup);

}  // namespace escape
