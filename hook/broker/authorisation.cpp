// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/authorisation.h"

#include <fmt/format.h>

#include <algorithm>

namespace jail_ai {

bool owns_user_namespace(const Peer& peer, const TargetProcess& target) {
    return target.in_initial_user_namespace ? peer.uid == 0
                                            : target.user_namespace_owner == peer.uid;
}

bool asks_for_another(const Peer& peer, const TargetProcess& target) {
    return peer.pid != target.pid;
}

bool owns_cgroup(const Peer& peer, const std::vector<uid_t>& owners) {
    return std::ranges::find(owners, peer.uid) != owners.end();
}

Status authorise_process(const Peer& peer, const TargetProcess& target) {
    const auto reject = [&](std::string_view why) {
        return Error{EX_NOPERM, fmt::format("process {} is not for uid {} to jail: {}", target.pid,
                                            peer.uid, why)};
    };
    if (!owns_user_namespace(peer, target))
        return reject(target.in_initial_user_namespace
                          ? "it is in no user namespace but the machine's"
                          : "its user namespace is another user's");
    if (!asks_for_another(peer, target)) return reject("it asks for itself");
    return ok();
}

Status authorise_cgroup(const Peer& peer, const std::vector<uid_t>& owners) {
    if (owns_cgroup(peer, owners)) return ok();
    return Error{EX_NOPERM, fmt::format("neither the container's cgroup nor one above it belongs "
                                        "to uid {}: for rootless podman, run it in a systemd user "
                                        "session, which gets cgroups of its own",
                                        peer.uid)};
}

}  // namespace jail_ai
