// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Ordinary conversations over sockets; see talk.h.
#include "talk.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "failure.h"

namespace escape {

namespace {

using jail_ai::UniqueFd;

constexpr size_t chunk_size = 1 << 16;

uint8_t expected_byte(size_t position) {
    return static_cast<uint8_t>(position * 31 % 251);
}

}  // namespace

Endpoint::Endpoint(const std::string& address, uint16_t at) {
    if (address.find(':') == std::string::npos) {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&room);
        v4->sin_family = AF_INET;
        v4->sin_port = htons(at);
        length = sizeof(*v4);
        if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) != 1) give_up("parse " + address);
        return;
    }
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&room);
    size_t percent = address.find('%');
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(at);
    length = sizeof(*v6);
    if (percent != std::string::npos)
        v6->sin6_scope_id = ::if_nametoindex(address.c_str() + percent + 1);
    if (::inet_pton(AF_INET6, address.substr(0, percent).c_str(), &v6->sin6_addr) != 1)
        give_up("parse " + address);
}

UniqueFd open_client(int family, int type, int protocol) {
    UniqueFd fd(::socket(family, type | SOCK_CLOEXEC, protocol));
    timeval patience{talk_patience_ms / 1000, 0};
    if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

UniqueFd open_server(const Endpoint& at, int type, int protocol) {
    UniqueFd fd = open_client(at.family(), type, protocol);
    int yes = 1;
    if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (!fd || ::bind(fd.get(), at.get(), at.length) != 0 ||
        (type == SOCK_STREAM && ::listen(fd.get(), 8) != 0))
        fd.reset();
    return fd;
}

int exchange(int fd, size_t bytes) {
    std::vector<uint8_t> outgoing(chunk_size), incoming(chunk_size);
    size_t sent = 0, received = 0;
    while (sent < bytes || received < bytes) {
        pollfd ready{
            fd, static_cast<short>((received < bytes ? POLLIN : 0) | (sent < bytes ? POLLOUT : 0)),
            0};
        if (::poll(&ready, 1, talk_patience_ms) == 0) return ETIMEDOUT;
        if ((ready.revents & POLLOUT) != 0) {
            size_t size = std::min(chunk_size, bytes - sent);
            for (size_t i = 0; i < size; i++) outgoing[i] = expected_byte(sent + i);
            ssize_t count = ::send(fd, outgoing.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count < 0 && errno != EAGAIN) return errno;
            sent += count > 0 ? static_cast<size_t>(count) : 0;
        }
        if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            ssize_t count =
                ::recv(fd, incoming.data(), std::min(chunk_size, bytes - received), MSG_DONTWAIT);
            if (count < 0 && errno != EAGAIN) return errno;
            if (count == 0) return ECONNRESET;
            for (ssize_t i = 0; i < count; i++)
                if (incoming[static_cast<size_t>(i)] !=
                    expected_byte(received + static_cast<size_t>(i)))
                    return EBADMSG;
            received += count > 0 ? static_cast<size_t>(count) : 0;
        }
    }
    return 0;
}

int exchange_with(const Endpoint& server, size_t bytes, int protocol) {
    UniqueFd fd = open_client(server.family(), SOCK_STREAM, protocol);
    if (!fd || ::connect(fd.get(), server.get(), server.length) != 0) return errno;
    return exchange(fd.get(), bytes);
}

int serve_exchange(int listener, size_t bytes) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    return fd ? exchange(fd.get(), bytes) : errno;
}

int send_datagram(int fd, const Endpoint* to, uint8_t filling, size_t size) {
    std::vector<uint8_t> bytes(size, filling);
    ssize_t count = to != nullptr ? ::sendto(fd, bytes.data(), size, 0, to->get(), to->length)
                                  : ::send(fd, bytes.data(), size, 0);
    return count < 0 ? errno : 0;
}

int receive_datagram(int fd, Endpoint* from, uint8_t filling, size_t size) {
    std::vector<uint8_t> bytes(chunk_size);
    Endpoint sender;
    ssize_t count = ::recvfrom(fd, bytes.data(), bytes.size(), 0, sender.get(), &sender.length);
    if (count < 0) return errno;
    if (from != nullptr) *from = sender;
    bool right = static_cast<size_t>(count) == size &&
                 std::all_of(bytes.begin(), bytes.begin() + count,
                             [&](uint8_t byte) { return byte == filling; });
    return right ? 0 : EBADMSG;
}

int ask_by_datagram(const Endpoint& server, size_t size) {
    UniqueFd fd = open_client(server.family(), SOCK_DGRAM);
    int error = fd ? send_datagram(fd.get(), &server, 'q', size) : errno;
    return error != 0 ? error : receive_datagram(fd.get(), nullptr, 'a', size);
}

int answer_by_datagram(int fd, size_t size) {
    Endpoint client;
    int error = receive_datagram(fd, &client, 'q', size);
    return error != 0 ? error : send_datagram(fd, &client, 'a', size);
}

int ping(const Endpoint& to) {
    bool v4 = to.family() == AF_INET;
    UniqueFd fd =
        open_client(to.family(), SOCK_DGRAM,
                    v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6));
    uint8_t packet[64] = {static_cast<uint8_t>(v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST)};
    uint8_t reply = v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    if (!fd || ::connect(fd.get(), to.get(), to.length) != 0 ||
        ::send(fd.get(), packet, sizeof(packet), 0) < 0 ||
        ::recv(fd.get(), packet, sizeof(packet), 0) < 0)
        return errno;
    return packet[0] == reply ? 0 : EBADMSG;
}

}  // namespace escape
