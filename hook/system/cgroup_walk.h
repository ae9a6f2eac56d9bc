// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The walks through cgroups v2, up and down. None ends early without saying so: what is nested too
// deep, and what can't be opened, is an error. A cgroup that goes meanwhile is left out, for
// whatever was in it has ended or is elsewhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "system/process.h"

namespace jail_ai {

// What users may nest is bounded by nothing else. Deeper than this, or with more of them, a walk
// inside of those cgroups is an EX_CONFIG.
inline constexpr std::size_t kMaxCgroupDepth = 64;
inline constexpr std::size_t kMaxWalkedCgroups = 4096;

enum class Walk { on, done };

// Calls it for the cgroup and all below, what is above others first, until it is done or fails.
// `below` is the path from the first one, "" for that itself.
Status walk_down(int cgroup_fd,
                 const std::function<Result<Walk>(int fd, const std::string& below)>& visit);

// The same for every cgroup of this machine, however deep: a user's are not to hide anything from
// its administrator, nor to stop the looking. `path` is below the cgroup2 mount, "/" for the root.
// Errors: EX_UNAVAILABLE if no cgroup v2 is mounted, EX_OSERR, or what the call returns, with
// the cgroup's name in front.
Status for_each_cgroup(const std::function<Status(int fd, const std::string& path)>& visit);

struct OpenCgroup {
    UniqueFd fd;
    uid_t owner;
};

// The cgroup and each one above it, up to the root of the file system that is mounted. Errors:
// EX_CONFIG for more than kMaxCgroupDepth, EX_OSERR.
Result<std::vector<OpenCgroup>> cgroup_and_above(int cgroup_fd);

// Returns the ID of the mount through which it was opened. Errors: EX_UNAVAILABLE before Linux 5.8,
// EX_OSERR.
Result<std::uint64_t> mount_id(int fd);

// The path of a process's cgroup, as /proc/PID/cgroup has it. Errors as parse_cgroup_path().
Result<std::string> cgroup_path_of(int proc_fd);

// Opens the cgroup of that path in the caller's cgroup namespace. Errors: as place_cgroup(),
// EX_DATAERR, EX_OSFILE, EX_OSERR.
Result<UniqueFd> open_cgroup(const std::string& path);

struct NamedCgroup {
    UniqueFd fd;
    std::string path;  // below the cgroup2 mount
};

// The process's cgroup, whatever else is in it, and each one above it, from the inside out, without
// the root: to look at, for nothing is proved of them. Errors as open_cgroup() and
// cgroup_and_above().
Result<std::vector<NamedCgroup>> cgroups_of(const Process& process);

// The ids of those (the inodes of their directories). Errors likewise.
Result<std::vector<std::uint64_t>> cgroup_ids(const Process& process);

// The cgroup v2 of that id (the inode of its directory), or nothing if it has gone. Needs
// CAP_DAC_READ_SEARCH (open_by_handle_at(2)). Errors: EX_UNAVAILABLE if no cgroup v2 is mounted,
// EX_OSERR.
Result<std::optional<UniqueFd>> open_cgroup_by_id(std::uint64_t id);

}  // namespace jail_ai
