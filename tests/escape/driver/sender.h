// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Starts a process where an adversary would be: in a cgroup, in a network namespace, with few or no
// capabilities.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "cage.h"
#include "frames.h"

namespace escape {

struct Place {
    const Cgroup* cgroup;
    int netns;
    uint64_t capabilities = 0;
    bool root = false;  // stay user 0, instead of becoming nobody
};

// Forks, goes there, and runs work() in the child, whose result is the exit status. The child dies
// with this process.
pid_t start_in(const Place& place, const std::function<int()>& work);
// Waits for it and kills what it started: the exit status, or 128 + signal.
int finish(pid_t child);

// The adversary under way.
struct Sender {
    pid_t pid;
    jail_ai::UniqueFd exited;  // a pidfd: readable when it has ended
    jail_ai::UniqueFd output;
};

// `inherited`: descriptors to have under the given numbers (see routes/handed.c).
Sender start_adversary(const Place& place, int binary, const std::vector<std::string>& arguments,
                       const std::vector<std::pair<int, int>>& inherited);

struct Report {
    int error = -1;  // what the route said, or -1 when it said nothing
    std::vector<Bytes> markers;
};
// Of one that has ended.
Report read_report(Sender& sender);

}  // namespace escape
