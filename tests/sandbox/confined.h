// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A process that confines itself as the hook does, and then does what the test says.
#pragma once

#include <string>

#include "sandbox/sandbox.h"

namespace jail_ai::test {

using Deed = long (*)();  // as system calls do: -1 and errno where it fails

// How it ended: "does" where the deed returned 0 or more, an error's name ("EACCES"), or "killed"
// by the filter; other signals by number.
std::string confined(Role role, Deed deed);
// The same in a process that is not confined.
std::string unconfined(Deed deed);

const char* name_of(Role role);

}  // namespace jail_ai::test
