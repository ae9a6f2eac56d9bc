// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// TCP connections from before: to an address that is blocked only those go on which the container
// has accepted.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>

#include "expect.h"
#include "host_address.h"
#include "must.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

constexpr std::uint16_t kServed = 7500;

int open_stream(const Destination& to) {
    const int socket = must(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket");
    const timeval patience{5, 0};
    must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    must(::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
         "bound a connect");
    return socket;
}

int listening(const Destination& at) {
    const int server = open_stream(at);
    const int yes = 1;
    must(::setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "reuse an address");
    must(::bind(server, at.get(), at.length), "bind a server's socket");
    must(::listen(server, 8), "listen");
    return server;
}

int connected(const Destination& to) {
    const int client = open_stream(to);
    must(::connect(client, to.get(), to.length), "connect");
    return client;
}

int accepted(int server) {
    const int connection = must(::accept4(server, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    const timeval patience{5, 0};
    must(::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    return connection;
}

int say(int socket, Token token) {
    return ::send(socket, &token, sizeof token, MSG_NOSIGNAL) < 0 ? errno : 0;
}

Token hear(int socket) {
    Token token = 0;
    return ::recv(socket, &token, sizeof token, MSG_WAITALL) == sizeof token ? token : 0;
}

bool has_heard(int socket) {
    Token token = 0;
    return ::recv(socket, &token, sizeof token, MSG_DONTWAIT | MSG_PEEK) > 0;
}

// Until the kernel has tried to send what was said, which the jail has counted.
bool await_denial(const TestCgroup& cgroup, const DenialCounts& before, jail_reason reason) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        if (denials(cgroup)[reason] > before[reason]) return true;
        ::usleep(1000);
    }
    return false;
}

// What the container says on the socket doesn't come to the peer.
void expect_cut(Container& container, int socket, Child& peer, int peers_socket,
                const DenialCounts& before, jail_reason reason) {
    container.init.run([=] { return say(socket, Token{9}); });
    CHECK(await_denial(container.cgroup, before, reason));
    CHECK_FALSE(peer.run([=] { return has_heard(peers_socket); }));
}

TEST_CASE("a connection to the host from before the jail is cut, and one to the internet goes on") {
    for (const bool v6 : {false, true}) {
        INFO(v6);
        const Destination at_host = destination(v6 ? "fd77::1" : "10.77.0.1", kServed);
        const Destination elsewhere = destination(v6 ? "fd78::2" : "10.78.0.2", kServed);
        Child host({.network = &Laboratory::get().network.host});
        Child internet({.network = &Laboratory::get().network.internet});
        Container container;
        container.state.annotations =
            R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"inherited-sockets"})";
        const int host_server = host.run([=] { return listening(at_host); });
        const int internet_server = internet.run([=] { return listening(elsewhere); });
        const int to_host = container.init.run([=] { return connected(at_host); });
        const int to_internet = container.init.run([=] { return connected(elsewhere); });
        const int from_container = host.run([=] { return accepted(host_server); });
        const int by_internet = internet.run([=] { return accepted(internet_server); });
        CHECK(container.init.run([=] { return say(to_host, Token{1}); }) == 0);
        CHECK(host.run([=] { return hear(from_container); }) == Token{1});

        CHECK(container.run_hook().exit_code == 0);
        // What comes in is let in, and makes no answer of what goes out.
        CHECK(host.run([=] { return say(from_container, Token{3}); }) == 0);
        CHECK(container.init.run([=] { return hear(to_host); }) == Token{3});
        expect_cut(container, to_host, host, from_container, denials(container.cgroup),
                   JAIL_REASON_LOCAL);
        CHECK(container.init.run([=] { return say(to_internet, Token{2}); }) == 0);
        CHECK(internet.run([=] { return hear(by_internet); }) == Token{2});
    }
}

// What a program that waits for the peer is told: "none" while it would still wait.
std::string told(Container& container, int socket) {
    return error_name(container.init.run([=] {
        Token token = 0;
        const ssize_t got = ::recv(socket, &token, sizeof token, MSG_DONTWAIT);
        return got >= 0 ? EPIPE : errno == EAGAIN ? 0 : errno;
    }));
}

