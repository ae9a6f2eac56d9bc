// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What only one process of this machine does at a time. The lock goes with its holder; the file says nothing and stays.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

inline constexpr const char* kRulesLock = "/run/jail-ai-hook.rules.lock";    // writes the rules of jails that are in force
inline constexpr const char* kEventsLock = "/run/jail-ai-hook.events.lock";  // takes events out of their ring buffers

// flock(2) on a file that only root can open, in a directory that is root's. `wait`: until it is free; else EX_TEMPFAIL. Error: EX_CANTCREAT.
Result<UniqueFd> take_lock(const std::string& path, bool wait);

}  // namespace jail_ai
