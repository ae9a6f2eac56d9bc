// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Many connections at once, from before: for everybody who may have opened one, and every end that
// it may have, attach and refresh end those that lead to the host, tell their sockets, and leave
// the others; while new ones are tried all the time.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "expect.h"
#include "host_address.h"
#include "must.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

constexpr int kMany = 150;  // of each kind
constexpr std::uint16_t kServed = 7700, kAllowed = 7705, kInside = 7710;

enum Kind { kToHost, kToAllowed, kToInternet, kToLater, kFromHost, kFromInternet };

// Of the process that calls: each child has its own.
std::map<Kind, std::vector<int>> kept;
std::map<Kind, int> servers;

int stream(int family) {
    const int socket = must(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "open a socket");
    const timeval patience{10, 0};
    must(::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience),
         "bound a receive");
    must(::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience),
         "bound a connect");
    return socket;
}

int serve(Kind kind, const Destination& at) {
    const int on = 1;
    servers[kind] = stream(at.family());
    must(::setsockopt(servers[kind], SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "reuse an address");
    must(::bind(servers[kind], at.get(), at.length), "bind a server's socket");
    return must(::listen(servers[kind], kMany), "listen");
}

int open_many(Kind kind, const Destination& to) {
    for (int i = 0; i < kMany; ++i) {
        const int socket = kept[kind].emplace_back(stream(to.family()));
        must(::connect(socket, to.get(), to.length), "connect");
    }
    return kMany;
}

int accept_many(Kind kind) {
    for (int i = 0; i < kMany; ++i)
        kept[kind].push_back(
            must(::accept4(servers[kind], nullptr, nullptr, SOCK_CLOEXEC), "accept"));
    return kMany;
}

// How many took a byte.
int say_all(Kind kind) {
    int said = 0;
    for (const int socket : kept[kind]) said += ::send(socket, "x", 1, MSG_NOSIGNAL) == 1 ? 1 : 0;
    return said;
}

// How many have heard one; waits for each as long as it takes, or not at all.
int hear_all(Kind kind, int flags) {
    char byte = 0;
    int heard = 0;
    for (const int socket : kept[kind]) heard += ::recv(socket, &byte, 1, flags) == 1 ? 1 : 0;
    return heard;
}

// How many sockets have been told that it is over.
int told(Kind kind) {
    char byte = 0;
    int over = 0;
    for (const int socket : kept[kind])
        over += ::recv(socket, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno != EAGAIN ? 1 : 0;
    return over;
}

struct Pairing {
    Kind kind;
    Child* other;
};

// What the container opens, and the other accepts.
void open(Container& container, const Pairing& pairing, const Destination& to) {
    const Kind kind = pairing.kind;
    REQUIRE(pairing.other->run([=] { return serve(kind, to); }) == 0);
    REQUIRE(container.init.run([=] { return open_many(kind, to); }) == kMany);
    REQUIRE(pairing.other->run([=] { return accept_many(kind); }) == kMany);
}

void be_opened(Container& container, const Pairing& pairing, const Destination& own) {
    const Kind kind = pairing.kind;
    REQUIRE(container.init.run([=] { return serve(kind, own); }) == 0);
    REQUIRE(pairing.other->run([=] { return open_many(kind, own); }) == kMany);
    REQUIRE(container.init.run([=] { return accept_many(kind); }) == kMany);
}

void expect_alive(Container& container, const Pairing& pairing) {
    const Kind kind = pairing.kind;
    INFO("kind " << int(kind));
    CHECK(container.init.run([=] { return told(kind); }) == 0);
    CHECK(container.init.run([=] { return say_all(kind); }) == kMany);
    CHECK(pairing.other->run([=] { return hear_all(kind, 0); }) == kMany);
}

// Where the kernel can't end connections of others, what is said on them comes nowhere all the
// same.
void expect_over(Container& container, const Pairing& pairing, bool ends) {
    const Kind kind = pairing.kind;
    INFO("kind " << int(kind));
    if (ends) CHECK(container.init.run([=] { return told(kind); }) == kMany);
    container.init.run([=] { return say_all(kind); });
    CHECK(pairing.other->run([=] { return hear_all(kind, MSG_DONTWAIT); }) == 0);
}

// Opens connections to the host until they are denied, and closes those that come about. By a
// thread, for a process of its own would be a stranger in the container's cgroup.
void begin_storm(Container& container, const Destination& to) {
    container.init.run([=] {
        std::thread([to] {
            int error = 0;
            while (error != EPERM) {
                const UniqueFd socket(
                    ::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
                error = ::connect(socket.get(), to.get(), to.length) != 0 ? errno : 0;
            }
        }).detach();
        return 0;
    });
}

constexpr const char* kAccept =
    "--accept=cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_module,host-cgroups,"
    "host-pid,engine-socket,cap_net_raw,vsock,"
    "ia32,abstract-unix,inherited-sockets";

TEST_CASE(
    "many connections: attach and refresh end those to the host, whoever opened them, and no "
    "other") {
    for (const bool v6 : {false, true}) {
        INFO(v6);
        const auto at = [&](const char* v4_address, const char* v6_address, std::uint16_t port) {
            return destination(v6 ? v6_address : v4_address, port);
        };
        Child host({.network = &Laboratory::get().network.host});
        Child internet({.network = &Laboratory::get().network.internet});
        Container container;
        const char* const later = v6 ? "fd78::93/128" : "10.78.0.93/32";
        const Pairing to_host{kToHost, &host}, to_allowed{kToAllowed, &host},
            to_internet{kToInternet, &internet}, to_later{kToLater, &internet},
            from_host{kFromHost, &host}, from_internet{kFromInternet, &internet};
        be_opened(container, from_host, at("10.77.0.2", "fd77::2", kInside));
        be_opened(container, from_internet, at("10.77.0.2", "fd77::2", kInside + 1));
        {
            const Visit visit(Laboratory::get().network.internet);
            Netlink().add_address("ext0", later);
        }
        open(container, to_host, at("10.77.0.1", "fd77::1", kServed));
        open(container, to_allowed, at("10.77.0.1", "fd77::1", kAllowed));
        open(container, to_internet, at("10.78.0.2", "fd78::2", kServed));
        open(container, to_later, at("10.78.0.93", "fd78::93", kServed));

        begin_storm(container, at("10.77.0.1", "fd77::1", kServed));
        const std::string pid = "--pid=" + std::to_string(container.init.pid());
        const std::string allow = "--allow=host:" + std::to_string(kAllowed) + "/tcp";
        const HookOutcome attached =
            Laboratory::get().hook.run(verb_call({"attach", pid.c_str(), allow.c_str(), kAccept}));
        REQUIRE_MESSAGE(attached.exit_code == 0, attached.err);
        const bool ends = attached.out.find("CONFIG_INET_DIAG_DESTROY") == std::string::npos;
        for (const Pairing& pairing : {to_allowed, to_internet, to_later, from_internet})
            expect_alive(container, pairing);
        for (const Pairing& pairing : {to_host, from_host}) expect_over(container, pairing, ends);

        const HostAddress added(later);
        const HookOutcome refreshed = Laboratory::get().hook.run(verb_call({"refresh"}));
        CHECK_MESSAGE(refreshed.exit_code == 0, refreshed.err);
        for (const Pairing& pairing : {to_allowed, to_internet, from_internet})
            expect_alive(container, pairing);
        expect_over(container, to_later, ends);
        const Visit visit(Laboratory::get().network.internet);
        Netlink().remove_address("ext0", later);
    }
}

}  // namespace
}  // namespace jail_ai::test
