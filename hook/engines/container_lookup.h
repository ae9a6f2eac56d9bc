// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Finding a running container by what people call it. Asked are crun's and runc's own states, and
// at last the names of cgroups.
#pragma once

#include <string>

#include "base/result.h"
#include "engines/running_container.h"

namespace jail_ai {

// `word` is an ID, the beginning of one, or a name (engines/container_names.h). Of several that it
// may mean it means the one of root's that has it for its ID, and else none: users call theirs what
// they like. The bundle is empty if it isn't root's. Errors: EX_NOINPUT if there is no such
// container that runs, EX_USAGE if several are meant.
Result<RunningContainer> find_container(const std::string& word);

}  // namespace jail_ai
