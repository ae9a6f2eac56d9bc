// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A walk through all the cgroups v2 of this machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

// Calls it for every cgroup with a descriptor of its directory and its path below the cgroup2 mount, "/" for the root; what is above others comes
// first. Left out are those that go meanwhile, or are nested so deep that no path leads to them. Errors: EX_UNAVAILABLE where no cgroup v2 is
// mounted, EX_OSERR, or what the call returns, with the cgroup's name in front.
Status for_each_cgroup_here(const std::function<Status(int fd, const std::string& path)>& each);

// The cgroup v2 of that id (the inode of its directory), or nothing where it has gone. Needs CAP_DAC_READ_SEARCH (open_by_handle_at(2)). Errors:
// EX_UNAVAILABLE where no cgroup v2 is mounted, EX_OSERR.
Result<std::optional<UniqueFd>> open_cgroup_by_id(std::uint64_t id);

}  // namespace jail_ai
