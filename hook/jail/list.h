// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every jail on this machine, found by walking the cgroups for our programs: the kernel is the database. Needs CAP_SYS_ADMIN.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../bpf/abi.h"
#include "base/result.h"
#include "jail/inspect.h"

namespace jail_ai {

// A refusal that is remembered, and how often and when last.
struct Refusal {
    jail_refusal what;
    jail_refusal_seen seen;
};

struct JailReport {
    std::string cgroup;               // directory, below the cgroup2 mount; "/" for the root
    std::optional<jail_about> about;  // nothing where the jail is of another version
    std::string inputs;               // as policy/inputs.h reads them
    std::vector<std::string> programs;
    std::size_t prefixes;
    DenialCounts denials;
    std::uint64_t lost_events;      // that nobody has fetched in time
    std::vector<Refusal> refusals;  // the newest first, at most JAIL_MAX_REFUSALS
};

// In the order of the cgroups' names. Jails that go meanwhile are left out. Errors: EX_UNAVAILABLE where there is no cgroup v2, EX_NOPERM, EX_OSERR.
Result<std::vector<JailReport>> list_jails();

}  // namespace jail_ai
