// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The jails of containers, for verbs that show what they have denied.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engines/running_container.h"
#include "jail/snapshot.h"

namespace jail_ai {

// Those of the containers that words mean (container_selector.h), or all, with the names that
// engines call them by. Pure. Error: EX_NOINPUT for a word that means none.
Result<std::vector<JailSnapshot>> select_jails(std::vector<JailSnapshot> jails,
                                               std::vector<RunningContainer> named,
                                               const std::vector<std::string>& words);

}  // namespace jail_ai
