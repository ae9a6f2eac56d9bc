// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/acting.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/random.h>

#include <cstring>
#include <utility>

#include "base/deadline.h"
#include "jail/open_jail.h"
#include "policy/probe.h"
#include "system/cgroup_walk.h"
#include "system/file.h"
#include "system/prober.h"

namespace jail_ai {
namespace {

constexpr int kMostPatience = 1000;  // ms for a step of another probe, which takes a few

// The jail knows the probe for as long as this lives, and no other: verify may come upon a jail
// that a hook is about to prove.
class KnownProbe {
public:
    // Waits for its turn: for as long as others go on, one after the other. One that was killed
    // stays known, and does not. Errors: EX_TEMPFAIL if the deadline passes meanwhile, EX_OSERR.
    static Result<KnownProbe> make(int map_fd) {
        const jail_probe none{};
        jail_probe last{};
        for (int waited = 0; ::bpf_map_update_elem(map_fd, &kEntry, &none, BPF_NOEXIST) != 0;
             ++waited) {
            if (errno != EEXIST) return system_error("fill jail_probe", errno);
            if (deadline_passed())
                return Error{
                    EX_TEMPFAIL,
                    "others prove the same jail, one after the other: wait until they are done"};
            jail_probe other{};
            if (::bpf_map_lookup_elem(map_fd, &kEntry, &other) != 0 ||
                std::memcmp(&other, &last, sizeof last) != 0)
                waited = 0;
            last = other;
            ::poll(nullptr, 0, 1);
            if (waited < kMostPatience) continue;
            ::bpf_map_delete_elem(map_fd, &kEntry);
            waited = 0;
        }
        return KnownProbe(map_fd);
    }

    KnownProbe(KnownProbe&& other) noexcept : map_fd_(std::exchange(other.map_fd_, -1)) {}
    KnownProbe& operator=(KnownProbe&&) = delete;
    ~KnownProbe() {
        if (map_fd_ >= 0) ::bpf_map_delete_elem(map_fd_, &kEntry);
    }

    Status write(const jail_probe& probe) const {
        if (::bpf_map_update_elem(map_fd_, &kEntry, &probe, BPF_EXIST) != 0)
            return system_error("fill jail_probe", errno);
        return ok();
    }

    Result<jail_probe> read() const {
        jail_probe probe{};
        if (::bpf_map_lookup_elem(map_fd_, &kEntry, &probe) != 0)
            return system_error("read jail_probe", errno);
        return probe;
    }

private:
    static constexpr std::uint32_t kEntry = 0;

    explicit KnownProbe(int map_fd) : map_fd_(map_fd) {}

    int map_fd_;
};

// Returns a protocol that the kernel does not know and that no container would ask for.
Result<std::uint32_t> unheard_of_protocol() {
    std::uint32_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random)
        return system_error("get a random number", errno);
    return 0x40000000U | random >> 2;
}

Result<bool> is_frozen(int cgroup_fd) {
    const auto events = read_kernel_file(cgroup_fd, "cgroup.events");  // what is above counts there
    if (!events) return events.error();
    const auto freeze =
        read_kernel_file(cgroup_fd, "cgroup.freeze");  // and there what is about to be
    if (!freeze) return freeze.error();
    return events->find("frozen 1\n") != std::string::npos || *freeze == "1\n";
}

// In the cgroup, or in the first below it that takes a process: one with controllers for those
// below it doesn't (cgroups(7), no internal processes).
Result<ProbeSockets> make_sockets(Prober& prober, int cgroup_fd, std::uint32_t protocol,
                                  bool with_unix) {
    std::optional<Result<ProbeSockets>> made;
    TRY(walk_down(cgroup_fd, [&](int fd, const std::string& /*below*/) -> Result<Walk> {
        const auto frozen = TRY(is_frozen(fd));
        if (frozen)
            made =
                Error{EX_TEMPFAIL,
                      "nothing in the cgroup is denied anything as long as it is frozen: thaw it"};
        else
            made = prober.make_sockets(fd, protocol, with_unix);
        const bool tries_again = !*made && made->error().exit_code == EX_TEMPFAIL;
        return tries_again ? Walk::on : Walk::done;
    }));
    return std::move(*made);
}

void know_sockets(const ProbeSockets& sockets, jail_probe& probe) {
    for (const jail_line line : {JAIL_LINE_CONNECT4, JAIL_LINE_SENDMSG4, JAIL_LINE_EGRESS4})
        probe.lines[line].who = sockets.v4;
    for (const jail_line line : {JAIL_LINE_CONNECT6, JAIL_LINE_SENDMSG6, JAIL_LINE_EGRESS6})
        probe.lines[line].who = sockets.v6;
    probe.lines[JAIL_LINE_UNIX].who = sockets.unix_datagram;
}

}  // namespace

Status prove_acting(int cgroup_fd, int probe_map, const Policy& policy, Guard guard) {
    const ProbePlan plan = plan_probe(policy, guard);
    auto prober = TRY(Prober::get());
    auto known = TRY(KnownProbe::make(probe_map));
    jail_probe probe{};
    if (plan.guard) {
        probe.lines[JAIL_LINE_FAMILY].who = TRY(unheard_of_protocol());
        TRY(known.write(probe));
    }
    auto sockets = TRY(make_sockets(*prober, cgroup_fd,
                                    static_cast<std::uint32_t>(probe.lines[JAIL_LINE_FAMILY].who),
                                    plan.unix_hooks));
    // What the guard has counted stays.
    if (plan.guard) {
        probe = TRY(known.read());
    }
    know_sockets(sockets, probe);
    TRY(known.write(probe));
    auto errors = TRY(prober->attempt(plan));
    auto outcome = TRY(known.read());
    PerLine<ProbeTry> tries;
    for (std::size_t line = 0; line < tries.size(); ++line)
        tries[line] = {errors[line], outcome.lines[line].who != 0, outcome.lines[line].denied};
    tries[JAIL_LINE_FAMILY].error = sockets.family_error;
    return check_probe(plan, tries);
}

Status prove_attached(int cgroup_fd) {
    auto frozen = TRY(is_frozen(cgroup_fd));
    if (frozen) return ok();
    const auto jail = TRY(open_jail_of(cgroup_fd));
    if (!jail) return ok();
    const ProgramMap* map = jail->map("jail_probe");
    const auto metadata = TRY(read_metadata(jail->maps));
    if (map == nullptr || map->value_size != sizeof(jail_probe) || !metadata) return ok();
    const auto policy = TRY(read_policy(*jail));
    return prove_acting(cgroup_fd, map->fd.get(), policy, metadata->guard);
}

}  // namespace jail_ai
