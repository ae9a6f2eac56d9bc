// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "rig.h"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <stdexcept>

#include "must.h"

namespace jail_ai::test {

namespace {

HookOutcome run_hook(const Container& container, bool hides_lsm) {
    HookCall call = container.call();
    if (hides_lsm) call.before_exec = hide_list_of_lsms;
    return Laboratory::get().hook.run(call);
}

Received receive_in(Child& child, int channel, int flags = 0) {
    return child.run([=] {
        const Received received = receive_descriptors(channel, flags);
        ::close(received.last);
        return received;
    });
}

}  // namespace

void hide_list_of_lsms() {
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    must(::mount("tmpfs", "/sys/kernel/security", "tmpfs", 0, nullptr), "hide the list of LSMs");
}

Rig::Rig(const NetworkNamespace& where) : Rig(where, nullptr, false) {
    if (jail_attachments(container.cgroup.fd()).size() != programs_of_a_jail())
        throw std::runtime_error("not every program is attached");
}

Rig::Rig(WithoutLsm how) : Rig(Laboratory::get().network.host, how.annotations, true) {}

// The hook wants the container's process alone in the cgroup: it runs before there is anything
// below.
Rig::Rig(const NetworkNamespace& where, const char* annotations, bool hides_lsm)
    : network(where),
      stranger(Whereabouts{.cgroup = &outside, .network = &where}),
      neighbour(Whereabouts{.cgroup = &outside, .network = &where}),
      container(Container::Options{.network = &where, .annotations = annotations}),
      outcome(run_hook(container, hides_lsm)),
      below(container.cgroup, "below"),
      nested(Whereabouts{.cgroup = &below, .network = &where}) {
    if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
}

void expect_received(const Rig& rig, Child& receiver, int count) {
    const DenialCounts before = denials(rig.container.cgroup);
    const Received received = receive_in(receiver, rig.channel.far());
    CHECK(received.count == count);
    CHECK_FALSE(received.truncated);
    CHECK(change(before, denials(rig.container.cgroup)) == "");
}

void expect_kept_out(const Rig& rig, Child& receiver, jail_reason reason, int came_before,
                     int flags) {
    const DenialCounts before = denials(rig.container.cgroup);
    const Received received = receive_in(receiver, rig.channel.far(), flags);
    CHECK(received.count == came_before);
    CHECK(received.truncated);
    CHECK(change(before, denials(rig.container.cgroup)) == one_more(reason));
}

}  // namespace jail_ai::test
