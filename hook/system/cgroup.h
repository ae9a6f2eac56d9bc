// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The cgroup v2 of a container, found from its process and proved to be the container's alone.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "system/process.h"

namespace jail_ai {

class Cgroup {
public:
    // Finds and opens the process's cgroup. Errors, EX_CONFIG unless said otherwise: the root cgroup, the caller's own or an ancestor of
    // it, any process but this one in it or below it, no cgroup v2 or no mount of it (EX_UNAVAILABLE), the process gone (EX_NOINPUT).
    static Result<Cgroup> of(const Process& process);

    // Proves again, for the cgroup that is open, what of() proved: the process lives, is in it, and is alone there.
    Status recheck(const Process& process) const;

    int fd() const { return fd_.get(); }
    const std::string& path() const { return path_; }  // below the cgroup2 mount, as /proc/PID/cgroup has it

private:
    Cgroup(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    UniqueFd fd_;
    std::string path_;
};

// The process's cgroup, whatever else is in it; for looking at, not for attaching to.
Result<UniqueFd> open_cgroup_of(const Process& process);

}  // namespace jail_ai
