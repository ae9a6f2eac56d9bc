// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The suite's own cgroups below the real cgroup2 mount, and the product's hook run on one as a
// runtime would.
#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "lab.h"

namespace escape {

// A cgroup directory and its cgroup.procs, ready to be joined from any mount namespace.
struct Cgroup {
    jail_ai::UniqueFd directory, procs;
    std::string path;
};

// Everything this run leaves on disk and in the cgroup tree, and who clears it up: a process that
// waits until this one is gone, however it goes.
class Workplace {
public:
    Workplace();

    Cgroup make_cgroup(const std::string& name) const;
    const std::string& scratch() const { return scratch_; }  // a private directory
    // Clears up now; whether everything went away.
    bool clear();

private:
    std::string root_, scratch_;
    jail_ai::UniqueFd lifeline_;
    int janitor_ = -1;
};

struct HookResult {
    int exit_code;  // 128 + n for signal n
    std::string message;
};

// Runs `hook createRuntime` in the host's namespace for a container whose first process is in the
// cgroup and in `netns`, with the given capabilities and further annotations in its config.json,
// and perhaps a descriptor from outside. That process is gone afterwards, the cgroup and what is
// attached to it stay.
using Annotations = std::vector<std::pair<std::string, std::string>>;
HookResult run_hook(const Workplace& workplace, const Lab& lab, const std::string& hook,
                    const Cgroup& cgroup, int netns, const Annotations& annotations = {},
                    const std::vector<std::string>& capabilities = {}, int inherited = -1);

}  // namespace escape
