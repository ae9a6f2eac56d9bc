// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The cgroups that a process is in, to look at and for nothing else: unlike Cgroup, nothing is proved of them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "system/process.h"

namespace jail_ai {

struct CgroupView {
    UniqueFd fd;
    std::string path;  // below the cgroup2 mount, as /proc/PID/cgroup has it
};

// The process's cgroup v2 and each one above it, from the inside out, without the root. Errors: EX_UNAVAILABLE where there is no cgroup v2,
// EX_OSERR.
Result<std::vector<CgroupView>> cgroups_of(const Process& process);

}  // namespace jail_ai
