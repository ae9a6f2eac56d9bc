// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From /proc/PID/cgroup and /proc/self/mountinfo to the place where a process's cgroup v2 can be
// opened. Text in, text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// The path on the "0::" line of /proc/PID/cgroup (cgroups(7)), relative to the reader's cgroup
// namespace: "/", "/a/b", or "/../x" outside of it. A trailing " (deleted)" is an error. Errors:
// EX_UNAVAILABLE if the kernel has no cgroup v2.
Result<std::string> parse_cgroup_path(std::string_view proc_cgroup);

// Where a cgroup is to be found: `path` (relative, "." for the mount's own root) below the mount
// point.
struct CgroupPlace {
    std::string mount_point;  // absolute
    std::string path;
};

// Finds the cgroup2 mount that shows the cgroup (proc(5), mountinfo), whole mounts before mounts of
// a subtree. The path must not leave the reader's cgroup namespace. Errors: EX_UNAVAILABLE for no
// cgroup2 mount, EX_CONFIG for a cgroup that none of them shows.
Result<CgroupPlace> place_cgroup(std::string_view mountinfo, std::string_view cgroup_path);

// What people call what runs in a cgroup: the innermost unit of systemd on its path (a service or a
// scope), or else the last name.
std::string unit_or_cgroup(std::string_view path);

// Mount points of all cgroup file systems, v1 and v2.
std::vector<std::string> find_cgroup_mounts(std::string_view mountinfo);

}  // namespace jail_ai
