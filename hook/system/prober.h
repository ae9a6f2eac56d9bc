// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The process that makes sockets in cgroups and tries to send by them, so that the one that
// confines itself need not: it is started before, has a filter of its own (sandbox/sandbox.h), and
// is sent nothing but a cgroup, addresses and ports.
//
// Theory of operation. What a cgroup's programs say of a socket goes by the cgroup in which it was
// made. So a child is made in that cgroup (CLONE_INTO_CGROUP, clone(2), Linux 5.7), makes the
// sockets and ends; the three processes share their descriptors. A cgroup that has as many
// processes as it may (pids.max) takes a child that moves there (cgroups(7)). A cgroup that isn't
// there any more for long has the prober's child for no longer: it does nothing but socket(2). Then
// the prober tries what it is sent, with sockets that are bound to the loopback device and have a
// hop limit of 1, so that nothing leaves the machine where the programs don't act.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"
#include "policy/probe.h"

namespace jail_ai {

// Sockets that were made in a cgroup, by their cookies (SO_COOKIE, socket(7)); 0 for none.
struct ProbeSockets {
    std::uint64_t v4;
    std::uint64_t v6;  // 0 also if this machine has no IPv6
    std::uint64_t unix_datagram;
    int family_error;  // errno of the call for the protocol that the guard denies
};

class Prober {
public:
    // Starts the process, which ends with the caller. `confine` runs in it first.
    static Status start(Status (*confine)());

    // The one that was started. Error: EX_SOFTWARE.
    static Result<Prober*> get();

    // Ends it, if one was started, and waits for that. It would end with the caller by itself, but
    // be left to the process that adopts orphans then; crun does, and where both end at once it
    // sees the one SIGCHLD, of the wrong process, and waits for its hook until that has timed out.
    static void end();

    // Makes sockets in the cgroup: IPv4 and IPv6, one for Unix where wanted; and asks for one of
    // `protocol`, unless that is 0. Nothing of it is in the cgroup when this returns. Errors:
    // EX_TEMPFAIL if nothing can be in it, EX_NOINPUT if it is gone, EX_OSERR.
    Result<ProbeSockets> make_sockets(int cgroup_fd, std::uint32_t protocol, bool with_unix);

    // Tries the plan with them and lets go of them. Gives an errno or 0 by line.
    Result<PerLine<int>> attempt(const ProbePlan& plan);

private:
    Prober(UniqueFd channel, UniqueFd pidfd)
        : channel_(std::move(channel)), pidfd_(std::move(pidfd)) {}

    template <typename Answer, typename Question>
    Result<Answer> ask(const Question& question);

    UniqueFd channel_;
    UniqueFd pidfd_;
};

}  // namespace jail_ai
