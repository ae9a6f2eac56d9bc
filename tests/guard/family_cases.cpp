// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// socket_create: which sockets may be opened inside, by whatever system call.
#include <arpa/inet.h>

#include <cstdio>

#include "l2tp.h"
#include "rig.h"
#include "sockets.h"

namespace jail_ai::test {
namespace {

// Newer than some headers.
constexpr int kAfXdp = 44, kAfSmc = 43, kProtoMptcp = 262, kProtoSmc = 256, kProtoL2tp = 115,
              kSockDccp = 6;

struct Row {
    const char* name;
    SocketKind kind;
};

const Row kDenied[] = {
    {"AF_PACKET, raw", {AF_PACKET, SOCK_RAW, 0}},
    {"AF_PACKET, cooked", {AF_PACKET, SOCK_DGRAM, 0}},
    {"AF_INET, SOCK_PACKET", {AF_INET, SOCK_PACKET, 0}},
    {"AF_XDP", {kAfXdp, SOCK_RAW, 0}},
    {"AF_VSOCK, stream", {AF_VSOCK, SOCK_STREAM, 0}},
    {"AF_VSOCK, datagram", {AF_VSOCK, SOCK_DGRAM, 0}},
    {"AF_VSOCK, seqpacket", {AF_VSOCK, SOCK_SEQPACKET, 0}},
    {"AF_SMC", {kAfSmc, SOCK_STREAM, 0}},
    {"AF_KEY", {AF_KEY, SOCK_RAW, 2 /* PF_KEY_V2 */}},
    {"AF_KCM", {AF_KCM, SOCK_DGRAM, 0}},
    {"AF_INET, L2TP", {AF_INET, SOCK_DGRAM, kProtoL2tp}},
    {"AF_INET6, L2TP", {AF_INET6, SOCK_DGRAM, kProtoL2tp}},
    {"AF_INET, SMC", {AF_INET, SOCK_STREAM, kProtoSmc}},
    {"AF_INET, DCCP", {AF_INET, kSockDccp, IPPROTO_DCCP}},
    {"AF_RDS", {AF_RDS, SOCK_SEQPACKET, 0}},
    {"AF_TIPC", {AF_TIPC, SOCK_RDM, 0}},
    {"AF_CAN", {AF_CAN, SOCK_RAW, 1 /* CAN_RAW */}},
    {"AF_RXRPC", {AF_RXRPC, SOCK_DGRAM, AF_INET}},
};

const Row kAllowed[] = {
    {"TCP", {AF_INET, SOCK_STREAM, 0}},
    {"TCP by name", {AF_INET, SOCK_STREAM, IPPROTO_TCP}},
    {"TCP over IPv6", {AF_INET6, SOCK_STREAM, 0}},
    {"TCP, flags in the type", {AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0}},
    {"MPTCP", {AF_INET, SOCK_STREAM, kProtoMptcp}},
    {"SCTP", {AF_INET, SOCK_STREAM, IPPROTO_SCTP}},
    {"SCTP, seqpacket", {AF_INET6, SOCK_SEQPACKET, IPPROTO_SCTP}},
    {"UDP", {AF_INET, SOCK_DGRAM, 0}},
    {"UDP over IPv6", {AF_INET6, SOCK_DGRAM, IPPROTO_UDP}},
    {"UDP-Lite", {AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE}},
    {"ping", {AF_INET, SOCK_DGRAM, IPPROTO_ICMP}},
    {"ping over IPv6", {AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6}},
    {"raw ICMP", {AF_INET, SOCK_RAW, IPPROTO_ICMP}},
    {"raw, header included", {AF_INET, SOCK_RAW, IPPROTO_RAW}},
    {"raw ICMPv6", {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}},
    {"Unix stream", {AF_UNIX, SOCK_STREAM, 0}},
    {"Unix datagram", {AF_UNIX, SOCK_DGRAM, 0}},
    {"Unix seqpacket", {AF_UNIX, SOCK_SEQPACKET, 0}},
    {"route netlink", {AF_NETLINK, SOCK_RAW, 0}},
    {"kernel cryptography", {AF_ALG, SOCK_SEQPACKET, 0}},
};

constexpr SocketKind kPacket{AF_PACKET, SOCK_RAW, 0};
constexpr SocketKind kUdp{AF_INET, SOCK_DGRAM, 0};

TEST_CASE("families and protocols that no network hook checks can't be opened inside") {
    NEED_GUARD();
    Rig rig;
    for (const Row& row : kDenied) {
        INFO(row.name);
        const SocketKind kind = row.kind;
        const auto open = [=] { return error_of(open_socket(kind)); };
        // What this kernel doesn't have at all says so to a stranger; inside the guard is asked
        // first.
        const int without = rig.stranger.run(open);
        CHECK((without == 0 || without == EAFNOSUPPORT || without == EPROTONOSUPPORT ||
               without == ESOCKTNOSUPPORT || without == ENODEV));
        if (without != 0)
            std::printf("# %s is not in this kernel (%s)\n", row.name, error_name(without).c_str());
        if (without == 0) expect_denied(rig, rig.container.init, JAIL_REASON_FAMILY, open);
        if (without == 0) expect_denied(rig, rig.nested, JAIL_REASON_FAMILY, open);
    }
    expect_allowed(rig, rig.stranger, [] { return error_of(open_socket(kPacket)); });
    expect_allowed(rig, rig.stranger, [] {
        return error_of(open_socket({AF_VSOCK, SOCK_STREAM, 0}));
    });
    expect_allowed(rig, rig.container.init, [] { return error_of(open_socket(kUdp)); });
}

// The guard is asked before the kernel looks for the protocol, so that a later one finds it denied.
TEST_CASE("families and protocols that this kernel doesn't have are denied all the same") {
    NEED_GUARD();
    constexpr int kNobodys = 253;  // RFC 3692
    Rig rig;
    for (const SocketKind kind :
         {SocketKind{AF_INET, SOCK_STREAM, kNobodys}, SocketKind{AF_INET, SOCK_DGRAM, kNobodys},
          SocketKind{AF_INET6, SOCK_SEQPACKET, kNobodys}, SocketKind{AF_INET6, SOCK_RDM, 0},
          SocketKind{AF_APPLETALK, SOCK_DGRAM, 0}}) {
        INFO((std::to_string(kind.family) + " " + std::to_string(kind.type)));
        const auto open = [=] { return error_of(open_socket(kind)); };
        const std::string without = error_name(rig.stranger.run(open));
        CHECK((without != "none" && without != "EPERM"));
        expect_denied(rig, rig.container.init, JAIL_REASON_FAMILY, open);
    }
    expect_allowed(rig, rig.container.init, [] { return error_of(open_socket(kUdp)); });
}

TEST_CASE(
    "families that the network hooks check, and those that reach no peer, are opened inside as "
    "outside") {
    NEED_GUARD();
    Rig rig;
    const DenialCounts before = denials(rig.container.cgroup);
    for (const Row& row : kAllowed) {
        INFO(row.name);
        const SocketKind kind = row.kind;
        const auto open = [=] { return error_of(open_socket(kind)); };
        const std::string outside = error_name(rig.stranger.run(open));
        CHECK(outside != "EPERM");
        CHECK(error_name(rig.container.init.run(open)) == outside);
    }
    expect_allowed(rig, rig.container.init, [] {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return errno;
        return ::close(ends[0]) == 0 && ::close(ends[1]) == 0 ? 0 : errno;
    });
    CHECK(change(before, denials(rig.container.cgroup)) == "");
}

template <typename Open>
void expect_guarded_way(Open open) {
    Rig rig;
    const int without = rig.stranger.run([=] { return error_of(open(kPacket)); });
    if (without == ENOSYS || without == EINVAL)
        SKIP_CASE("this kernel doesn't have it: " + error_name(without));
    CHECK(error_name(without) == "none");
    expect_denied(rig, rig.container.init, JAIL_REASON_FAMILY,
                  [=] { return error_of(open(kPacket)); });
    expect_allowed(rig, rig.container.init, [=] { return error_of(open(kUdp)); });
}

TEST_CASE("no other way to open a socket passes by the guard") {
    NEED_GUARD();
    SUBCASE("io_uring") {
        guarded([] {
            expect_guarded_way(
                [](const SocketKind& kind) { return open_socket_by_io_uring(kind, false); });
        });
    }
    SUBCASE("io_uring with a polling thread") {
        guarded([] {
            expect_guarded_way(
                [](const SocketKind& kind) { return open_socket_by_io_uring(kind, true); });
        });
    }
    SUBCASE("32-bit socketcall") {
        guarded([] {
            expect_guarded_way(
                [](const SocketKind& kind) { return open_socket_by_socketcall(kind); });
        });
    }
}

TEST_CASE("sockets that the kernel opens for itself are left alone") {
    NEED_GUARD();
    const std::uint32_t own = ::inet_addr("10.77.0.2"), host = ::inet_addr("10.77.0.1");
    Rig rig;
    const int without = rig.stranger.run([=] { return make_l2tp_tunnel(1, own, host); });
    if (without == ENOENT) SKIP_CASE("L2TP is not in this kernel");
    CHECK(error_name(without) == "none");
    expect_denied(rig, rig.nested, JAIL_REASON_FAMILY, [] {
        return error_of(open_socket({AF_INET, SOCK_DGRAM, kProtoL2tp}));
    });
    expect_allowed(rig, rig.nested, [=] { return make_l2tp_tunnel(2, own, host); });
}

TEST_CASE("who is moved into the container's cgroup is held, who leaves is free") {
    NEED_GUARD();
    Rig rig;
    const auto open = [] { return error_of(open_socket(kPacket)); };
    expect_allowed(rig, rig.neighbour, open);
    rig.container.cgroup.add(rig.neighbour.pid());
    expect_denied(rig, rig.neighbour, JAIL_REASON_FAMILY, open);
    rig.outside.add(rig.neighbour.pid());
    expect_allowed(rig, rig.neighbour, open);
}

}  // namespace
}  // namespace jail_ai::test
