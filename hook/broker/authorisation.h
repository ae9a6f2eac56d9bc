// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// May this user have that process jailed? Checked from facts that broker/target.h collects. Pure;
// each check is a predicate of its own.
#pragma once

#include <sys/types.h>

#include <vector>

#include "base/result.h"

namespace jail_ai {

// Who is at the other end of the connection, as the kernel knew it when it was made (SO_PEERCRED,
// unix(7)).
struct Peer {
    pid_t pid;  // in the broker's PID namespace; 0 for one that it doesn't show. May have ended,
                // and the number have been given to another
    uid_t uid;  // effective, in the broker's user namespace
};

// What is known of the process behind the pidfd.
struct TargetProcess {
    pid_t pid;
    bool in_initial_user_namespace;
    uid_t user_namespace_owner;  // 0 for the initial one
};

// A user who made a user namespace has every capability over the processes in it
// (user_namespaces(7)): the kernel lets this peer trace and kill the target. The uid of the target
// itself says less, for under --userns=keep-id it is one of the user's subordinate uids. What is in
// the machine's own user namespace is root's to jail.
bool owns_user_namespace(const Peer& peer, const TargetProcess& target);

// The process that asks is not the one to be jailed, as it is not for any engine.
bool asks_for_another(const Peer& peer, const TargetProcess& target);

// The cgroup, or one above it, was given to the peer: only its owner or root makes cgroups in it
// and moves processes into it (cgroups(7), "Delegation"). The container's own cgroup may belong to
// another, for crun gives it to the container's root, a subordinate uid.
bool owns_cgroup(const Peer& peer, const std::vector<uid_t>& owners);

// The first two, and the third. Errors: EX_NOPERM, saying which does not hold.
Status authorise_process(const Peer& peer, const TargetProcess& target);
Status authorise_cgroup(const Peer& peer, const std::vector<uid_t>& owners);

}  // namespace jail_ai
