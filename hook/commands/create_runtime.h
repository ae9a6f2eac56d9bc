// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb that engines call while a container exists and its process has not started.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace jail_ai {

struct Outcome {
    std::string line;                   // what was done, for the log
    std::vector<std::string> warnings;  // what was let through because the container accepts it by name
};

// Reads the container state from `input` and, where it asks for the block, jails the container's cgroup. On failure nothing is attached,
// and the engine must not start the container.
Result<Outcome> create_runtime(int input);

}  // namespace jail_ai
