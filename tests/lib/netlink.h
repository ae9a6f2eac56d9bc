// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The few rtnetlink(7) requests that build a network, without any tool: the suites also run in an
// initramfs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "ip.h"

namespace jail_ai::test {

// A conversation with the kernel about the network namespace that the thread was in when the object
// was made. Everything throws.
class Netlink {
public:
    Netlink();

    // One end stays here, the other appears in the other namespace. A MAC address is
    // "02:00:00:77:00:01", or empty for one by chance.
    void add_veth(const std::string& name, const std::string& peer, int peer_netns,
                  const std::string& mac = "", const std::string& peer_mac = "");
    // Of a kind that takes nothing but an interface below it, 0 for none: "dummy", "macvtap".
    void add_link(const std::string& name, const char* kind, unsigned below = 0);
    // A bridge without multicast snooping, which would keep reports from the host for a while.
    void add_bridge(const std::string& name, const std::string& mac);
    // Share the wire of `parent`, which is here, and may be in another namespace (-1: this one): in
    // mode bridge, and in mode L2 with the parent's address.
    void add_macvlan(const std::string& name, const std::string& mac, const std::string& parent,
                     int netns = -1);
    void add_ipvlan(const std::string& name, const std::string& parent, int netns = -1);
    // One that isn't there any more is none to delete.
    void delete_link(const std::string& name);
    void set_up(const std::string& interface);
    void set_down(const std::string& interface);  // which takes its IPv6 addresses
    void set_master(const std::string& interface, const std::string& master);  // a bridge or a VRF
    void set_mtu(const std::string& interface, std::uint32_t bytes);
    void add_address(const std::string& interface, const std::string& prefix);
    void remove_address(const std::string& interface, const std::string& prefix);
    void add_route(const std::string& prefix, const std::string& via);
    // One that need not be asked for.
    void add_neighbour(const std::string& interface, const std::string& address,
                       const std::string& mac);
    // Type `local`, table `local`, on lo: what an address of the machine looks like to whoever
    // reads the table. In few system calls.
    void add_local_routes(const std::vector<IpPrefix>& prefixes);

private:
    class Message;
    struct LinkKind {
        const char* name;
        std::string mac;
        unsigned below;  // interface, or 0
        int netns;       // or -1
        unsigned short option;
        const void* value;  // of the option
        std::size_t option_size;
    };
    void add_link(const LinkKind& kind, const std::string& name);
    void set_flags(const std::string& interface, unsigned flags);
    void send_and_confirm(const std::string& messages, const std::string& doing);
    void request(Message& message, const std::string& doing);
    void change_link(const std::string& interface, unsigned short attribute, std::uint32_t value);

    UniqueFd socket_;
    unsigned sequence_ = 0;
};

// Of the thread's network namespace.
unsigned interface_index(const std::string& name);

}  // namespace jail_ai::test
