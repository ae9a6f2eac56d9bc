// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/quote.h"
#include "jail/attachment.h"
#include "jail/inspect.h"
#include "jail/pending.h"
#include "system/cgroup_walk.h"

namespace jail_ai {
namespace {

Status check_process(const Peer& peer, const Process& process) {
    auto user_namespace = TRY(process.user_namespace());
    return authorise_process(peer,
                             {process.pid(), user_namespace.is_initial, user_namespace.owner});
}

Status check_cgroup(const Peer& peer, const Cgroup& cgroup) {
    const auto cgroups = TRY(cgroup_and_above(cgroup.fd()));
    std::vector<uid_t> owners;
    std::ranges::transform(cgroups, std::back_inserter(owners), &OpenCgroup::owner);
    return authorise_cgroup(peer, owners);
}

// No other request has been answered about what is pending while it is this one's turn.
Status check_not_jailed(const Cgroup& cgroup) {
    if (TRY(is_pending(cgroup.fd()))) {
        TRY(detach_jail(cgroup.fd()).context("take off what a killed broker has left"));
        return ok();
    }
    const auto jailed = TRY(attached_programs(cgroup.fd()));
    return jailed.empty() ? ok() : Status(already_jailed(cgroup));
}

Status check_number_of_jails(const Peer& peer, const Cgroup& cgroup, std::size_t most) {
    if (peer.uid == 0) return ok();  // root's are the machine's
    const auto cgroups = TRY(cgroup_and_above(cgroup.fd()));
    const auto top = std::find_if(cgroups.rbegin(), cgroups.rend(),
                                  [](const OpenCgroup& each) { return each.owner != 0; });
    if (top == cgroups.rend())
        return Error{EX_NOPERM, "every cgroup above the container's is root's"};
    std::size_t jails = 0;
    TRY(walk_down(top->fd.get(), [&](int fd, const std::string& /*below*/) -> Result<Walk> {
            const auto programs = TRY(attached_programs(fd, kProgramTable.front()));
            if (!programs.empty()) ++jails;
            return Walk::on;
        }).context(fmt::format("count the jails of uid {}", top->owner)));
    if (jails >= most)
        return Error{
            EX_UNAVAILABLE,
            fmt::format("uid {} has {} jails, as many as a user may have here (--max-jails)",
                        top->owner, jails)};
    return ok();
}

}  // namespace

Result<ProvedTarget> prove_target(const Peer& peer, UniqueFd pidfd, const Turns& turns,
                                  std::size_t most_jails) {
    auto process = TRY(Process::from_pidfd(std::move(pidfd)));
    // Whose it is comes first: what another's cgroup holds is not for everybody to know.
    TRY(check_process(peer, process));
    auto cgroup = TRY(Cgroup::for_sole_process(process));
    TRY(prove_again(peer, process, cgroup));
    TRY(check_peer_is_free(peer));
    TRY(turns.take(cgroup));
    TRY(check_not_jailed(cgroup));
    TRY(check_number_of_jails(peer, cgroup, most_jails));
    return ProvedTarget{std::move(process), std::move(cgroup)};
}

// By its number, which may have been given to another since it connected. That another would be no
// way round: all that this keeps a jailed agent from is asking at all. No request to jail would be
// answered to its advantage, and what it would be shown is its own user's.
Status check_peer_is_free(const Peer& peer) {
    auto process = TRY(Process::open(peer.pid).context("the asking process"));
    const auto path = TRY(cgroup_path_of(process.proc_fd()).context("the asking process"));
    const auto cgroup = TRY(open_cgroup(path).context("the asking process"));
    auto jailed = TRY(is_jailed(cgroup.get()));
    if (jailed)
        return Error{
            EX_NOPERM,
            fmt::format("process {} asks from inside of a jail, where everything is jailed already",
                        peer.pid)};
    return ok();
}

Status prove_again(const Peer& peer, const Process& process, const Cgroup& cgroup) {
    TRY(check_process(peer, process));
    TRY(check_cgroup(peer, cgroup));
    return cgroup.recheck(process);
}

pid_t runtime_of(const Peer& peer) {
    const auto process = Process::open(peer.pid);
    if (!process) return 0;
    const auto parent = process->parent();
    return parent ? *parent : 0;
}

}  // namespace jail_ai
