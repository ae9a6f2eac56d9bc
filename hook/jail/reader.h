// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The one reader of jails that are attached: the kernel is the database. Needs CAP_SYS_ADMIN, as
// inspect.h does.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/result.h"
#include "jail/snapshot.h"

namespace jail_ai {

// What of a jail to read. Verbs that print jails, or what they say, look for the first network
// hook; who checks them looks for any program of ours.
enum class JailPart {
    denials,   // metadata, the names of the programs, the number of prefixes, counts and denials
    programs,  // metadata, programs with their maps, overriders
    policy,    // metadata, rules and ports: of a jail of another version neither
};

// The cgroup's own jail; nothing if no program of ours that is looked for is attached right
// there. Errors: EX_NOPERM, EX_OSERR.
Result<std::optional<JailSnapshot>> read_jail(int cgroup_fd, JailPart part);

// Those of all cgroups, in the order of their names. Errors: EX_UNAVAILABLE if there is no
// cgroup v2, EX_NOPERM, EX_OSERR.
Result<std::vector<JailSnapshot>> read_jails(JailPart part);

// The same of cgroups that were given to the user, or are below one that was (cgroups(7),
// "Delegation").
Result<std::vector<JailSnapshot>> read_jails_of(uid_t user, JailPart part);

}  // namespace jail_ai
