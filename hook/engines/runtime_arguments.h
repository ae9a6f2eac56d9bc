// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which descriptors a runtime leaves to the container's process, by how the runtime was
// called.
#pragma once

#include <string_view>

namespace jail_ai {

inline constexpr int kFirstInherited = 3;

// The number of descriptors from kFirstInherited on that crun leaves open: --preserve-fds on its
// command line plus LISTEN_FDS in its environment (crun(1)); the others it closes before it starts
// the process. Both as /proc/PID/cmdline and /proc/PID/environ have them. INT_MAX if a number
// can't be read.
int descriptors_left_by_crun(std::string_view command_line, std::string_view environment);

}  // namespace jail_ai
