// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb of the privileged end for rootless engines: answers one request, which a process in a user namespace has sent.
#pragma once

#include <string_view>

#include "base/result.h"
#include "commands/arguments.h"
#include "commands/line.h"

namespace jail_ai {

// How many jails one user may have at a time; 256 unless said.
inline constexpr std::string_view kMaxJailsOption = "--max-jails";

// Serves the connection on `fd`. The administrator's settings are the floor for all users, with --enforce also against what they ask. Gives lines for
// the log, also of what was refused. Errors: this is no connection, or this process is not root on the machine.
Result<Lines> serve(int fd, const Arguments& arguments);

}  // namespace jail_ai
