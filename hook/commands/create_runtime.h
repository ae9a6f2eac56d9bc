// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb that engines call while a container exists and its process has not started.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

struct Line {
    int priority;  // LOG_INFO …, as syslog(3) has them
    std::string text;
};

// Reads the container state from `input` and, where it asks for the block, jails the container's cgroup. Gives lines for the log. On failure
// nothing is attached and the engine must not start the container, unless it asks by on-failure=run to be started all the same; then the log
// says so at LOG_CRIT.
Result<std::vector<Line>> create_runtime(int input, const Defaults& defaults);

}  // namespace jail_ai
