// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Published ports: the host speaks first, and the container answers. It answers that peer and nothing else.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "must.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kPublished = 8080;

int server_socket(int type, int family) {
    const int server = must(::socket(family, type | SOCK_CLOEXEC, 0), "open a server's socket");
    const timeval patience{3, 0};
    must(::setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "bound a receive");
    const int yes = 1;
    must(::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "reuse the server's address");
    const Destination any = destination(family == AF_INET ? "0.0.0.0" : "::", kPublished);
    must(::bind(server, any.get(), any.length), "bind the server's socket");
    if (type == SOCK_STREAM) must(::listen(server, 8), "listen");
    return server;
}

// A client's socket that has connected and sent the token.
int client_socket(int type, const Destination& to, Token token) {
    const int client = must(::socket(to.family(), type | SOCK_CLOEXEC, 0), "open a client's socket");
    const timeval patience{3, 0};
    must(::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), "bound a receive");
    must(::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), "bound a connect");
    must(::connect(client, to.get(), to.length), "connect");
    must(::send(client, &token, sizeof token, 0), "send");
    return client;
}

// What the client got back, 0 for nothing.
Token answer_to(int client) {
    Token token = 0;
    return ::recv(client, &token, sizeof token, MSG_WAITALL) == sizeof token ? token : 0;
}

// The server takes one token and sends it back: 0 or errno.
int echo_tcp(int server) {
    const UniqueFd connection(::accept4(server, nullptr, nullptr, SOCK_CLOEXEC));
    if (!connection) return errno;
    Token token = 0;
    if (::recv(connection.get(), &token, sizeof token, MSG_WAITALL) != sizeof token) return errno;
    return ::send(connection.get(), &token, sizeof token, MSG_NOSIGNAL) < 0 ? errno : 0;
}

struct Echoed {
    int error;
    Destination peer;
};

Echoed echo_udp(int server) {
    Echoed echoed{};
    echoed.peer.length = sizeof echoed.peer.address;
    Token token = 0;
    auto* from = reinterpret_cast<sockaddr*>(&echoed.peer.address);
    const ssize_t got = ::recvfrom(server, &token, sizeof token, 0, from, &echoed.peer.length);
    if (got != sizeof token || ::sendto(server, &token, sizeof token, 0, from, echoed.peer.length) < 0) echoed.error = errno;
    return echoed;
}

struct Family {
    const char* name;
    int family;
    const char* container;
    const char* host;
};
constexpr Family kFamilies[] = {{"IPv4", AF_INET, "10.77.0.2", "10.77.0.1"}, {"IPv6", AF_INET6, "fd77::2", "fd77::1"}};

TEST_CASE("a TCP port of the container answers the host") {
    for (const Family& family : kFamilies) {
        SUBCASE(family.name) {
            guarded([&] {
                Container container;
                expect_jailed(container.run_hook(), container.cgroup);
                Child client({.network = &Laboratory::get().network.host});
                const Destination to = destination(family.container, kPublished);
                const int af = family.family;
                const Token token = fresh_token();
                const int server = container.init.run([=] { return server_socket(SOCK_STREAM, af); });
                const int connection = client.run([=] { return client_socket(SOCK_STREAM, to, token); });
                CHECK(error_name(container.init.run([=] { return echo_tcp(server); })) == "none");
                CHECK(client.run([=] { return answer_to(connection); }) == token);
                expect_host_blocked(container.init, container.cgroup);
            });
        }
    }
}

TEST_CASE("a UDP port of the container answers the peer on the host who spoke, and no other") {
    for (const Family& family : kFamilies) {
        SUBCASE(family.name) {
            guarded([&] {
                Container container;
                expect_jailed(container.run_hook(), container.cgroup);
                Child client({.network = &Laboratory::get().network.host});
                const Destination to = destination(family.container, kPublished);
                const int af = family.family;
                const Token token = fresh_token();
                const int server = container.init.run([=] { return server_socket(SOCK_DGRAM, af); });
                const int connection = client.run([=] { return client_socket(SOCK_DGRAM, to, token); });
                const Echoed echoed = container.init.run([=] { return echo_udp(server); });
                CHECK(error_name(echoed.error) == "none");
                CHECK(client.run([=] { return answer_to(connection); }) == token);

                // The server's socket to another port of the host, and another socket to the peer that spoke.
                const Destination other_port = destination(family.host, kPort);
                const Token aside = fresh_token(), control = fresh_token();
                const DenialCounts before = denials(container.cgroup);
                CHECK(error_name(container.init.run([=] {
                          return ::sendto(server, &aside, sizeof aside, 0, other_port.get(), other_port.length) < 0 ? errno : 0;
                      })) == "EPERM");
                CHECK(error_name(container.init.run([=] { return attempt(Way::udp_sendto, echoed.peer, aside); })) == "EPERM");
                DenialCounts expected = before;
                expected[JAIL_REASON_LOCAL] += 2;
                CHECK((denials(container.cgroup) == expected));
                CHECK(error_name(client.run([=] { return attempt(Way::udp_sendto, other_port, control); })) == "none");
                CHECK(arrival(control, Place::host) == "host");
                CHECK_FALSE(Laboratory::get().network.witness.has_seen(aside));
            });
        }
    }
}

}  // namespace
}  // namespace jail_ai::test
