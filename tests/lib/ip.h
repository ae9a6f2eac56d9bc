// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Addresses as the laboratory's netlink messages and the tests' tables want them: text in,
// network-order bytes and sockaddrs out.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace jail_ai::test {

struct IpAddress {
    int family = 0;  // AF_INET or AF_INET6
    std::array<std::uint8_t, 16> bytes{};

    std::size_t size() const { return family == AF_INET6 ? 16 : 4; }
};

struct IpPrefix {
    IpAddress address;
    std::uint8_t length;
};

IpAddress parse_address(const std::string& text);
IpPrefix parse_prefix(const std::string& text);  // "10.77.0.1/24"; the bits behind the length stay

// A socket address, trivially copyable so that it travels to a child.
struct Destination {
    sockaddr_storage address;
    socklen_t length;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
    int family() const { return address.ss_family; }
};

// `scope` is the interface of a link-local IPv6 address, 0 for none.
Destination destination(const std::string& address, std::uint16_t port, unsigned scope = 0);

}  // namespace jail_ai::test
