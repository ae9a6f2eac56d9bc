// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Is the container's network the kernel's? See engines/userspace_network_stack.h.
#pragma once

#include <string>

#include "base/result.h"
#include "container/state.h"
#include "system/process.h"

namespace jail_ai {

// EX_UNAVAILABLE if the container's process, or the one that has started it, is a runtime with a
// network stack of its own, or the annotations ask for one. An unknown runtime is taken
// for one without. Needs PTRACE_MODE_READ access to the process (proc(5)). Error: EX_OSERR.
Status check_network_stack(const Process& process, const Annotations& annotations);

// The program that has called the hook, if it isn't a runtime that is tested; empty if it is, or if
// it can't be read.
std::string unknown_runtime(const Process& runtime);

}  // namespace jail_ai
