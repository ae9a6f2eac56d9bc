// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The ways in which a program sends something somewhere, each a single function to call in a child.
#pragma once

#include "ip.h"
#include "witness.h"

namespace jail_ai::test {

enum class Way {
    tcp_connect,
    udp_sendto,
    udp_connect,
    udp_sendmmsg,
    udp_sendto_unspec,    // the IPv4 address under sa_family AF_UNSPEC
    udp_sendto_v4_on_v6,  // an IPv4 sockaddr on an IPv6 socket
    udp_connect_v4_on_v6,
};
std::string name_of(Way way);

// Carries the token to the destination. 0, or the errno of the call that the way is about; a TCP
// connection that nobody answers is EINPROGRESS after three seconds.
int attempt(Way way, const Destination& to, Token token);

// One sendmmsg(2) of two datagrams: how many the kernel says it sent.
int send_two(const Destination& first, Token first_token, const Destination& second,
             Token second_token);

// One ICMP echo by a raw socket: 0 when it was answered, EAGAIN when not within three seconds, else
// the errno of sendto(2).
int ping(const Destination& to);

// On one UDP socket that is connected to the first, a datagram to the second by sendto(2).
int send_aside(const Destination& connected_to, const Destination& to, Token token);

}  // namespace jail_ai::test
