// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb that engines call while a container exists and its process has not started.
#pragma once

#include <string>

#include "base/result.h"

namespace jail_ai {

// Reads the container state from `input` and, where it asks for the block, jails the container's cgroup. Gives a line for the log. On
// failure nothing is attached, and the engine must not start the container.
Result<std::string> create_runtime(int input);

}  // namespace jail_ai
