// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One request for a cgroup at a time, so that what is attached there is either finished or left by
// a broker that has been killed.
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"
#include "system/cgroup.h"

namespace jail_ai {

class Turns {
public:
    // Before the process is confined, for a file is opened that is written: one that only root
    // opens, in a directory that is made if it isn't there. It holds nothing. Error: EX_OSERR.
    static Result<Turns> open();

    // Until this is destroyed, or the process has ended in whatever way: a byte of the file is
    // locked (F_OFD_SETLK, fcntl(2)), that of the cgroup's number. Errors: EX_TEMPFAIL while
    // another request for that cgroup is being served, EX_OSERR.
    Status take(const Cgroup& cgroup) const;

private:
    explicit Turns(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace jail_ai
