// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Connections from before: the programs let nothing of them leave for an address that is denied
// now; this ends their sockets, so that no program waits for an answer that can't come.
#pragma once

#include "base/result.h"
#include "jail/open_jail.h"
#include "policy/policy.h"

namespace jail_ai {

// Ends the TCP connections of the cgroup that lead to what the jail denies and that it hasn't
// accepted since the jail was made (jail_accepted). Gives how many. `rules` is what is in the jail.
// A jail that only watches ends none. Needs what end_tcp_connections() needs; errors as there.
Result<unsigned> end_blocked_connections(int cgroup_fd, const OpenJail& jail, const Rules& rules);

// The same for the cgroup that is directly jailed there; 0 if none is.
Result<unsigned> end_blocked_connections(int cgroup_fd);

}  // namespace jail_ai
