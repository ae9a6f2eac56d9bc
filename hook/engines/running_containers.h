// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every container that runs on this machine, by what crun and runc themselves keep of it: those of
// root, and those of users without root, who can write into their own whatever they like. The
// engines aren't asked.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engines/running_container.h"
#include "system/process.h"

namespace jail_ai {

// `first` is the container's first process, alive. If the owner is not root it is proved to be
// in a user namespace of the owner's making: no user can pass another's process off as a container
// of their own. Of the container, name and cgroup aren't asked.
using EachContainer = std::function<void(const RunningContainer& container, const Process& first)>;

// Calls it for each, root's first. A container whose state goes meanwhile, or whose process has
// ended, is none. Gives what it had to leave out: states that can't be read or lie, at most one
// entry a directory. Each user has a share of the time, and all users together have one, so that
// none keeps root waiting; what is beyond it is left out. Needs root.
std::vector<UnreadableStateDir> for_each_container(const EachContainer& each);

// The text of the container's config.json. A user's is read as what it is, a stranger's: a regular
// file of the user's own, by one name, and no larger than an engine makes it. Errors: EX_NOINPUT,
// EX_DATAERR.
Result<std::string> read_config(const RunningContainer& container);

}  // namespace jail_ai
