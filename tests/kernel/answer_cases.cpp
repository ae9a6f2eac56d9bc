// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Published ports: the host speaks first, and the container answers. It answers that peer and
// nothing else.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>

#include "files.h"
#include "must.h"
#include "protocol_reporter.h"
#include "scene.h"
#include "udp_timeout.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kPublished = 8080;

int server_socket(int type, int family) {
    const int server = must(::socket(family, type | SOCK_CLOEXEC, 0), "open a server's socket");
    const timeval patience{3, 0};
    must(::setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    const int yes = 1;
    must(::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes),
         "reuse the server's address");
    const Destination any = destination(family == AF_INET ? "0.0.0.0" : "::", kPublished);
    must(::bind(server, any.get(), any.length), "bind the server's socket");
    if (type == SOCK_STREAM) must(::listen(server, 8), "listen");
    return server;
}

// A client's socket that has connected and sent the token.
int client_socket(int type, const Destination& to, Token token) {
    const int client =
        must(::socket(to.family(), type | SOCK_CLOEXEC, 0), "open a client's socket");
    const timeval patience{3, 0};
    must(::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    must(::setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
         "bound a connect");
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
    if (got != sizeof token ||
        ::sendto(server, &token, sizeof token, 0, from, echoed.peer.length) < 0)
        echoed.error = errno;
    return echoed;
}

struct Family {
    const char* name;
    int family;
    const char* container;
    const char* host;
};
constexpr Family kFamilies[] = {{"IPv4", AF_INET, "10.77.0.2", "10.77.0.1"},
                                {"IPv6", AF_INET6, "fd77::2", "fd77::1"}};

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
                const int server =
                    container.init.run([=] { return server_socket(SOCK_STREAM, af); });
                const int connection =
                    client.run([=] { return client_socket(SOCK_STREAM, to, token); });
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
                const int server =
                    container.init.run([=] { return server_socket(SOCK_DGRAM, af); });
                const int connection =
                    client.run([=] { return client_socket(SOCK_DGRAM, to, token); });
                const Echoed echoed = container.init.run([=] { return echo_udp(server); });
                CHECK(error_name(echoed.error) == "none");
                CHECK(client.run([=] { return answer_to(connection); }) == token);

                // The server's socket to another port of the host, and another socket to the peer
                // that spoke.
                const Destination other_port = destination(family.host, kPort);
                const Token aside = fresh_token(), control = fresh_token();
                const DenialCounts before = denials(container.cgroup);
                CHECK(error_name(container.init.run([=] {
                          return ::sendto(server, &aside, sizeof aside, 0, other_port.get(),
                                          other_port.length) < 0
                                     ? errno
                                     : 0;
                      })) == "EPERM");
                CHECK(error_name(container.init.run([=] {
                          return attempt(Way::udp_sendto, echoed.peer, aside);
                      })) == "EPERM");
                DenialCounts expected = before;
                expected[JAIL_REASON_LOCAL] += 2;
                CHECK((denials(container.cgroup) == expected));
                CHECK(error_name(client.run([=] {
                          return attempt(Way::udp_sendto, other_port, control);
                      })) == "none");
                CHECK(arrival(control, Place::host) == "host");
                CHECK_FALSE(Laboratory::get().network.witness.has_seen(aside));
            });
        }
    }
}

// A container whose config asks for more than the block.
Container::Options asking(const char* annotations) {
    Container::Options options;
    options.annotations = annotations;
    return options;
}

