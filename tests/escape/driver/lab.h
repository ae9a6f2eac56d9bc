// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The laboratory: three network namespaces without names, which vanish with the process.
//
//   container  eth0 10.77.0.2/24 fd77::2  ──  vh 10.77.0.1/24 fd77::1 fe80::77:1
//                                             host  (lo also 10.77.9.1)  forwards
//   ext        eth0 10.78.0.2/24 fd78::2  ──  hx 10.78.0.1/24 fd78::1
//
// and what the world (world.h) changes about them: the kind of vh, or tap0 of a user-mode network
// instead of eth0 and vh, and a second leg of the container
//
//              eth1 10.76.0.2/24 fd76::2  ──  vg 10.76.0.1/24 fd76::1
//
// The host is as lenient as a host can be: it honours source routes and segment routing, so that a
// route which needs that is seen.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "netns.h"
#include "user_network.h"
#include "world.h"

namespace escape {

inline constexpr uint16_t port = 20000;            // TCP and UDP listeners of host and ext
inline constexpr uint16_t echo_port = port + 1;    // UDP, ext: sends everything back
inline constexpr uint16_t forger_port = port + 2;  // UDP, ext: forges datagrams to order
inline constexpr uint16_t reflector_port =
    port + 3;  // UDP, host: sends back what it gets, every bit turned over
inline constexpr int conntrack_seconds =
    8;  // how long the host remembers UDP, where the world has a second leg

class Lab {
public:
    explicit Lab(const World& world);

    const World& world() const { return world_; }
    // Why the kernel, or the tools at hand, can't make this world; empty when it was made.
    const std::string& lacking() const { return lacking_; }

    int host() const { return host_.fd(); }
    int container() const { return container_.fd(); }
    int ext() const { return ext_.fd(); }
    int helper_exited() const { return user_network_.exited(); }

    // Replaces the container's namespace by a fresh one, made by a process in the cgroup whose
    // cgroup.procs is given, or by this one.
    void renew_container(int born_in = -1);

    // Runs something in a network namespace; sockets made there stay there.
    void within(int netns, const std::function<void()>& work) const;

private:
    void link_container();
    void furnish();

    const World& world_;
    std::string lacking_;
    jail_ai::test::NetworkNamespace host_, ext_, container_{jail_ai::UniqueFd()};
    UserNetwork user_network_;
};

}  // namespace escape
