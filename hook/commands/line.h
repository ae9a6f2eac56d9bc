// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A line for the log that a command hands to main(), which alone prints.
#pragma once

#include <string>
#include <vector>

namespace jail_ai {

struct Line {
    int priority;  // LOG_INFO …, as syslog(3) has them
    std::string text;
};

using Lines = std::vector<Line>;

}  // namespace jail_ai
