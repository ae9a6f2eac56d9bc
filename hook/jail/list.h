// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every jail on this machine, found by walking the cgroups for our programs: the kernel is the database. Needs CAP_SYS_ADMIN.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
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

// A jail as its programs hold it, attached or about to be.
struct OpenJail {
    std::uint32_t program;         // the kernel's id of the first one
    std::vector<ProgramMap> maps;  // of the network hooks
};

// What a jail says about itself; nothing where it is of another version.
struct JailRecord {
    jail_about about;
    std::string inputs;  // as policy/inputs.h reads them
};

struct JailReport {
    std::string cgroup;               // directory, below the cgroup2 mount; "/" for the root
    std::optional<jail_about> about;  // nothing where the jail is of another version
    std::vector<std::string> programs;
    std::size_t prefixes;
    DenialCounts denials;
    std::uint64_t lost_events;      // that nobody has fetched in time
    std::vector<Refusal> refusals;  // the newest first, at most JAIL_MAX_REFUSALS

    // Empty where the jail is of another version. Who asks the broker makes it up.
    std::string_view container_id() const { return about ? about->container : ""; }
};

// The jails of this machine, by their programs and not by cgroups, so that none can be hidden by where it is. What is none of them isn't looked at
// again by a later walk: the kernel gives no id out a second time before it has given out 2^31 others.
class JailWalk {
public:
    // Calls it for each jail whose first program has a higher id than `after`, and gives the highest id of any program. Ends with what the call
    // returns when that is an error. Jails that go meanwhile are left out. Errors: EX_NOPERM, EX_OSERR.
    Result<std::uint32_t> for_each(std::uint32_t after, const std::function<Status(OpenJail& jail)>& each);

private:
    std::vector<std::uint32_t> others_;  // ids of programs that are no jail's first, ascending
};

// The jail whose first program has that id. Nothing where it has gone, or the program is no jail's first. Errors: EX_NOPERM, EX_OSERR.
Result<std::optional<OpenJail>> open_jail(std::uint32_t program);

// The map of that name, or nullptr.
const ProgramMap* find_map(const std::vector<ProgramMap>& maps, std::string_view name);

Result<std::optional<JailRecord>> read_record(const std::vector<ProgramMap>& maps);

// In the order of the cgroups' names. Errors: EX_UNAVAILABLE where there is no cgroup v2, EX_NOPERM, EX_OSERR.
Result<std::vector<JailReport>> list_jails();

}  // namespace jail_ai
