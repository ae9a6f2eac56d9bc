// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Does egress see the packets that connection tracking puts together from fragments?
#pragma once

namespace jail_ai {

// Fragments come from raw sockets alone. Before Linux 6.9, and the stable kernels that have this
// from it, the kernel takes the socket away from a packet that it has put together from them on the
// way out (where connection tracking is on in the network namespace), and calls no hook of a cgroup
// for it. False also if the kernel doesn't publish its types.
bool kernel_keeps_sockets_of_fragments();

}  // namespace jail_ai
