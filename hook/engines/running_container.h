// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A container that runs, and what was left out of looking for them. Only types, for code that is
// pure.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jail_ai {

constexpr uid_t kUnknownOwner = static_cast<uid_t>(-1);

// What is known of it by the state that its runtime keeps, by its monitor and by the kernel; empty
// if that isn't known, or wasn't asked.
struct RunningContainer {
    std::string id = {};            // what is_container_id() takes
    std::string name = {};          // as its engine calls it
    std::string_view runtime = {};  // "crun" or "runc"
    uid_t owner = kUnknownOwner;    // who runs it, and may have written all this; 0 for root
    pid_t pid = 0;                  // of its first process
    std::optional<std::uint64_t> started = {};  // when that began (runtime_state.h)
    std::string bundle = {};                    // absolute
    std::string cgroup = {};                    // of its first process, below the cgroup2 mount
    bool has_started = true;                    // false: created, with its hooks run or running

    // Docker has containerd keep its bundles below a directory of that name.
    bool is_dockers() const { return bundle.find("/moby/") != std::string::npos; }
};

// A directory in which not everything could be understood, and why.
struct UnreadableStateDir {
    std::string directory;
    uid_t owner;
    std::string why;
    // It is so by what its owner, who isn't root, has put there; else the machine keeps one from
    // reading it.
    bool by_owner;
};

}  // namespace jail_ai
