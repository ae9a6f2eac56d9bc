// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The maps of a jail that is in force, found by its cgroup or by the machine's programs, and what
// stands in them. Needs CAP_SYS_ADMIN, as inspect.h does.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jail/inspect.h"
#include "jail/snapshot.h"

namespace jail_ai {

// A jail as its programs hold it, attached or about to be.
struct OpenJail {
    std::uint32_t program;         // the kernel's id of the first one
    std::vector<ProgramMap> maps;  // of the network hooks

    const ProgramMap* map(std::string_view name) const;  // nullptr for none
};

// The jail whose first program has that id. Nothing if it has gone, or the program is not a
// jail's first. Errors: EX_NOPERM, EX_OSERR.
Result<std::optional<OpenJail>> open_jail(std::uint32_t program);

// The one that is attached directly to the cgroup. Nothing if its first program isn't. Errors
// likewise.
Result<std::optional<OpenJail>> open_jail_of(int cgroup_fd);

// Ids of programs that are no jail's first, ascending.
using OtherPrograms = std::vector<std::uint32_t>;

// Calls it for each jail of this machine whose first program has a higher id than `after`, and
// gives the highest id of any program. Finds them by their programs and not by cgroups, so that
// none can be hidden by where it is. Jails that go meanwhile are left out, and what is in `others`
// isn't looked at: what this call finds to be none comes to them, for the kernel gives no id out a
// second time before it has given out 2^31 others. Ends with what `each` returns when that is an
// error. Errors: EX_NOPERM, EX_OSERR.
Result<std::uint32_t> for_each_jail(std::uint32_t after, OtherPrograms& others,
                                    const std::function<Status(OpenJail& jail)>& each);

// Nothing if the jail is of another version, or still in the making. Error: EX_OSERR.
Result<std::optional<JailMetadata>> read_metadata(const std::vector<ProgramMap>& maps);

// As the kernel has it: without sources and unused exceptions. Errors: EX_UNAVAILABLE for a jail of
// another version, EX_OSERR.
Result<Policy> read_policy(const OpenJail& jail);

// Reads only whether it enforces or counts. Errors as above.
Result<Mode> read_mode(const OpenJail& jail);

// Reads only what a denied call fails with. Errors as above.
Result<DenialError> read_denial_error(const OpenJail& jail);

// What is in jail_rules, likewise without sources. Errors as above.
Result<Rules> read_rules(const OpenJail& jail);

// What is in jail_recent, the newest first. What is forgotten while one reads is left out. Error:
// EX_OSERR.
Result<std::vector<RecentDenial>> read_recent_denials(const ProgramMap& map);

}  // namespace jail_ai
