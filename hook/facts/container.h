// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A container that is to be jailed. Its runtime, a broker's peer and an administrator each name
// one in their own way; what follows is the same.
#pragma once

#include <string>

#include "engines/bundle_files.h"
#include "facts/network_facts.h"
#include "system/cgroup.h"
#include "system/process.h"

namespace jail_ai {

// In place of the runtime that started it: it has run for a while, and what it holds may be its
// own, or it will go on from where it was on disk.
inline constexpr pid_t kRunsAlready = -1;

// What is to be mounted for the process, or is.
enum class Mounts {
    pending,  // not yet: CRIU makes them later
    made,  // at createRuntime, by the runtime: below the container's root, in the process's mount
           // namespace
    entered,    // the process runs in them
    elsewhere,  // judged by the user's hook: the broker, which jails the container, does not see
                // them
};

struct Container {
    std::string id;  // the runtime's, or what an administrator calls it by
    Process process;
    Cgroup cgroup;      // proved to be its alone
    BundleFiles files;  // where no config.json is known, what its process says
    NameFiles names;
    bool shares_network;  // with the caller
    pid_t runtime;        // that started it; 0 where nobody knows, or kRunsAlready
    Mounts mounts;
};

}  // namespace jail_ai
