// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The cgroups above and below one: who owns them, and a walk through them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// How many cgroups a walk visits before it gives up: what a user may have is bounded by nothing else.
inline constexpr int kMaxWalkedCgroups = 4096;

// The uids that own the cgroup's directory and each one above it, up to the root of the file system that is mounted.
Result<std::vector<uid_t>> cgroup_owners(int cgroup_fd);

// Of the cgroup and those above it the highest that the uid owns. Error: EX_NOPERM where there is none.
Result<UniqueFd> topmost_of(int cgroup_fd, uid_t owner);

// Calls it for the cgroup and all below. Error: EX_UNAVAILABLE for more than kMaxWalkedCgroups, or what the call returns. One that goes meanwhile is
// left out.
Status for_each_cgroup(int cgroup_fd, const std::function<Status(int fd)>& each);

}  // namespace jail_ai
