// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Before Linux 5.15 a socket belongs to a cgroup v2 or has a class or priority of cgroup v1, in one
// field of the kernel's. The first process in a group of net_prio, or the first class in net_cls,
// takes the cgroup from every socket that is made from then on, for good, and no program is asked
// about them. A container can bring that about where such a hierarchy is there to be mounted.
#pragma once

#include <string_view>

namespace jail_ai {

// The hierarchy of cgroup v1 that does that on this machine ("net_cls", "net_prio"), or may at any
// time; empty for none. By the kernel's release and what /proc/cgroups says (cgroups(7)).
std::string_view blinding_hierarchy(std::string_view release, std::string_view proc_cgroups);

}  // namespace jail_ai
