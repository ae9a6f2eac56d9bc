// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The process that a request is about, and its cgroup: found, proved to be the peer's and the
// container's alone, and proved again at will.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "base/unique_fd.h"
#include "broker/authorisation.h"
#include "broker/turn.h"
#include "system/cgroup.h"
#include "system/process.h"

namespace jail_ai {

struct ProvedTarget {
    Process process;
    Cgroup cgroup;
};

// Everything that is asked of a request before one byte of its files is read: that the descriptor
// is the pidfd of a live process; that the process and its cgroup are the peer's
// (broker/authorisation.h); that the process is alone in that cgroup (system/cgroup.h), so that
// neither the engine, the hook nor the user's shell is in it; that the peer is not jailed itself;
// that it is this cgroup's turn (broker/turn.h); that the cgroup is not jailed, for a second jail
// may be no looser; and that fewer than `most_jails` are in the topmost cgroup above it that is not
// root's, which one person was given, whatever uids there are in it. What a broker that was killed
// has left on the cgroup, without an answer, is taken off. Needs CAP_SYS_PTRACE, CAP_SYS_ADMIN and
// CAP_NET_ADMIN.
Result<ProvedTarget> prove_target(const Peer& peer, UniqueFd pidfd, const Turns& turns,
                                  std::size_t most_jails);

// A jailed agent learns nothing of jails, and asks for none. Error: EX_NOPERM if the peer is
// jailed.
Status check_peer_is_free(const Peer& peer);

// They are still what was proved, apart from the cgroup's being free of programs.
Status prove_again(const Peer& peer, const Process& process, const Cgroup& cgroup);

// The process that started the one at the other end: of a hook, the runtime. 0 if that can't be
// known any more. A number is not a process: what is read of it may only make the verdict of
// risks stricter or be the peer's own lie.
pid_t runtime_of(const Peer& peer);

}  // namespace jail_ai
