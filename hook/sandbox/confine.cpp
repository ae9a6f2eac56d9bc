// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/report.h"
#include "sandbox/phases.h"
#include "sandbox/sandbox.h"
#include "system/prober.h"

namespace jail_ai {
namespace {

Status prepare(Role role) {
    if (role == Role::prober) return ok();
    open_report();
    const bool jails = role == Role::create_runtime || role == Role::broker || role == Role::attach;
    if ((jails || role == Role::verify) && !Prober::get()) TRY(start_prober());
    if (!jails) return ok();
    // Who may not raise it finds out when a map doesn't fit, which on most kernels never happens.
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    return ok();
}

Status leave_no_traces(Role role) {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return system_error("become undumpable", errno);
    // Anyone who may not set limits (systemd's SystemCallFilter=~@resources) has the same by what
    // is above, and by the filter.
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (role != Role::prober) ::setrlimit(RLIMIT_NPROC, &none);
    return ok();
}

Status enter_landlock_as(Role role) {
    return role == Role::precreate ? enter_landlock() : ok();
}

}  // namespace

Status confine(Role role) {
    for (Status (*phase)(Role) :
         {prepare, leave_no_traces, drop_privileges, enter_landlock_as, enter_syscall_filter})
        TRY(phase(role).context("confine itself"));
    return ok();
}

Status start_prober() {
    return Prober::start([] { return confine(Role::prober); });
}

}  // namespace jail_ai
