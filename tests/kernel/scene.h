// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A container that the hook has jailed, and somebody beside it whom it hasn't: same network
// namespace, another cgroup. The tables of destinations share a scene, for a table of a hundred
// rows needs no hundred jails.
#pragma once

#include "attempt.h"
#include "expect.h"

namespace jail_ai::test {

class Scene {
public:
    explicit Scene(const NetworkNamespace& network, const char* annotations = nullptr);

    // Made on first use; the suite's end takes them away.
    static Scene& own_network();
    static Scene& host_network();

    // The container gets EPERM and the denial is counted for the reason and no other; the
    // outsider's arrives at the place, the container's doesn't; and the container reaches the
    // control address on the internet the same way, uncounted.
    void expect_blocked(Way way, const Destination& to, Place at, jail_reason reason,
                        const Destination& control);
    // The container's arrives at the place and no denial is counted.
    void expect_passes(Way way, const Destination& to, Place at);

    Container container;
    TestCgroup outside;
    Child outsider;
};

}  // namespace jail_ai::test
