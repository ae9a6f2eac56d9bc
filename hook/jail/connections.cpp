// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/connections.h"

#include <netinet/in.h>

#include "policy/evaluate.h"
#include "system/tcp_connections.h"

namespace jail_ai {

Result<unsigned> end_blocked_connections(int cgroup_fd, const OpenJail& jail, const Rules& rules) {
    const ProgramMap* accepted = jail.map("jail_accepted");
    if (accepted == nullptr) return 0U;
    auto mode = TRY(read_mode(jail));
    if (mode != Mode::enforce) return 0U;
    return end_tcp_connections(cgroup_fd, accepted->fd.get(), [&](const TcpPeer& peer) {
        const Evaluation evaluation = evaluate(rules, peer.address, IPPROTO_TCP, peer.port);
        return evaluation.denied && !evaluation.is_container_local();
    });
}

Result<unsigned> end_blocked_connections(int cgroup_fd) {
    const auto jail = TRY(open_jail_of(cgroup_fd));
    if (!jail || jail->map("jail_rules") == nullptr) return 0U;
    const auto rules = TRY(read_rules(*jail));
    return end_blocked_connections(cgroup_fd, *jail, rules);
}

}  // namespace jail_ai
