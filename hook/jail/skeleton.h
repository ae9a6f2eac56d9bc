// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The skeleton that bpftool generates, marked as a system header: it is C, and its casts are not ours to mend.
#pragma once
#pragma GCC system_header

#include "jail_bpf.skel.h"
