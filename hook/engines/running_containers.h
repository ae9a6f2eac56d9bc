// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every container that runs on this machine, by what crun and runc themselves keep of it: those of root, and those of users without root, who can
// write into their own whatever they like. The engines aren't asked.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "system/process.h"

namespace jail_ai {

struct RunningContainer {
    std::string id;            // what is_container_id() takes
    std::string_view runtime;  // "crun" or "runc"
    uid_t owner;               // who runs it, and may have written all this; 0 for root
    std::string bundle;        // absolute, or empty where it isn't known
    // Its first process, alive. Where the owner is not root it is proved to be in a user namespace of the owner's making: nobody can give out
    // another's process for a container of their own.
    const Process& process;
    bool has_started;  // false: created, with its hooks run or running
};

// A directory in which not everything could be understood, and why.
struct Overlooked {
    std::string directory;
    uid_t owner;
    std::string why;
};

// Calls it for each, root's first. A container whose state goes meanwhile, or whose process has ended, is none. Gives what it had to leave out:
// states that can't be read or lie, at most one entry a directory. Needs root.
std::vector<Overlooked> for_each_container(const std::function<void(const RunningContainer&)>& each);

// The text of the container's config.json. A user's is read as what it is, a stranger's: a regular file of the user's own. Errors: EX_NOINPUT,
// EX_DATAERR.
Result<std::string> read_config(const RunningContainer& container);

}  // namespace jail_ai
