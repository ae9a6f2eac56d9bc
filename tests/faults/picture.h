// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// All that makes a jail what it is, to be compared with another's: programs, by the kernel's digest
// of their instructions, and the bytes of their rules, constants and metadata.
#pragma once

#include <string>

namespace jail_ai::test {

// Empty where the cgroup has none. Without the time at which it was made.
std::string picture_of_jail(int cgroup_fd);

}  // namespace jail_ai::test
