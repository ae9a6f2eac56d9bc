// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The policy of a jail as the kernel has it, read from the maps of its programs. Needs CAP_SYS_ADMIN, as inspect.h does.
#pragma once

#include <optional>
#include <vector>

#include "base/result.h"
#include "jail/inspect.h"
#include "policy/policy.h"

namespace jail_ai {

// Of the jail that is attached directly to the cgroup; nothing where there is none. The kernel knows no sources: they are empty. Moots are, too.
Result<std::optional<Policy>> read_attached_policy(int cgroup_fd);

// Of a jail by its maps, likewise. Errors: EX_UNAVAILABLE for one of another version, EX_OSERR.
Result<Policy> read_policy(const std::vector<ProgramMap>& maps);

// Of those, whether it blocks or only watches. Errors as above.
Result<Mode> read_mode(const std::vector<ProgramMap>& maps);

// What is in a jail_rules, likewise without sources. Error: EX_OSERR.
Result<Rules> read_rules(int map_fd);

}  // namespace jail_ai
