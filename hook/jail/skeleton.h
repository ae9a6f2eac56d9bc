// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The skeletons that bpftool generates, marked as a system header: they are C, and their casts are
// not ours to fix.
#pragma once
#pragma GCC system_header

#include "bpf/guard_bpf.skel.h"
#include "bpf/jail_bpf.skel.h"
#include "bpf/unix_sockets_bpf.skel.h"
