// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/connections.h"

#include <netinet/in.h>

#include "jail/attached_policy.h"
#include "jail/list.h"
#include "jail/program_table.h"
#include "policy/judge.h"
#include "system/tcp_connections.h"

namespace jail_ai {

Result<unsigned> end_blocked_connections(int cgroup_fd, const std::vector<ProgramMap>& maps, const Rules& rules) {
    const ProgramMap* accepted = find_map(maps, "jail_accepted");
    if (accepted == nullptr) return 0U;
    auto mode = TRY(read_mode(maps));
    if (mode != Mode::enforce) return 0U;
    return end_tcp_connections(cgroup_fd, accepted->fd.get(), [&](const TcpPeer& peer) {
        const Judgement judgement = judge(rules, peer.address, IPPROTO_TCP, peer.port);
        return judgement.blocked && !judgement.is_own();
    });
}

Result<unsigned> end_blocked_connections(int cgroup_fd) {
    auto programs = TRY(attached_programs(cgroup_fd, kProgramTable.front()));
    if (programs.empty()) return 0U;
    auto maps = TRY(maps_of(programs.front().fd.get()));
    const ProgramMap* map = find_map(maps, "jail_rules");
    if (map == nullptr) return 0U;
    auto rules = TRY(read_rules(map->fd.get()));
    return end_blocked_connections(cgroup_fd, maps, rules);
}

}  // namespace jail_ai
