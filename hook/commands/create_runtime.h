// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb that engines call while a container exists and its process has not started.
#pragma once

#include "base/result.h"
#include "commands/arguments.h"
#include "commands/line.h"

namespace jail_ai {

// Reads the container state from `input` and, where it asks for the block, jails the container's cgroup; where the caller is not root
// of the machine but of a user namespace (a rootless engine's hook), by way of the broker. Gives lines for the log. On failure nothing is attached
// and the engine must not start the container, unless it asks by on-failure=run to be started all the same; then the log says so at LOG_CRIT.
Result<Lines> create_runtime(int input, const Arguments& arguments, bool is_root);

}  // namespace jail_ai
