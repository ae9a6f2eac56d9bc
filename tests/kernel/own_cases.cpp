// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Addresses that are the container's own although the host has them, too (pasta gives a container
// copies of the host's), or that are in a network which the policy blocks: what the container sends
// to itself arrives, and nothing of it leaves, whatever becomes of the address.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <stdexcept>

#include "attempt.h"
#include "broker_run.h"
#include "expect.h"
#include "files.h"
#include "must.h"
#include "netlink.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kOwnPort = 7300;                     // nobody else listens there
constexpr const char* kCopies[] = {"10.78.0.1", "fd78::1"};  // the host's on its other link

UniqueFd open_socket(const Destination& at, int type) {
    UniqueFd socket(must(::socket(at.family(), type | SOCK_CLOEXEC, 0), "open a socket"));
    const timeval patience{1, 0};
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
         "bound a send");
    must(::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    return socket;
}

// The ways of talking to oneself: 0 or the errno of the call that failed first.
int connect_to_self(const Destination& to) {
    const UniqueFd server = open_socket(to, SOCK_STREAM);
    const int on = 1;
    must(::setsockopt(server.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse the port");
    if (::bind(server.get(), to.get(), to.length) != 0 || ::listen(server.get(), 1) != 0)
        return errno;
    const UniqueFd client = open_socket(to, SOCK_STREAM);
    if (::connect(client.get(), to.get(), to.length) != 0) return errno;
    const UniqueFd accepted(::accept(server.get(), nullptr, nullptr));
    char byte = 'x';
    if (!accepted || ::send(client.get(), &byte, 1, MSG_NOSIGNAL) != 1 ||
        ::recv(accepted.get(), &byte, 1, 0) != 1)
        return errno;
    return 0;
}

int send_to_self(const Destination& to, bool connected) {
    const UniqueFd server = open_socket(to, SOCK_DGRAM);
    if (::bind(server.get(), to.get(), to.length) != 0) return errno;
    const UniqueFd client = open_socket(to, SOCK_DGRAM);
    char byte = 'x';
    if (connected && ::connect(client.get(), to.get(), to.length) != 0) return errno;
    const ssize_t sent = connected ? ::send(client.get(), &byte, 1, 0)
                                   : ::sendto(client.get(), &byte, 1, 0, to.get(), to.length);
    if (sent != 1 || ::recv(server.get(), &byte, 1, 0) != 1) return errno;
    return 0;
}

// From a socket that is bound to the wildcard address, so that nothing but the packet tells where
// it goes.
int connect_bound(const Destination& to) {
    Destination from = to;
    if (to.family() == AF_INET)
        reinterpret_cast<sockaddr_in&>(from.address) = {AF_INET, htons(kOwnPort + 1), {}, {}};
    else
        reinterpret_cast<sockaddr_in6&>(from.address) = {AF_INET6, htons(kOwnPort + 1), 0, {}, 0};
    const UniqueFd socket = open_socket(to, SOCK_STREAM);
    if (::bind(socket.get(), from.get(), from.length) != 0) return errno;
    return ::connect(socket.get(), to.get(), to.length) == 0 ? 0 : errno;
}

// A datagram that claims to come from an address which need not be there (IPV6_FREEBIND needs no
// capability).
int send_as(const Destination& from, const Destination& to) {
    const UniqueFd socket = open_socket(to, SOCK_DGRAM);
    const int on = 1;
    must(::setsockopt(socket.get(), SOL_IPV6, IPV6_FREEBIND, &on, sizeof on), "bind freely");
    if (::bind(socket.get(), from.get(), from.length) != 0) return errno;
    return ::sendto(socket.get(), &on, sizeof on, 0, to.get(), to.length) < 0 ? errno : 0;
}

// What the child's way of it gives, by name, and what the jail has counted meanwhile.
template <typename Attempt>
std::string outcome(Container& container, Attempt attempt) {
    const DenialCounts before = denials(container.cgroup);
    const std::string error = error_name(container.init.run(attempt));
    const std::string counted = change(before, denials(container.cgroup));
    return counted.empty() ? error : error + ", " + counted;
}

void expect_own(Container& container, const char* address) {
    INFO(std::string(address));
    const Destination self = destination(address, kOwnPort);
    CHECK(outcome(container, [=] { return connect_to_self(self); }) == "none");
    CHECK(outcome(container, [=] { return send_to_self(self, false); }) == "none");
    CHECK(outcome(container, [=] { return send_to_self(self, true); }) == "none");
}

// Neither arrives, in whatever way it is sent, and the one that asks is told at once.
void expect_elsewhere(Container& container, const char* address, const char* counted) {
    INFO(std::string(address));
    const Destination there = destination(address, kPort);
    for (const Way way : {Way::tcp_connect, Way::udp_connect, Way::udp_sendto, Way::udp_sendmmsg}) {
        INFO(name_of(way));
        const Token token = fresh_token();
        CHECK(outcome(container, [=] { return attempt(way, there, token); }) ==
              std::string("EPERM, ") + counted);
        CHECK_FALSE(Laboratory::get().network.witness.has_seen(token));
    }
}

// The kernel's address configuration puts the route of an IPv6 address into its table some time
// after the address is there.
void await_local_route(const char* address) {
    const auto in_hexadecimal = [](const Destination& to) {
        std::string digits;
        for (const unsigned char byte :
             reinterpret_cast<const sockaddr_in6&>(to.address).sin6_addr.s6_addr) {
            constexpr const char* kDigits = "0123456789abcdef";
            digits += {kDigits[byte >> 4], kDigits[byte & 15]};
        }
        return digits;
    };
    const std::string route = in_hexadecimal(destination(address, 0)) + " 80 ";
    for (int attempt = 0; attempt < 2000; ++attempt) {
        // There may be one without RTF_LOCAL, of the address's prefix.
        std::istringstream lines(read_file("/proc/thread-self/net/ipv6_route"));
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with(route) && line.find(" 80", line.size() - 24) != std::string::npos)
                return;
        ::usleep(1000);
    }
    throw std::runtime_error(std::string("no route to ") + address);
}

void add_copies(const NetworkNamespace& network, const char* interface) {
    const Visit visit(network);
    Netlink netlink;
    for (const char* copy : kCopies) {
        const bool is_v6 = copy[0] == 'f';
        netlink.add_address(interface, std::string(copy) + (is_v6 ? "/128" : "/32"));
        if (is_v6) await_local_route(copy);
    }
}

void remove_copies(const NetworkNamespace& network, const char* interface) {
    const Visit visit(network);
    Netlink netlink;
    for (const char* copy : kCopies)
        netlink.remove_address(interface, std::string(copy) + (copy[0] == 'f' ? "/128" : "/32"));
}

TEST_CASE(
    "an address that the container has a copy of is its own, and the host's once the copy has "
    "gone") {
    const NetworkNamespace network;
    link_to_host(Laboratory::get().network, network, "own0", "10.79.1.", "fd79:1::");
    add_copies(network, "own0p");
    Container container({.network = &network});
    expect_jailed(container.run_hook(), container.cgroup);
    for (const char* copy : kCopies) {
        expect_own(container, copy);
        CHECK(outcome(container, [self = destination(copy, 0)] { return ping(self); }) == "none");
    }
    expect_own(container, "10.79.1.2");
    for (const char* host : {"10.77.0.1", "10.77.9.1", "10.79.1.1", "fd77::1", "fd79:1::1"})
        expect_elsewhere(container, host, "local+1");
    // It may say that it is itself, and not that it is another of the host's addresses.
    const Destination copy = destination("fd78::1", 0);
    const Destination host = destination("fd77::1", 0);
    const Destination internet = destination("fd78::2", kPort);
    CHECK(outcome(container, [=] { return send_as(copy, internet); }) == "none");
    CHECK(outcome(container, [=] { return send_as(host, internet); }) ==
          "EPERM, malformed-packet+1");

    remove_copies(network, "own0p");
    for (const char* gone : kCopies) {
        expect_elsewhere(container, gone, "local+1");
        const Destination there = destination(gone, kPort);
        const DenialCounts before = denials(container.cgroup);
        CHECK(container.init.run([=] { return connect_bound(there); }) != 0);
        CHECK(denials(container.cgroup)[JAIL_REASON_LOCAL] > before[JAIL_REASON_LOCAL]);
        CHECK(outcome(container, [echo = destination(gone, 0)] { return ping(echo); }) ==
              "EPERM, local+1");
    }
    add_copies(network, "own0p");
    for (const char* back : kCopies) expect_own(container, back);
}

TEST_CASE(
    "who speaks from an address that the container has a copy of is no UDP peer once the copy has "
    "gone") {
    const NetworkNamespace network;
    link_to_host(Laboratory::get().network, network, "own4", "10.79.4.", "fd79:4::");
    add_copies(network, "own4p");
    Container container({.network = &network});
    expect_jailed(container.run_hook(), container.cgroup);
    Child host({.network = &Laboratory::get().network.host});
    const Destination any = destination("::", kOwnPort), self = destination("fd79:4::2", kOwnPort);
    const auto bound = [](const Destination& at) {
        const int socket = open_socket(at, SOCK_DGRAM).release();
        must(::bind(socket, at.get(), at.length), "bind a socket");
        return socket;
    };
    const auto say_to = [](int socket, const Destination& to) {
        return ::sendto(socket, "x", 1, 0, to.get(), to.length) < 0 ? errno : 0;
    };
    const int server = container.init.run([=] { return bound(any); });
    for (const auto& row :
         {std::pair{"fd79:4::1", "none"}, std::pair{"fd78::1", "EPERM, local+1"}}) {
        const auto& [from, outcome] = row;
        INFO(std::string(row.first));
        const Destination peer = destination(from, kOwnPort);
        const int speaker = host.run([=] { return bound(peer); });
        CHECK(error_name(host.run([=] { return say_to(speaker, self); })) == "none");
        CHECK(container.init.run([=] {
            char byte = 0;
            return ::recv(server, &byte, 1, 0);
        }) == 1);
        if (std::string(from) == kCopies[1]) remove_copies(network, "own4p");
        CHECK(::jail_ai::test::outcome(container, [=] { return say_to(server, peer); }) == outcome);
        CHECK(host.run([=] { return ::close(speaker); }) == 0);
    }
}

TEST_CASE(
    "an address that the container gets later stays the host's, but for a network that a user "
    "makes") {
    struct Owner {
        uid_t uid;
        bool may_copy;
    };
    for (const Owner owner : {Owner{0, false}, Owner{65534, true}}) {
        INFO(owner.uid);
        const UniqueFd user = make_user_namespace(owner.uid);
        if (!user) SKIP_CASE(std::string("no user namespace: ") + error_name(errno));
        const NetworkNamespace network;
        Container container({.network = &network, .user_namespace = user.get()});
        container.state.annotations =
            R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"10.79.2.0/23 fd79:2::/63"})";
        expect_jailed(container.run_hook(), container.cgroup);
        const std::string name = owner.may_copy ? "own3" : "own2";
        link_to_host(Laboratory::get().network, network, name.c_str(),
                     owner.may_copy ? "10.79.3." : "10.79.2.",
                     owner.may_copy ? "fd79:3::" : "fd79:2::");
        add_copies(network, (name + "p").c_str());

        // Its own, in a network that it has asked to block: it is heard outside, and talks to
        // itself.
        const Token token = fresh_token();
        const Destination internet4 = destination("10.78.0.2", kPort);
        CHECK(outcome(container, [=] { return attempt(Way::udp_sendto, internet4, token); }) ==
              "none");
        CHECK(arrival(token, Place::internet) == "internet");
        expect_own(container, owner.may_copy ? "10.79.3.2" : "10.79.2.2");
        expect_own(container, owner.may_copy ? "fd79:3::2" : "fd79:2::2");
        expect_elsewhere(container, owner.may_copy ? "10.79.3.1" : "10.79.2.1", "policy+1");
        expect_elsewhere(container, owner.may_copy ? "10.79.2.9" : "10.79.3.9", "policy+1");
        for (const char* elsewhere : {"10.77.9.1", "fd77::1"})
            expect_elsewhere(container, elsewhere, "local+1");
        for (const char* copy : kCopies) {
            if (owner.may_copy)
                expect_own(container, copy);
            else
                CHECK(outcome(container, [self = destination(copy, kOwnPort)] {
                          return connect_to_self(self);
                      }) == "EPERM, local+1");
        }
    }
}

}  // namespace
}  // namespace jail_ai::test
