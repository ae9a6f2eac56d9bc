// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The users in whose directories there may be states of containers that run. Nothing that a user
// can make without a process says so: to fill /tmp with directories has no effect.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.h"

namespace jail_ai {

// Who has a process or a directory of systemd's below /run/user, without root; a subordinate id
// (subuid(5)) counts as its owner. Those that /etc/passwd has come first, each once. Errors: as
// list_directory() has them for /proc, and as PeopleFiles.
Result<std::vector<uid_t>> container_users();

}  // namespace jail_ai
