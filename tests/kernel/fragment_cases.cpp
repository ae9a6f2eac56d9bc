// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A datagram that a raw socket sends in fragments, in a network namespace with connection tracking,
// which puts it together before egress.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sysexits.h>

#include <cstring>

#include "connection_tracking.h"
#include "expect.h"
#include "files.h"
#include "jail/reassembly.h"
#include "kernel_bpf.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

constexpr std::size_t kPart = 8;  // bytes a fragment: the header of UDP, and the token

struct Datagram {
    udphdr header;
    Token token;
};
static_assert(sizeof(Datagram) == 2 * kPart);

Datagram datagram(Token token) {
    Datagram made{};
    made.header.source = htons(kPort);
    made.header.dest = htons(kPort);
    made.header.len = htons(sizeof made);
    made.token = token;
    return made;
}

// RFC 1071, over a pseudo-header and the datagram.
std::uint16_t checksum(const void* data, std::size_t size) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < size; i += 2) {
        std::uint16_t word = 0;
        std::memcpy(&word, static_cast<const char*>(data) + i, sizeof word);
        sum += word;
    }
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

int send_packet(int family, const void* packet, std::size_t size, const Destination& to) {
    const UniqueFd socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    return socket && ::sendto(socket.get(), packet, size, 0, to.get(), to.length) >= 0 ? 0 : errno;
}

// 0, or the errno of the last fragment that was refused.
int send_in_two_v4(const IpAddress& from, const IpAddress& to, Token token) {
    const Datagram whole = datagram(token);
    Destination where{};
    auto* address = reinterpret_cast<sockaddr_in*>(&where.address);
    address->sin_family = AF_INET;
    std::memcpy(&address->sin_addr, to.bytes.data(), to.size());
    where.length = sizeof *address;
    int error = 0;
    for (std::size_t part = 0; part < 2; part++) {
        struct {
            iphdr header;
            char bytes[kPart];
        } packet{};
        packet.header.version = 4;
        packet.header.ihl = 5;
        packet.header.ttl = 64;
        packet.header.protocol = IPPROTO_UDP;
        packet.header.id = htons(static_cast<std::uint16_t>(token | 1));
        packet.header.frag_off = htons(part == 0 ? IP_MF : kPart / 8);
        std::memcpy(&packet.header.saddr, from.bytes.data(), from.size());
        std::memcpy(&packet.header.daddr, to.bytes.data(), to.size());
        std::memcpy(packet.bytes, reinterpret_cast<const char*>(&whole) + part * kPart, kPart);
        if (const int failed = send_packet(AF_INET, &packet, sizeof packet, where); failed != 0)
            error = failed;
    }
    return error;
}

int send_in_two_v6(const IpAddress& from, const IpAddress& to, Token token) {
    struct {
        in6_addr from, to;
        std::uint32_t size, next;
        Datagram whole;
    } summed{};
    std::memcpy(&summed.from, from.bytes.data(), from.size());
    std::memcpy(&summed.to, to.bytes.data(), to.size());
    summed.size = htonl(sizeof(Datagram));
    summed.next = htonl(IPPROTO_UDP);
    summed.whole = datagram(token);
    summed.whole.header.check = checksum(&summed, sizeof summed);
    Destination where{};
    auto* address = reinterpret_cast<sockaddr_in6*>(&where.address);
    address->sin6_family = AF_INET6;
    address->sin6_addr = summed.to;
    where.length = sizeof *address;
    int error = 0;
    for (std::size_t part = 0; part < 2; part++) {
        struct {
            ip6_hdr header;
            ip6_frag fragment;
            char bytes[kPart];
        } packet{};
        packet.header.ip6_flow = htonl(6U << 28);
        packet.header.ip6_plen = htons(sizeof packet - sizeof packet.header);
        packet.header.ip6_nxt = IPPROTO_FRAGMENT;
        packet.header.ip6_hlim = 64;
        packet.header.ip6_src = summed.from;
        packet.header.ip6_dst = summed.to;
        packet.fragment.ip6f_nxt = IPPROTO_UDP;
        packet.fragment.ip6f_offlg = part == 0 ? IP6F_MORE_FRAG : htons(kPart);
        packet.fragment.ip6f_ident = static_cast<std::uint32_t>(token);
        std::memcpy(packet.bytes, reinterpret_cast<const char*>(&summed.whole) + part * kPart,
                    kPart);
        if (const int failed = send_packet(AF_INET6, &packet, sizeof packet, where); failed != 0)
            error = failed;
    }
    return error;
}

