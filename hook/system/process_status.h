// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Files of proc(5) that hold one field a line.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace jail_ai {

// The number behind a field, which is named with the line's end before it and the tab behind it:
// "\nPPid:\t". Nothing where the field or the number is missing.
std::optional<pid_t> number_after(std::string_view text, std::string_view field);

// By NSpid of /proc/PID/status: is the process the first of the innermost PID namespace that it is
// in? Nothing where that field is missing.
std::optional<bool> is_first_of_pid_namespace(std::string_view status);

}  // namespace jail_ai
