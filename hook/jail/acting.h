// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Proves that a jail acts. That its programs are attached doesn't say that the kernel asks them,
// nor that their word is the last.
#pragma once

#include "base/result.h"
#include "policy/policy.h"
#include "policy/risks.h"

namespace jail_ai {

// Something in the cgroup is denied by every line of the jail (policy/probe.h), which counts it
// apart from what it denies to others; nothing is left in the cgroup, and nothing leaves the
// machine. `probe_map` is the jail's jail_probe; two probes of one jail at a time wait for each
// other. The jail may be in force for long; where its cgroup can hold no process, one below it that
// can is taken. Needs a prober (system/prober.h). Errors: EX_UNAVAILABLE if a line doesn't act,
// EX_TEMPFAIL if that can't be shown now (the cgroup is frozen, for one), EX_NOINPUT if the
// cgroup is gone, EX_OSERR.
Status prove_acting(int cgroup_fd, int probe_map, const Policy& policy, Guard guard);

// Proves it of the jail that is attached to the cgroup. Does nothing if that is frozen, for then
// nothing in it runs, or where the jail is of a version that can't be probed. Errors as above.
Status prove_attached(int cgroup_fd);

}  // namespace jail_ai
