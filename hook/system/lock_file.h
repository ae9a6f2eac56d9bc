// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Files by which processes of this program keep out of each other's way. What they lock goes with
// them; the files say nothing and stay.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// RuntimeDirectory= of the units, whose processes see the rest of /run read-only.
inline constexpr const char* kRuntimeDirectory = "/run/jail-ai-hook";

inline constexpr const char* kRulesLock = "rules";    // writes the rules of jails that are in force
inline constexpr const char* kEventsLock = "events";  // takes events out of their ring buffers

// The file of that name in kRuntimeDirectory, which only root can open; both are made. Error:
// EX_OSERR.
Result<UniqueFd> open_runtime_file(const char* name);

// Locks it (flock(2)). `wait`: until it is free; else EX_TEMPFAIL. Error: EX_OSERR.
Result<UniqueFd> take_lock(const char* name, bool wait);

}  // namespace jail_ai
