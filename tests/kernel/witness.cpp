// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "witness.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ip.h"
#include "must.h"

namespace jail_ai::test {
namespace {

struct Report {
    Token token;
    Place place;
};

UniqueFd bound_socket(int type, const char* address, std::uint16_t port) {
    const Destination any = destination(address, port);
    UniqueFd socket(must(::socket(any.family(), type | SOCK_CLOEXEC, 0), "open a witness socket"));
    const int yes = 1;
    if (any.family() == AF_INET6)
        must(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes),
             "keep IPv4 off a witness socket");
    must(::bind(socket.get(), any.get(), any.length), "bind a witness socket");
    if (type == SOCK_STREAM) must(::listen(socket.get(), 128), "listen on a witness socket");
    return socket;
}

void join_groups(int v4, int v6, unsigned interface) {
    ip_mreqn four{};
    four.imr_multiaddr.s_addr = htonl(0xe00000fb);
    four.imr_ifindex = static_cast<int>(interface);
    must(::setsockopt(v4, IPPROTO_IP, IP_ADD_MEMBERSHIP, &four, sizeof four), "join 224.0.0.251");
    ipv6_mreq six{};
    const IpAddress group = parse_address("ff02::fb");
    std::copy(group.bytes.begin(), group.bytes.end(), six.ipv6mr_multiaddr.s6_addr);
    six.ipv6mr_interface = interface;
    must(::setsockopt(v6, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &six, sizeof six), "join ff02::fb");
}

// Reads one token of a connection that was just made. A client that sends none is no arrival.
ssize_t read_connection(int listener, Token& token) {
    const UniqueFd connection(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return -1;
    const timeval patience{1, 0};
    ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return ::recv(connection.get(), &token, sizeof token, MSG_WAITALL);
}

struct Listener {
    UniqueFd socket;
    bool connections;
};

std::vector<Listener> listen_everywhere(unsigned multicast_interface) {
    std::vector<Listener> listeners;
    for (const std::uint16_t port : {kPort, kDnsPort}) {
        UniqueFd v4 = bound_socket(SOCK_DGRAM, "0.0.0.0", port);
        UniqueFd v6 = bound_socket(SOCK_DGRAM, "::", port);
        join_groups(v4.get(), v6.get(), multicast_interface);
        listeners.push_back({std::move(v4), false});
        listeners.push_back({std::move(v6), false});
        for (const char* any : {"0.0.0.0", "::"})
            listeners.push_back({bound_socket(SOCK_STREAM, any, port), true});
    }
    return listeners;
}

[[noreturn]] void serve(const std::vector<Listener>& listeners, Place place, int reporting) {
    std::vector<pollfd> polled;
    for (const auto& listener : listeners) polled.push_back({listener.socket.get(), POLLIN, 0});
    for (;;) {
        if (::poll(polled.data(), polled.size(), -1) < 0) ::_exit(1);
        for (std::size_t i = 0; i < polled.size(); i++) {
            if (polled[i].revents == 0) continue;
            Token token = 0;
            const int fd = polled[i].fd;
            const ssize_t got = listeners[i].connections ? read_connection(fd, token)
                                                         : ::recv(fd, &token, sizeof token, 0);
            if (got != sizeof token) continue;
            const Report report{token, place};
            if (::send(reporting, &report, sizeof report, 0) < 0) ::_exit(1);
        }
    }
}

}  // namespace

Token fresh_token() {
    static Token last = 0x6a61696c00000000;  // recognisable in a packet dump
    return ++last;
}

Witness::Witness() {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make the witness channel");
    reports_ = UniqueFd(ends[0]);
    reporting_ = UniqueFd(ends[1]);
}

Witness::~Witness() {
    for (const pid_t pid : listeners_) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
}

void Witness::listen(Place place, const NetworkNamespace& where, unsigned multicast_interface) {
    const Visit visit(where);
    const std::vector<Listener> listeners = listen_everywhere(multicast_interface);
    const pid_t pid = must(::fork(), "start a witness");
    if (pid == 0) serve(listeners, place, reporting_.get());
    listeners_.push_back(pid);
}

void Witness::read_reports(int timeout_ms) {
    pollfd polled{reports_.get(), POLLIN, 0};
    if (must(::poll(&polled, 1, timeout_ms), "wait for a witness") == 0) return;
    Report report{};
    while (::recv(reports_.get(), &report, sizeof report, MSG_DONTWAIT) == sizeof report)
        seen_.emplace(report.token, report.place);
}

Place Witness::await(Token token, Place place, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        Place elsewhere = Place::nowhere;
        for (auto [seen, end] = seen_.equal_range(token); seen != end; ++seen) {
            if (seen->second == place) return place;
            elsewhere = seen->second;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return elsewhere;
        read_reports(static_cast<int>(left.count()));
    }
}

bool Witness::has_seen(Token token) {
    read_reports(0);
    return seen_.contains(token);
}

}  // namespace jail_ai::test
