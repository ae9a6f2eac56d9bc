// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Runtimes whose containers have a network stack of their own: what these send reaches the kernel
// as frames (packet(7)) or from a process elsewhere, and no program of the container's cgroup is
// asked about it.
#pragma once

#include <string_view>

#include "container/state.h"

namespace jail_ai {

// The name of such a runtime by what /proc/PID/exe leads to (proc(5)) and the first word of
// /proc/PID/cmdline of the container's process, or of the one that has started it. Empty for any
// other.
std::string_view userspace_network_stack(std::string_view executable, std::string_view called);

// Is it one of those that are tested, by the same of its own process? They leave the network to the
// kernel; of others, that are no known exception, nothing is known. (A clone of itself, which both
// may run as, has its name in the first word alone.)
bool is_known_runtime(std::string_view executable, std::string_view called);

// As userspace_network_stack() by the container's annotations: crun takes run.oci.handler for a
// choice (crun(1)).
std::string_view userspace_network_stack(const Annotations& annotations);

}  // namespace jail_ai
