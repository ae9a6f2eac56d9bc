// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Can this kernel, for this caller, run the guard: BPF LSM programs on a cgroup, which stop what no
// network hook sees?
#pragma once

#include "base/result.h"

namespace jail_ai {

// Errors of all: EX_OSERR, EX_NOPERM, EX_IOERR where the kernel can't be asked.

// BPF_LSM_CGROUP came with Linux 6.0. For arm64 it came with 6.4, whose ftrace calls programs
// directly: before, attaching fails (ENOTSUPP) although "bpf" is among the active modules. Older
// kernels that have it by backport get no guard, which is the safe way to be wrong.
Result<bool> kernel_has_lsm_cgroup();

// cgroup hooks for connect(2) and sendto(2) of Unix sockets (Linux 6.7), and the kernel's BTF,
// without which programs for them don't load.
Result<bool> kernel_has_unix_hooks();

// Does lockdown keep BPF programs from reading the kernel's memory? (lockdown=confidentiality,
// kernel_lockdown(7))
Result<bool> kernel_is_confidential();

// Such a kernel with "bpf" among the active security modules, and a caller in the initial user
// namespace. Where securityfs is not mounted or doesn't say, the answer is false.
Result<bool> guard_is_available();

}  // namespace jail_ai
