// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// file_receive: sockets from outside don't come in, whoever fetches or sends them; those of the
// container's own move freely.
#include <netinet/in.h>
#include <sys/syscall.h>

#include <memory>
#include <vector>

#include "must.h"
#include "rig.h"
#include "sockets.h"

namespace jail_ai::test {
namespace {

struct Row {
    const char* name;
    SocketKind kind;
};

const Row kKeptOut[] = {
    {"UDP", {AF_INET, SOCK_DGRAM, 0}},         {"TCP over IPv6", {AF_INET6, SOCK_STREAM, 0}},
    {"raw", {AF_INET, SOCK_RAW, IPPROTO_RAW}}, {"packet", {AF_PACKET, SOCK_RAW, 0}},
    {"vsock", {AF_VSOCK, SOCK_STREAM, 0}},     {"netlink", {AF_NETLINK, SOCK_RAW, 0}},
};

// Opens the socket and hands it over; 0 or errno.
int hand_over(int channel, const SocketKind& kind) {
    const UniqueFd socket(::socket(kind.family, kind.type, kind.protocol));
    if (!socket) return errno;
    const int fd = socket.get();
    return send_descriptors(channel, &fd, 1);
}

int hand_over_pipe(int channel) {
    int ends[2];
    if (::pipe(ends) != 0) return errno;
    const UniqueFd reader(ends[0]), writer(ends[1]);
    return send_descriptors(channel, ends, 2);
}

TEST_CASE("a socket from outside that is passed in by SCM_RIGHTS doesn't arrive") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    for (const Row& row : kKeptOut) {
        INFO(row.name);
        const SocketKind kind = row.kind;
        for (Child* inside : {&rig.container.init, &rig.nested}) {
            REQUIRE(error_name(rig.stranger.run([=] { return hand_over(near, kind); })) == "none");
            expect_kept_out(rig, *inside, JAIL_REASON_INHERITED_SOCKET, 0);
        }
        REQUIRE(error_name(rig.stranger.run([=] { return hand_over(near, kind); })) == "none");
        expect_received(rig, rig.neighbour, 1);
    }
    REQUIRE(error_name(rig.stranger.run([=] { return hand_over_pipe(near); })) == "none");
    expect_received(rig, rig.container.init, 2);
}

TEST_CASE("a socket from a cgroup that is deeper than the guard looks is kept out") {
    NEED_GUARD();
    constexpr std::size_t kDeeper = 70;
    Rig rig;
    std::vector<std::unique_ptr<TestCgroup>> cgroups;
    cgroups.push_back(std::make_unique<TestCgroup>(rig.outside, "d"));
    while (cgroups.size() < kDeeper)
        cgroups.push_back(std::make_unique<TestCgroup>(*cgroups.back(), "d"));
    {
        Child deep({.cgroup = cgroups.back().get(), .network = &rig.network});
        const int near = rig.channel.near();
        const auto send = [=] { return hand_over(near, {AF_INET, SOCK_DGRAM, 0}); };
        REQUIRE(error_name(deep.run(send)) == "none");
        expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_SOCKET, 0);
        REQUIRE(error_name(deep.run(send)) == "none");
        expect_received(rig, rig.neighbour, 1);
    }
    while (!cgroups.empty()) cgroups.pop_back();
}

TEST_CASE("peeking at a message doesn't bring a socket in either") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    REQUIRE(error_name(rig.stranger.run([=] {
                return hand_over(near, {AF_INET, SOCK_STREAM, 0});
            })) == "none");
    expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_SOCKET, 0, MSG_PEEK);
    expect_received(rig, rig.neighbour, 1);
}

TEST_CASE("of a message with several descriptors those before the socket arrive") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    const auto send = [=] {
        int ends[2];
        if (::pipe(ends) != 0) return errno;
        const UniqueFd reader(ends[0]), writer(ends[1]), socket(::socket(AF_INET, SOCK_DGRAM, 0));
        const int all[] = {ends[0], socket.get(), ends[1]};
        return send_descriptors(near, all, 3);
    };
    REQUIRE(error_name(rig.stranger.run(send)) == "none");
    expect_kept_out(rig, rig.container.init, JAIL_REASON_INHERITED_SOCKET, 1);
    REQUIRE(error_name(rig.stranger.run(send)) == "none");
    expect_received(rig, rig.neighbour, 3);
}

TEST_CASE("Unix sockets are allowed") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        INFO(type);
        REQUIRE(error_name(rig.stranger.run([=] {
                    return hand_over(near, {AF_UNIX, type, 0});
                })) == "none");
        expect_received(rig, rig.container.init, 1);
    }
}

TEST_CASE("the container's own sockets move between its processes, in its cgroup and below") {
    NEED_GUARD();
    Rig rig;
    const int near = rig.channel.near();
    for (const SocketKind kind :
         {SocketKind{AF_INET, SOCK_STREAM, 0}, SocketKind{AF_NETLINK, SOCK_RAW, 0}}) {
        INFO(kind.family);
        const auto send = [=] { return hand_over(near, kind); };
        REQUIRE(error_name(rig.nested.run(send)) == "none");
        expect_received(rig, rig.container.init, 1);
        REQUIRE(error_name(rig.container.init.run(send)) == "none");
        expect_received(rig, rig.nested, 1);
        REQUIRE(error_name(rig.nested.run(send)) == "none");
        expect_received(rig, rig.neighbour, 1);
    }
}

// pidfd_getfd(2) of descriptor number 100; 0 or errno.
int fetch(int pidfd) {
    const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, 100, 0)));
    return fd ? 0 : errno;
}

int put_at_100(int fd) {
    const UniqueFd closed(fd);
    return fd >= 0 && ::dup2(fd, 100) == 100 ? 0 : errno;
}

TEST_CASE("a socket from outside can't be fetched by pidfd_getfd") {
    NEED_GUARD();
    Rig rig;
    const UniqueFd pidfd(
        must(static_cast<int>(::syscall(SYS_pidfd_open, rig.stranger.pid(), 0)), "open a pidfd"));
    const int passed = pidfd.get(), far = rig.channel.far();
    const auto take_pidfd = [&](Child& child) {
        if (send_descriptors(rig.channel.near(), &passed, 1) != 0) throw_errno("pass a pidfd");
        return child.run([=] { return receive_descriptors(far).last; });
    };
    const int inside = take_pidfd(rig.nested), outside = take_pidfd(rig.neighbour);
    REQUIRE(error_name(rig.stranger.run(
                [] { return put_at_100(::socket(AF_INET, SOCK_DGRAM, 0)); })) == "none");
    expect_denied(rig, rig.nested, JAIL_REASON_INHERITED_SOCKET, [=] { return fetch(inside); });
    expect_allowed(rig, rig.neighbour, [=] { return fetch(outside); });
    REQUIRE(error_name(rig.stranger.run(
                [] { return put_at_100(::socket(AF_UNIX, SOCK_DGRAM, 0)); })) == "none");
    expect_allowed(rig, rig.nested, [=] { return fetch(inside); });
}

}  // namespace
}  // namespace jail_ai::test
