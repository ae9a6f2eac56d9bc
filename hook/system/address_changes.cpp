// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/address_changes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>

namespace jail_ai {

Result<AddressChanges> AddressChanges::open() {
    UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    if (!fd) return system_error("rtnetlink socket", errno);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    // Without a port of its own it would be taken for the sender of what the kernel itself does,
    // and not be seen.
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return system_error("bind to rtnetlink", errno);
    for (const int group :
         {RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE})
        if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
            return system_error("rtnetlink group", errno);
    return AddressChanges(std::move(fd));
}

Result<bool> AddressChanges::take() {
    bool any = false;
    std::array<char, 16U << 10> buffer;
    while (true) {
        const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return any;
        if (got < 0 && errno != ENOBUFS) return system_error("receive from rtnetlink", errno);
        any = true;
    }
}

}  // namespace jail_ai
