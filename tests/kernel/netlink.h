// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The few rtnetlink(7) requests that build a network. By raw socket, since the tests also run as the only program of an initramfs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "ip.h"

namespace jail_ai::test {

// A conversation with the kernel about the network namespace that the thread was in when the object was made. Everything throws.
class Netlink {
public:
    Netlink();

    // One end stays here, the other appears in the other namespace.
    void add_veth(const std::string& name, const std::string& peer, int peer_netns);
    // Of a kind that takes nothing but an interface below it, 0 for none: "dummy", "macvtap".
    void add_link(const std::string& name, const std::string& kind, unsigned below = 0);
    void set_up(const std::string& interface);
    void add_address(const std::string& interface, const std::string& prefix);
    void remove_address(const std::string& interface, const std::string& prefix);
    void add_route(const std::string& prefix, const std::string& via);
    // Type `local`, table `local`, on lo: what an address of the machine looks like to whoever reads the table. In few system calls.
    void add_local_routes(const std::vector<IpPrefix>& prefixes);

private:
    class Message;
    void send_and_confirm(const std::string& messages, const std::string& doing);
    void request(Message& message, const std::string& doing);

    UniqueFd socket_;
    unsigned sequence_ = 0;
};

// Of the thread's network namespace.
unsigned interface_index(const std::string& name);

}  // namespace jail_ai::test
