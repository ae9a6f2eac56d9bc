// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The guard of a jail: the BPF LSM programs of bpf/guard.bpf.c, for the routes that no network hook
// sees. And what stands in for it where BPF LSM isn't active.
#pragma once

#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "jail/attachment.h"
#include "jail/loading.h"
#include "system/cgroup.h"

namespace jail_ai {

// Loads every program of the guard, for this cgroup and the caller's network namespace; in audit
// mode they deny nothing. Denials go to the maps given. Needs CAP_BPF, CAP_PERFMON and
// CAP_NET_ADMIN in the initial user namespace, and the kernel's BTF. Errors: EX_NOPERM,
// EX_UNAVAILABLE for a kernel that can't, EX_OSERR.
Result<std::vector<LoadedProgram>> load_guard(const Cgroup& cgroup, Mode mode,
                                              const RecordMaps& record);

// The programs of bpf/unix_sockets.bpf.c, which close abstract Unix sockets without telling the
// container's own from others'. As above, for a kernel that kernel_has_unix_hooks().
Result<std::vector<LoadedProgram>> load_unix_hooks(Mode mode, const RecordMaps& record);

}  // namespace jail_ai