struct Row {
    const char* name;
    int (*send)(const IpAddress& from, const IpAddress& to, Token token);
    const char* from;
    const char* to;
};

const Row kRows[] = {
    {"IPv4", send_in_two_v4, "10.77.0.2", "10.77.0.1"},
    {"IPv6", send_in_two_v6, "fd77::2", "fd77::1"},
};

Token send_from(Child& child, const Row& row) {
    const Token token = fresh_token();
    const IpAddress from = parse_address(row.from), to = parse_address(row.to);
    const auto send = row.send;
    child.run([=] { return send(from, to, token); });
    return token;
}

// Does what the jail's container sends in fragments arrive at the host? What a process outside of
// it sends after that does.
bool get_through(const Container& container, Child& inside, Child& outside, const Row& row) {
    Witness& witness = Laboratory::get().network.witness;
    const DenialCounts before = denials(container.cgroup);
    const Token jailed = send_from(inside, row), control = send_from(outside, row);
    REQUIRE(name_of(witness.await(control, Place::host)) == name_of(Place::host));
    const bool arrived = witness.has_seen(jailed);
    CHECK((change(before, denials(container.cgroup)) != "") == !arrived);
    return arrived;
}

TEST_CASE(
    "fragments that connection tracking puts together pass egress by on the kernels of which the "
    "hook knows it") {
    const NetworkNamespace& network = Laboratory::get().network.container;
    const TestCgroup outside;
    Child outsider({.cgroup = &outside, .network = &network});
    // Linux before 5.12 goes on putting fragments together, of both families, once connection
    // tracking has been used in a network namespace.
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        Container container;
        expect_jailed(container.run_hook(), container.cgroup);
        CHECK_FALSE(get_through(container, container.init, outsider, row));
    }
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        Container container;
        expect_jailed(container.run_hook(), container.cgroup);
        const ConnectionTracking tracking(network);
        if (tracking.error() != 0)
            SKIP_CASE("no nftables with connection tracking on this kernel: " +
                      error_name(tracking.error()));
        CHECK(get_through(container, container.init, outsider, row) ==
              !kernel_keeps_sockets_of_fragments());
    }
}

HookOutcome run_with(const Container& container, const char* capability, const char* rule) {
    create_file(
        container.state.bundle + "/config.json",
        R"({"ociVersion":"1.0.2","process":{"args":["/x"],"cwd":"/","capabilities":{"bounding":[")" +
            std::string(capability) + R"("]}},"root":{"path":"rootfs"},"mounts":[],"linux":{)" +
            R"("seccomp":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[)" + rule + "]}}}");
    return container.run_hook();
}

TEST_CASE("there, CAP_NET_RAW is rejected unless it is accepted or can open no raw socket") {
    constexpr const char* no_packet =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]})";
    constexpr const char* part = "fragments of raw sockets bypass";
    const bool keeps = kernel_keeps_sockets_of_fragments();
    const Container open;
    const HookOutcome outcome = run_with(open, "CAP_NET_RAW", no_packet);
    if (keeps)
        expect_jailed(outcome, open.cgroup);
    else
        expect_refused(outcome, EX_CONFIG, part, open.cgroup);
    const Container closed, without,
        accepted(Container::Options{
            .annotations =
                R"({"jail-ai.block-host":"true","jail-ai.block-host.accept":"cap_net_raw"})"});
    if (keeps || !kernel_has_guard())
        expect_jailed(run_with(closed, "CAP_NET_RAW", ""), closed.cgroup);
    expect_jailed(run_with(without, "CAP_KILL", no_packet), without.cgroup);
    const HookOutcome taken = run_with(accepted, "CAP_NET_RAW", no_packet);
    expect_programs_attached(accepted.cgroup);
    CHECK((taken.err.find(part) != std::string::npos) == !keeps);
}

}  // namespace
}  // namespace jail_ai::test
