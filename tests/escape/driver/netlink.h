// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Just enough rtnetlink (rtnetlink(7)) to build the laboratory's links, addresses and routes without any tool, so that the suite also
// runs in an initramfs. Every function acts in the calling thread's network namespace and gives up on failure.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>
#include <vector>

namespace escape::netlink {

// A veth pair: `name` here, `peer` in the namespace `peer_netns`.
void add_veth(const std::string& name, const std::string& mac, int peer_netns, const std::string& peer, const std::string& peer_mac);
// A bridge without multicast snooping, which would keep reports from the host for a while.
void add_bridge(const std::string& name, const std::string& mac);
// `master` is a bridge or a VRF.
void add_to(const std::string& name, const std::string& master);
// In mode bridge, on the parent that is here, for the namespace `netns` (-1: this one).
void add_macvlan(const std::string& name, const std::string& mac, const std::string& parent, int netns);
// In mode L2; its MAC address is the parent's.
void add_ipvlan(const std::string& name, const std::string& parent, int netns);
// A link that is not there any more is none to delete.
void delete_link(const std::string& name);
void set_up(const std::string& name);
// Waits until the link carries packets, which is some time after both of its ends were set up.
void wait_until_running(const std::string& name);
// Waits until somebody else has made the link: whether that was before the process of the pidfd has ended.
bool wait_until_there(const std::string& name, int maker);
void set_mtu(const std::string& name, int bytes);
// `address` is "10.0.0.1/24" or "fd00::1/64".
void add_address(const std::string& name, const std::string& address);
// A neighbour that need not be asked for.
void add_neighbour(const std::string& name, const std::string& address, const std::string& mac);
// The default route of the gateway's family.
void add_default_route(const std::string& gateway);

}  // namespace escape::netlink
