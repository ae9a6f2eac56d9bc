// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A jail on trial: whether one acts on this machine.
#pragma once

#include "base/result.h"

namespace jail_ai {

// Jails a cgroup that it makes below the caller's own, has it proved, and takes all of it away.
// Needs root and a prober (system/prober.h). Errors: EX_UNAVAILABLE where a jail doesn't act; any
// other where that can't be shown here.
Status try_to_jail();

}  // namespace jail_ai
