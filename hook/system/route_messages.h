// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which prefixes a message of rtnetlink(7) says are delivered to the host.
#pragma once

#include <linux/rtnetlink.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip_prefix.h"
#include "system/netlink_reply.h"

namespace jail_ai {

struct DeliveredPrefix {
    IpPrefix prefix;
    jail_reason reason;
    std::uint32_t interface;  // its index; 0 for none
};

// Nothing where the message is at odds with itself.
std::optional<DeliveredPrefix> read_route(const rtmsg& route, const Attributes& attributes);

// The address of an interface, and the broadcast address that goes with it: none, one or both.
std::vector<DeliveredPrefix> read_interface_addresses(const ifaddrmsg& message,
                                                      const Attributes& attributes);

}  // namespace jail_ai
