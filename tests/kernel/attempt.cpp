// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "attempt.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "must.h"

namespace jail_ai::test {
namespace {

UniqueFd open_socket(int family, int type) {
    UniqueFd socket(must(::socket(family, type | SOCK_CLOEXEC, 0), "open a socket"));
    const int yes = 1;
    const int no = 0;
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes),
         "permit broadcasts");
    if (family == AF_INET6)
        must(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no),
             "permit IPv4 on an IPv6 socket");
    const timeval patience{3, 0};
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
         "bound a connect");
    return socket;
}

int error_of(ssize_t returned) {
    return returned < 0 ? errno : 0;
}

int connect_and_send(int family, int type, const Destination& to, Token token) {
    const UniqueFd socket = open_socket(family, type);
    if (::connect(socket.get(), to.get(), to.length) != 0) return errno;
    return error_of(::send(socket.get(), &token, sizeof token, MSG_NOSIGNAL));
}

int send_to(int family, const Destination& to, Token token) {
    const UniqueFd socket = open_socket(family, SOCK_DGRAM);
    return error_of(::sendto(socket.get(), &token, sizeof token, 0, to.get(), to.length));
}

struct Datagram {
    Destination to;
    Token token;
    iovec vector;
};

mmsghdr header_of(Datagram& datagram) {
    datagram.vector = {&datagram.token, sizeof datagram.token};
    mmsghdr header{};
    header.msg_hdr.msg_name = &datagram.to.address;
    header.msg_hdr.msg_namelen = datagram.to.length;
    header.msg_hdr.msg_iov = &datagram.vector;
    header.msg_hdr.msg_iovlen = 1;
    return header;
}

}  // namespace

std::string name_of(Way way) {
    switch (way) {
        case Way::tcp_connect: return "tcp connect";
        case Way::udp_sendto: return "udp sendto";
        case Way::udp_connect: return "udp connect";
        case Way::udp_sendmmsg: return "udp sendmmsg";
        case Way::udp_sendto_unspec: return "udp sendto with AF_UNSPEC";
        case Way::udp_sendto_v4_on_v6: return "udp sendto of IPv4 on an IPv6 socket";
        case Way::udp_connect_v4_on_v6: return "udp connect of IPv4 on an IPv6 socket";
    }
    return "?";
}

int attempt(Way way, const Destination& to, Token token) {
    switch (way) {
        case Way::tcp_connect: return connect_and_send(to.family(), SOCK_STREAM, to, token);
        case Way::udp_connect: return connect_and_send(to.family(), SOCK_DGRAM, to, token);
        case Way::udp_connect_v4_on_v6: return connect_and_send(AF_INET6, SOCK_DGRAM, to, token);
        case Way::udp_sendto: return send_to(to.family(), to, token);
        case Way::udp_sendto_v4_on_v6: return send_to(AF_INET6, to, token);
        case Way::udp_sendto_unspec: {
            Destination disguised = to;
            disguised.address.ss_family = AF_UNSPEC;
            return send_to(to.family(), disguised, token);
        }
        case Way::udp_sendmmsg: {
            const UniqueFd socket = open_socket(to.family(), SOCK_DGRAM);
            Datagram datagram{to, token, {}};
            mmsghdr header = header_of(datagram);
            return error_of(::sendmmsg(socket.get(), &header, 1, 0));
        }
    }
    return ENOSYS;
}

int send_two(const Destination& first, Token first_token, const Destination& second,
             Token second_token) {
    const UniqueFd socket = open_socket(first.family(), SOCK_DGRAM);
    Datagram datagrams[2] = {{first, first_token, {}}, {second, second_token, {}}};
    mmsghdr headers[2] = {header_of(datagrams[0]), header_of(datagrams[1])};
    return ::sendmmsg(socket.get(), headers, 2, 0);
}

int ping(const Destination& to) {
    const bool v4 = to.family() == AF_INET;
    const UniqueFd socket(must(::socket(to.family(), SOCK_RAW | SOCK_CLOEXEC,
                                        v4 ? IPPROTO_ICMP : static_cast<int>(IPPROTO_ICMPV6)),
                               "open a raw socket"));
    const timeval patience{3, 0};
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    // Type, code, checksum, id, sequence. The kernel computes ICMPv6's checksum and not ICMP's; of
    // a header that is else all zero it is this.
    const std::uint8_t request4[8] = {8, 0, 0xf7, 0xff};
    const std::uint8_t request6[8] = {128};
    if (::sendto(socket.get(), v4 ? request4 : request6, sizeof request4, 0, to.get(),
                 v4 ? to.length : sizeof(sockaddr_in6)) < 0)
        return errno;
    for (;;) {
        std::uint8_t packet[256];
        const ssize_t got = ::recv(socket.get(), packet, sizeof packet, 0);
        if (got < 0) return errno;
        if (v4 ? packet[20] == 0 : packet[0] == 129) return 0;
    }
}

int send_aside(const Destination& connected_to, const Destination& to, Token token) {
    const UniqueFd socket = open_socket(connected_to.family(), SOCK_DGRAM);
    must(::connect(socket.get(), connected_to.get(), connected_to.length), "connect a UDP socket");
    return error_of(::sendto(socket.get(), &token, sizeof token, 0, to.get(), to.length));
}

}  // namespace jail_ai::test