TEST_CASE("attach ends connections to the host, tells their sockets, and leaves the others") {
    for (const bool v6 : {false, true}) {
        INFO(v6);
        const Destination at_host = destination(v6 ? "fd77::1" : "10.77.0.1", kServed);
        const Destination elsewhere = destination(v6 ? "fd78::2" : "10.78.0.2", kServed);
        Child host({.network = &Laboratory::get().network.host});
        Child internet({.network = &Laboratory::get().network.internet});
        Container container;
        const int host_server = host.run([=] { return listening(at_host); });
        const int internet_server = internet.run([=] { return listening(elsewhere); });
        CHECK(host_server >= 0);
        CHECK(internet_server >= 0);
        const int to_host = container.init.run([=] { return connected(at_host); });
        const int to_internet = container.init.run([=] { return connected(elsewhere); });
        const std::string pid = "--pid=" + std::to_string(container.init.pid());
        const HookOutcome attached = Laboratory::get().hook.run(
            verb_call({"attach", pid.c_str(),
                       "--accept=cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_"
                       "module,host-cgroups,host-pid,engine-socket,cap_net_raw,vsock,"
                       "ia32,abstract-unix,inherited-sockets"}));
        CHECK_MESSAGE(attached.exit_code == 0, attached.err);
        if (attached.out.find("CONFIG_INET_DIAG_DESTROY") != std::string::npos)
            SKIP_CASE("this kernel can't end connections of others");
        CHECK(attached.out.find("1 connections to the host from before ended") !=
              std::string::npos);
        CHECK(told(container, to_host) == "ECONNABORTED");
        CHECK(told(container, to_internet) == "none");
        const int by_internet = internet.run([=] { return accepted(internet_server); });
        CHECK(container.init.run([=] { return say(to_internet, Token{2}); }) == 0);
        CHECK(internet.run([=] { return hear(by_internet); }) == Token{2});
    }
}

TEST_CASE(
    "a connection to an address that becomes the host's is cut, and one that was accepted goes "
    "on") {
    Child client({.network = &Laboratory::get().network.host});
    Child internet({.network = &Laboratory::get().network.internet});
    const Destination later = destination("10.78.0.99", kServed),
                      own = destination("10.77.0.2", kServed);
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const int server = container.init.run([=] { return listening(own); });
    const int to_container = client.run([=] { return connected(own); });
    const int by_container = container.init.run([=] { return accepted(server); });
    // A second one, which the container disconnects and uses for a connection of its own.
    const int wasted = client.run([=] { return connected(own); });
    const int reused = container.init.run([=] { return accepted(server); });
    CHECK(wasted >= 0);
    {
        const Visit visit(Laboratory::get().network.internet);
        Netlink().add_address("ext0", "10.78.0.99/32");
    }
    const int far_server = internet.run([=] { return listening(later); });
    const int active = container.init.run([=] { return connected(later); });
    const int far_end = internet.run([=] { return accepted(far_server); });
    CHECK(container.init.run([=] {
        const sockaddr nowhere{AF_UNSPEC, {}};
        must(::connect(reused, &nowhere, sizeof nowhere), "disconnect");
        return ::connect(reused, later.get(), later.length) != 0 ? errno : 0;
    }) == 0);
    const int far_end_of_reused = internet.run([=] { return accepted(far_server); });
    CHECK(container.init.run([=] { return say(active, Token{1}) + say(reused, Token{1}); }) == 0);
    CHECK(internet.run([=] { return hear(far_end); }) == Token{1});
    CHECK(internet.run([=] { return hear(far_end_of_reused); }) == Token{1});

    const HostAddress added("10.78.0.99/32");
    const HookOutcome refreshed = Laboratory::get().hook.run(verb_call({"refresh"}));
    CHECK(refreshed.exit_code == 0);
    CHECK(told(container, by_container) == "none");
    if (refreshed.out.find("CONFIG_INET_DIAG_DESTROY") == std::string::npos) {
        CHECK(refreshed.out.find("2 connections ended") != std::string::npos);
        CHECK(told(container, active) == "ECONNABORTED");
        CHECK(told(container, reused) == "ECONNABORTED");
    }
    CHECK_FALSE(internet.run([=] { return has_heard(far_end) || has_heard(far_end_of_reused); }));
    for (const Token token : {Token{3}, Token{4}}) {
        CHECK(client.run([=] { return say(to_container, token); }) == 0);
        CHECK(container.init.run([=] { return hear(by_container); }) == token);
        CHECK(container.init.run([=] { return say(by_container, token); }) == 0);
        CHECK(client.run([=] { return hear(to_container); }) == token);
    }
    const Visit visit(Laboratory::get().network.internet);
    Netlink().remove_address("ext0", "10.78.0.99/32");
}

}  // namespace
}  // namespace jail_ai::test