// Sends the token on a socket that is there: 0 or an errno.
int say(int socket, Token token) {
    return ::send(socket, &token, sizeof token, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int say_to(int socket, const Destination& to, Token token) {
    return ::sendto(socket, &token, sizeof token, 0, to.get(), to.length) < 0 ? errno : 0;
}

TEST_CASE("UDP ports answer where the container's own network is denied, too") {
    for (const Family& family : kFamilies) {
        INFO(family.name);
        Container container(
            asking(R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"private"})"));
        expect_jailed(container.run_hook(), container.cgroup);
        Child client({.network = &Laboratory::get().network.host});
        const Destination to = destination(family.container, kPublished);
        const int af = family.family;
        const Token token = fresh_token();
        const int server = container.init.run([=] { return server_socket(SOCK_DGRAM, af); });
        const int connection = client.run([=] { return client_socket(SOCK_DGRAM, to, token); });
        CHECK(error_name(container.init.run([=] { return echo_udp(server).error; })) == "none");
        CHECK(client.run([=] { return answer_to(connection); }) == token);
    }
}

TEST_CASE(
    "a UDP peer is answered for less time than connection tracking remembers it, and what is sent "
    "to it does not prolong that") {
    const UdpTimeout timeout("6");
    if (!timeout.is_there()) SKIP_CASE("this kernel has no connection tracking");
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    Child client({.network = &Laboratory::get().network.host});
    const Destination to = destination("10.77.0.2", kPublished);
    const int server = container.init.run([] { return server_socket(SOCK_DGRAM, AF_INET); });
    const int connection = client.run([=] { return client_socket(SOCK_DGRAM, to, Token{1}); });
    const auto spoken = std::chrono::steady_clock::now();
    const Echoed echoed = container.init.run([=] { return echo_udp(server); });
    REQUIRE(error_name(echoed.error) == "none");
    // Connected, it names nobody any more, so that each packet is checked and no call.
    const Destination peer = echoed.peer;
    CHECK(error_name(container.init.run([=] {
              return ::connect(server, peer.get(), peer.length) != 0 ? errno : 0;
          })) == "none");
    // When the last that passed was said, or earlier: it may have passed later.
    std::chrono::steady_clock::duration passed{};
    std::string last = "none";
    while (last == "none" && passed < std::chrono::seconds(15)) {
        const auto begun = std::chrono::steady_clock::now() - spoken;
        last = error_name(container.init.run([=] { return say(server, Token{2}); }));
        if (last == "none") passed = begun;
    }
    CHECK(last == "EPERM");
    CHECK(error_name(container.init.run([=] { return say_to(server, peer, Token{2}); })) ==
          "EPERM");
    CHECK(passed < std::chrono::seconds(6));
    // Whoever speaks again is answered again.
    CHECK(client.run([=] { return say(connection, Token{3}); }) == 0);
    CHECK(error_name(container.init.run([=] { return echo_udp(server).error; })) == "none");
}

TEST_CASE("strangers don't push a UDP peer out") {
    Container container(
        asking(R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"10.78.0.0/24"})"));
    expect_jailed(container.run_hook(), container.cgroup);
    Child client({.network = &Laboratory::get().network.host});
    Child stranger({.network = &Laboratory::get().network.internet});
    const Destination to = destination("10.77.0.2", kPublished);
    const int server = container.init.run([] { return server_socket(SOCK_DGRAM, AF_INET); });
    const Token token = fresh_token();
    const int connection = client.run([=] { return client_socket(SOCK_DGRAM, to, token); });
    const Echoed echoed = container.init.run([=] { return echo_udp(server); });
    REQUIRE(error_name(echoed.error) == "none");
    constexpr int kStrangers = 2000;
    CHECK(stranger.run([=] {
        for (int i = 0; i < kStrangers; ++i) {
            const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
            if (say_to(socket.get(), to, Token{1}) != 0) return errno;
        }
        return 0;
    }) == 0);
    // They have arrived, what the server has room for and what not, when one more is heard that
    // came behind them.
    container.init.run([=] {
        Token got = 0;
        while (::recv(server, &got, sizeof got, MSG_DONTWAIT) > 0) continue;
        return 0;
    });
    const int asking = stranger.run([=] { return client_socket(SOCK_DGRAM, to, Token{7}); });
    CHECK(container.init.run([=] {
        Token got = 0;
        Destination from{};
        do {
            from.length = sizeof from.address;
            if (::recvfrom(server, &got, sizeof got, 0, reinterpret_cast<sockaddr*>(&from.address),
                           &from.length) < 0)
                return errno;
        } while (got != Token{7});
        return say_to(server, from, Token{7});
    }) == 0);
    CHECK(stranger.run([=] { return answer_to(asking); }) == Token{7});
    const Destination peer = echoed.peer;
    CHECK(client.run([=] { return answer_to(connection); }) == token);
    CHECK(error_name(container.init.run([=] { return say_to(server, peer, token); })) == "none");
    CHECK(client.run([=] { return answer_to(connection); }) == token);
}

TEST_CASE("in the host's network namespace, what the container's own sockets send makes no peer") {
    constexpr std::uint16_t kOpened = 7401, kService = 7402;
    Container::Options options =
        asking(R"({"jail-ai.block-host":"true","jail-ai.block-host.allow":"127.0.0.1:7401/udp"})");
    options.network = &Laboratory::get().network.host;
    Container container(options);
    const HookOutcome outcome =
        container.run_hook();  // which says on older kernels that abstract sockets stay open
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
    expect_programs_attached(container.cgroup, guard_in_shared_network());
    const Destination opened = destination("127.0.0.1", kOpened),
                      service = destination("127.0.0.1", kService);
    const auto bound = [](const Destination& at) {
        const int socket = must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket");
        const timeval patience{3, 0};
        must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
             "bound a receive");
        must(::bind(socket, at.get(), at.length), "bind a socket");
        return socket;
    };
    const auto hear = [](int socket) {
        Token token = 0;
        return ::recv(socket, &token, sizeof token, 0) == sizeof token ? token : 0;
    };
    const int receiver = container.init.run([=] { return bound(opened); });
    const int pretender = container.init.run([=] { return bound(service); });
    CHECK(container.init.run([=] { return say_to(pretender, opened, Token{1}); }) == 0);
    CHECK(container.init.run([=] { return hear(receiver); }) == Token{1});
    CHECK(container.init.run([=] { return ::close(pretender); }) == 0);
    Child host({.network = &Laboratory::get().network.host});
    const int real = host.run([=] { return bound(service); });
    const DenialCounts before = denials(container.cgroup);
    CHECK(error_name(container.init.run([=] { return say_to(receiver, service, Token{2}); })) ==
          "EPERM");
    CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_LOOPBACK));
    // The service itself is answered once it has spoken.
    CHECK(host.run([=] { return say_to(real, opened, Token{3}); }) == 0);
    CHECK(container.init.run([=] { return hear(receiver); }) == Token{3});
    CHECK(error_name(container.init.run([=] { return say_to(receiver, service, Token{4}); })) ==
          "none");
    CHECK(host.run([=] { return hear(real); }) == Token{4});
}

}  // namespace
}  // namespace jail_ai::test
