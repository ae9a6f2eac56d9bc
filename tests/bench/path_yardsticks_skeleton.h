// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// As jail/skeleton.h.
#pragma once
#pragma GCC system_header

#include "bpf/path_yardsticks_bpf.skel.h"
