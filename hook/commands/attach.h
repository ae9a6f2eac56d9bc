// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "attach" and "detach": the block for what no engine has called the hook for, and its end. For root alone.
#pragma once

#include <span>

#include "base/result.h"
#include "commands/line.h"

namespace jail_ai {

// Words: one of --pid=PID, --cgroup=PATH, --container=ID, and the settings that createRuntime takes; what a container's annotations say comes to
// that. Jails it as the hook would have, by the same judgement, in place of the jail that it has. Errors: EX_USAGE, EX_NOPERM, EX_NOINPUT, and the
// hook's.
Result<Lines> attach(std::span<char* const> words);

// Words: one of the three. Takes our programs off the cgroup. Errors: EX_USAGE, EX_NOPERM, EX_NOINPUT where there is none, EX_OSERR.
Result<Lines> detach(std::span<char* const> words);

}  // namespace jail_ai
