// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// TCP connections of a cgroup as the kernel lists them, in whatever network namespaces its
// processes are, and ending them.
#pragma once

#include <cstdint>
#include <functional>

#include "base/ip_prefix.h"
#include "base/result.h"

namespace jail_ai {

struct TcpPeer {
    IpPrefix address;    // a single one
    std::uint16_t port;  // host byte order
};

// Ends the connections, made or still being made, of sockets that were created in the cgroup or
// below it, where the call says so and the socket has no storage in the BPF map (a
// BPF_MAP_TYPE_SK_STORAGE; sock_diag reports it since Linux 5.7). Anyone who reads or writes such a
// socket gets ECONNABORTED. Gives how many. Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and, for the
// processes' namespaces, CAP_SYS_PTRACE. Errors: EX_UNAVAILABLE for a kernel without tcp_diag or
// CONFIG_INET_DIAG_DESTROY, EX_OSERR, and those of walk_down().
Result<unsigned> end_tcp_connections(int cgroup_fd, int without_storage_in,
                                     const std::function<bool(const TcpPeer& peer)>& ends);

}  // namespace jail_ai
