// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What people call a container. podman and CRI-O pass it to the monitor (conmon) that they start
// the runtime by, and Docker has it in a file (docker_name.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engines/running_container.h"
#include "system/process.h"

namespace jail_ai {

// The name of the container with that ID, by the arguments of the monitor that its first process is
// a child of; empty if that isn't known. A user may have made up that of a container of their
// own. Needs what reading others' /proc needs (hidepid, proc(5)).
std::string engine_name(const Process& first, std::string_view id);

// The same, or Docker's name for it.
std::string name_of(const RunningContainer& container, const Process& first);

// The containers that run on this machine and have a name, root's first. IDs and names may be there
// twice: a user may take another's. Their cgroups decide.
std::vector<RunningContainer> named_containers();

}  // namespace jail_ai
