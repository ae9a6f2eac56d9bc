// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A way to have the kernel open a socket for itself, of a protocol that nobody inside may open: an
// L2TP tunnel over IP, by netlink.
#pragma once

#include <cstdint>

namespace jail_ai::test {

// Between two IPv4 addresses in network order, the first of which is the caller's. The id is new in
// its network namespace, where the tunnel stays. 0, or an errno; ENOENT where the kernel has no
// L2TP.
int make_l2tp_tunnel(std::uint32_t id, std::uint32_t from, std::uint32_t to);

}  // namespace jail_ai::test
