// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A container that is to be jailed. Its runtime, a broker's peer and an administrator each name
// one in their own way; what follows is the same.
#pragma once

#include <optional>
#include <string>

#include "engines/bundle_files.h"
#include "facts/network_facts.h"
#include "system/cgroup.h"
#include "system/process.h"

namespace jail_ai {

// What is to be mounted for the process, or is.
enum class Mounts {
    pending,  // not yet: CRIU makes them later
    made,  // at createRuntime, by the runtime: below the container's root, in the process's mount
           // namespace
    entered,    // the process runs in them
    elsewhere,  // checked by the user's hook: the broker, which jails the container, does not see
                // them
};

struct Container {
    std::string id;  // the runtime's, or what an administrator calls it by
    Process process;
    Cgroup cgroup;      // proved to be its alone
    BundleFiles files;  // if no config.json is known, what its process says
    NameFiles names;
    bool shares_network;  // with the caller
    // That started it, 0 if unknown. Nothing if the container has run for a while, so that what its
    // process holds may be its own, or if it will go on from where it was on disk.
    std::optional<pid_t> runtime;
    Mounts mounts;
};

}  // namespace jail_ai
