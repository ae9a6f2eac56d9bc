// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Two strangers, and a container that the hook has jailed with a second process in a cgroup below
// its own; all in one network namespace. What is done from inside is tried by a stranger as well,
// so that only the guard can have made the difference.
#pragma once

#include <doctest/doctest.h>

#include "channel.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "protocol_reporter.h"

// For kernels that have no guard.
#define NEED_GUARD() \
    if (!::jail_ai::test::kernel_has_guard()) SKIP_CASE("no BPF LSM on this kernel")

namespace jail_ai::test {

// Before the hook starts: it can't read which security modules are active, and so takes BPF LSM for
// missing.
void hide_list_of_lsms();

struct WithoutLsm {
    const char* annotations = nullptr;  // nullptr: only that the host is to be blocked
};

struct Rig {
    explicit Rig(const NetworkNamespace& network = Laboratory::get().network.container);
    // In the engine's network namespace, made by a hook that can't tell that BPF LSM is active, if
    // it is.
    explicit Rig(WithoutLsm how);

    const NetworkNamespace& network;
    Channel channel;
    TestCgroup outside;
    Child stranger;
    Child neighbour;  // the other stranger, for what the first one hands over
    Container container;
    HookOutcome outcome;
    TestCgroup below;
    Child nested;  // inside, in `below`

private:
    Rig(const NetworkNamespace& network, const char* annotations, bool hides_lsm);
};

// The attempt, 0 or errno, fails in the child with the error and is counted for the reason and no
// other.
template <typename Attempt>
void expect_denied(const Rig& rig, Child& inside, jail_reason reason, Attempt attempt,
                   const char* error = "EPERM") {
    const DenialCounts before = denials(rig.container.cgroup);
    CHECK(error_name(inside.run(attempt)) == error);
    CHECK(change(before, denials(rig.container.cgroup)) == one_more(reason));
}

// It works there and nothing is counted.
template <typename Attempt>
void expect_allowed(const Rig& rig, Child& child, Attempt attempt) {
    const DenialCounts before = denials(rig.container.cgroup);
    CHECK(error_name(child.run(attempt)) == "none");
    CHECK(change(before, denials(rig.container.cgroup)) == "");
}

// The message that waits in the channel comes to the receiver with so many descriptors and whole,
// and nothing is counted.
void expect_received(const Rig& rig, Child& receiver, int count);
// Of it only so many descriptors come, the next one is kept out and counted for the reason and no
// other. `flags` of recvmsg(2).
void expect_kept_out(const Rig& rig, Child& receiver, jail_reason reason, int came_before,
                     int flags = 0);

}  // namespace jail_ai::test
