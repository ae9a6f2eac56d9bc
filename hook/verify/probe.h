// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Looks at the machine's containers and jails for check_containers(). Changes nothing, and leaves
// no trace in what the jails count. Needs root and a prober (system/prober.h).
#pragma once

#include "verify/facts.h"

namespace jail_ai {

// Containers that have started, and every jail. Errors: EX_UNAVAILABLE if there is no cgroup v2,
// EX_NOPERM, EX_OSERR.
Result<VerifyFacts> collect_containers();

// Jails that the host's addresses have left behind: findings of the kind `stale`, and `unreadable`
// if it is unknown. Errors: EX_OSERR.
Result<Findings> find_stale(const VerifyFacts& facts);

}  // namespace jail_ai
