// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The guard of a jail: the BPF LSM programs of bpf/guard.bpf.c, for the routes that no network hook sees.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "container/request.h"
#include "jail/attachment.h"
#include "system/cgroup.h"

namespace jail_ai {

// What the guard tells inside and outside by.
struct GuardScope {
    std::uint64_t cgroup;          // the kernel's id of the container's cgroup
    std::uint32_t engine_network;  // inode of the caller's network namespace
};

Result<GuardScope> guard_scope(const Cgroup& cgroup);

// Loads every program of the guard; in audit mode they deny nothing. Denials are counted in the map given by descriptor. Needs CAP_BPF, CAP_PERFMON
// and CAP_NET_ADMIN in the initial user namespace, and the kernel's BTF. Errors: EX_NOPERM, EX_UNAVAILABLE for a kernel that can't, EX_OSERR.
Result<std::vector<LoadedProgram>> load_guard(const GuardScope& scope, Mode mode, int denials_fd);

}  // namespace jail_ai
