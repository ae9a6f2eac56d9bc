// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See target.h.
#include "broker/target.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "jail/attachment.h"
#include "jail/inspect.h"
#include "system/cgroup_tree.h"

namespace jail_ai {
namespace {

Status check_process(const Peer& peer, const Process& process) {
    auto user_namespace = process.user_namespace();
    if (!user_namespace) return std::move(user_namespace).error();
    return authorise_process(peer, {process.pid(), user_namespace->is_initial, user_namespace->owner});
}

Status check_cgroup(const Peer& peer, const Cgroup& cgroup) {
    auto owners = cgroup_owners(cgroup.fd());
    if (!owners) return std::move(owners).error();
    return authorise_cgroup(peer, *owners);
}

// By its number, which may have been given to another since it connected. That another would be no way round: all that this keeps a jailed agent
// from is asking at all, and none of its questions would be answered to its advantage.
Status check_peer_is_free(const Peer& peer) {
    auto process = Process::open(peer.pid);
    if (!process) return std::move(process).error().context("whoever asks");
    auto cgroup = open_cgroup_of(*process);
    if (!cgroup) return std::move(cgroup).error().context("whoever asks");
    auto jailed = is_jailed(cgroup->get());
    if (!jailed) return std::move(jailed).error();
    if (*jailed) return Error{EX_NOPERM, fmt::format("process {} asks from inside of a jail, where everything is jailed already", peer.pid)};
    return ok();
}

Status check_number_of_jails(const Peer& peer, const Cgroup& cgroup, std::size_t most) {
    if (peer.uid == 0) return ok();  // root's are the machine's
    auto top = topmost_of(cgroup.fd(), peer.uid);
    if (!top) return std::move(top).error();
    std::size_t jails = 0;
    auto walked = for_each_cgroup(top->get(), [&](int fd) -> Status {
        auto programs = attached_programs(fd, kProgramTable.front());
        if (!programs) return std::move(programs).error();
        if (!programs->empty()) ++jails;
        return ok();
    });
    if (!walked) return std::move(walked).error().context(fmt::format("count the jails of uid {}", peer.uid));
    if (jails >= most)
        return Error{EX_UNAVAILABLE, fmt::format("uid {} has {} jails, as many as a user may have here (--max-jails)", peer.uid, jails)};
    return ok();
}

}  // namespace

Result<ProvedTarget> ProvedTarget::of(const Peer& peer, UniqueFd pidfd, std::size_t most_jails) {
    auto process = Process::behind(std::move(pidfd));
    if (!process) return std::move(process).error();
    // Whose it is comes first: what another's cgroup holds is not for everybody to know.
    if (auto authorised = check_process(peer, *process); !authorised) return std::move(authorised).error();
    auto cgroup = Cgroup::of(*process);
    if (!cgroup) return std::move(cgroup).error();
    ProvedTarget target(peer, std::move(*process), std::move(*cgroup));
    if (auto proved = target.recheck(); !proved) return std::move(proved).error();
    if (auto is_free = check_peer_is_free(peer); !is_free) return std::move(is_free).error();
    auto jailed = attached_programs(target.cgroup_.fd());
    if (!jailed) return std::move(jailed).error();
    if (!jailed->empty()) return already_jailed(target.cgroup_);
    if (auto bounded = check_number_of_jails(peer, target.cgroup_, most_jails); !bounded) return std::move(bounded).error();
    return target;
}

Status ProvedTarget::recheck() const {
    if (auto authorised = check_process(peer_, process_); !authorised) return authorised;
    if (auto authorised = check_cgroup(peer_, cgroup_); !authorised) return authorised;
    return cgroup_.recheck(process_);
}

pid_t runtime_of(const Peer& peer) {
    const auto process = Process::open(peer.pid);
    if (!process) return 0;
    const auto parent = process->parent();
    return parent ? *parent : 0;
}

}  // namespace jail_ai
