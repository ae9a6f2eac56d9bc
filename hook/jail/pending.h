// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The difference between a jail that a client has been promised and what a killed process has left:
// as long as a jail is pending, a program that does nothing is attached beside it, from before the
// first of its own until after the answer. Like those it outlives the process.
#pragma once

#include <utility>

#include "base/result.h"

namespace jail_ai {

class PendingMark {
public:
    // Needs CAP_BPF and CAP_NET_ADMIN. Errors: EX_NOPERM, EX_OSERR. The cgroup must outlive it.
    static Result<PendingMark> put(int cgroup_fd);

    PendingMark(PendingMark&& other) noexcept : cgroup_fd_(std::exchange(other.cgroup_fd_, -1)) {}
    PendingMark& operator=(PendingMark&&) = delete;
    ~PendingMark();

private:
    explicit PendingMark(int cgroup_fd) : cgroup_fd_(cgroup_fd) {}

    int cgroup_fd_;
};

// Needs CAP_SYS_ADMIN, as inspect.h. Error: EX_OSERR.
Result<bool> is_pending(int cgroup_fd);

// Takes the mark off, if it is there. Needs both. Error: EX_OSERR.
Status end_pending(int cgroup_fd);

}  // namespace jail_ai
