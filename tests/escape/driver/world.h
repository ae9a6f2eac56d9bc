// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A world is the host around a jail as users have it: what it routes, translates and masquerades,
// by what the container is linked to it, and by which of its addresses the routes try to reach it.
// Every world runs every route.
#pragma once

#include <string>
#include <vector>

namespace escape {

inline constexpr const char* host_mac = "02:00:00:77:00:01";
inline constexpr const char* container_mac = "02:00:00:77:00:02";

enum class Link {
    veth,
    bridge,   // a veth pair, the host's end in a bridge
    macvlan,  // siblings on one parent
    ipvlan,   // the same, with one MAC address
    helper,   // tap0, carried by a program outside: a user-mode network. The host has no end of it
};

struct World {
    struct Setting {
        const char *path, *value;  // below /proc/sys/net
    };

    const char* name;
    const char* what;
    Link link = Link::veth;
    // How the adversary is to address the host.
    const char *host4 = "10.77.0.1", *second4 = "10.77.9.1", *host6 = "fd77::1",
               *link6 = "fe80::77:1";
    // The container's addresses on its link, and its gateways there.
    const char *own4 = "10.77.0.2", *own6 = "fd77::2", *gateway4 = "10.77.0.1",
               *gateway6 = "fd77::1";
    // Addresses of the host beyond those of lab.h.
    std::vector<const char*> addresses{};
    // In the host's namespace, and in each of the container's.
    std::vector<Setting> host_settings{}, container_settings{};
    // Commands for `ip -batch` and `ip -6 -batch`, and rules for nft, in the host's namespace
    // before the container is linked to it.
    const char *ip = "", *ip6 = "", *nft = "";
    // What vh is added to, and commands of both kinds each time that it is there.
    const char *master = "", *linked_ip = "", *linked_ip6 = "";
    bool second_leg = false;  // eth1 to another network of the host, see lab.h
    bool joined =
        false;  // the container's configuration names the network namespace of another one
    // Of a user-mode network: the command, see user_network.h.
    std::vector<const char*> helper{};

    bool is_relayed() const { return link == Link::helper; }
    const char* own_mac() const { return link == Link::ipvlan ? host_mac : container_mac; }
    const char* container_link() const { return is_relayed() ? "tap0" : "eth0"; }
    const char* host_link() const { return is_relayed() ? "hx" : "vh"; }
};

const std::vector<World>& all_worlds();

}  // namespace escape
