// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The packet parser, by BPF_PROG_TEST_RUN of jail_egress: bytes in, verdict and reason out.
#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "test_run.h"

namespace jail_ai::test {
namespace {

constexpr const char* kHost4 = "192.0.2.1";
constexpr const char* kHost6 = "2001:db8::1";
constexpr const char* kElsewhere4 = "198.51.100.1";
constexpr const char* kElsewhere6 = "2001:db8:1::1";
constexpr std::uint16_t kOpenPort = 53;

IpPrefix address(const char* text) {
    return *IpPrefix::parse(text);
}

// An extension header of 8 bytes times (length + 1).
Bytes extension(std::uint8_t next, std::uint8_t length = 0) {
    Bytes header = {next, length};
    header.resize(8U * (length + 1U));
    return header;
}

Bytes chain(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) append(all, part);
    return all;
}

// A neighbour discovery message with one option.
Bytes discovery(std::uint8_t type, std::uint8_t option) {
    Bytes message(32);
    message[0] = type;
    message[24] = option;
    message[25] = 1;
    return message;
}

// A report of a group that the kernel listens to, to everything that reads reports.
Bytes report(std::uint8_t type, const char* to = "ff02::16") {
    const Bytes alert{58, 0, 5, 2, 0, 0, 1, 0};
    Bytes packet = v6(address(to), 0, chain({alert, {type, 0}, Bytes(26)}));
    packet[7] = 1;
    return packet;
}

Bytes hop255(Bytes packet) {
    packet[7] = 255;
    return packet;
}

Bytes cut(Bytes packet, std::size_t size) {
    packet.resize(size);
    return packet;
}

Bytes with(Bytes packet, std::size_t at, std::uint8_t byte) {
    packet[at] = byte;
    return packet;
}

struct PacketCase {
    const char* name;
    Bytes packet;
    const char* verdict;
};

constexpr std::uint8_t kHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kNone = 59,
                       kDestination = 60, kMobility = 135, kIcmp6 = 58;
constexpr std::uint8_t kUdpLite = 136, kSctp = 132;

// With a policy of one address a family, whose port 53 passes, and of IPv6's groups.
void check_all(const std::vector<PacketCase>& cases, std::uint16_t ether_type) {
    jail_rule value{};
    value.reason = JAIL_REASON_LOCAL;
    value.ports[0] = {kOpenPort, kOpenPort, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
    Programs programs;
    jail_rule groups{};
    groups.reason = JAIL_REASON_MULTICAST;
    programs.fill({{address(kHost4), {value, ""}},
                   {address(kHost6), {value, ""}},
                   {*IpPrefix::parse("ff00::/8"), {groups, ""}}});
    for (const PacketCase& each : cases) {
        INFO(each.name);
        CHECK(programs.evaluate(each.packet, ether_type) == each.verdict);
    }
}

}  // namespace

TEST_CASE("egress: IPv4 packets are checked as they are on the wire") {
    const Bytes loose_route = {131, 7, 4, 198, 51, 100, 9, 0};
    const Bytes strict_route = {137, 7, 4, 198, 51, 100, 9, 0};
    check_all(
        {{"UDP elsewhere", v4(address(kElsewhere4), IPPROTO_UDP, udp(7)), "pass"},
         {"UDP", v4(address(kHost4), IPPROTO_UDP, udp(7)), "local"},
         {"UDP to the open port", v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort)), "pass"},
         {"UDP without a whole header", v4(address(kHost4), IPPROTO_UDP, {0, 1, 2}),
          "malformed-packet"},
         {"UDP-Lite to the open port", v4(address(kHost4), kUdpLite, udp(kOpenPort)), "local"},
         {"SCTP to the open port", v4(address(kHost4), kSctp, udp(kOpenPort)), "local"},
         {"ICMP", v4(address(kHost4), IPPROTO_ICMP, {8, 0, 0, 0, 0, 0, 0, 0}), "local"},
         {"ICMP elsewhere", v4(address(kElsewhere4), IPPROTO_ICMP, {8, 0, 0, 0, 0, 0, 0, 0}),
          "pass"},
         {"TCP SYN", v4(address(kHost4), IPPROTO_TCP, tcp(80, kSyn)), "local"},
         {"TCP SYN to the open port", v4(address(kHost4), IPPROTO_TCP, tcp(kOpenPort, kSyn)),
          "pass"},
         {"TCP SYN and FIN", v4(address(kHost4), IPPROTO_TCP, tcp(80, kSyn | kFin)), "local"},
         {"TCP ACK that no TCP socket sends", v4(address(kHost4), IPPROTO_TCP, tcp(80, kAck)),
          "local"},
         {"TCP RST that no TCP socket sends", v4(address(kHost4), IPPROTO_TCP, tcp(80, kRst)),
          "local"},
         {"TCP without flags", v4(address(kHost4), IPPROTO_TCP, cut(tcp(80, kAck), 13)),
          "malformed-packet"},
         {"an unknown protocol", v4(address(kHost4), 253, {}), "local"},
         {"a first fragment", v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), {}, 0x2000),
          "malformed-packet"},
         {"a later fragment", v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), {}, 0x0001),
          "malformed-packet"},
         {"UDP to the open port that claims to come from the host",
          v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), {}, 0, kHost4), "malformed-packet"},
         {"TCP SYN to the open port that claims to come from the host",
          v4(address(kHost4), IPPROTO_TCP, tcp(kOpenPort, kSyn), {}, 0, kHost4),
          "malformed-packet"},
         {"don't fragment is no fragment",
          v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), {}, 0x4000), "pass"},
         {"a source route behind an option that is two bytes long",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {148, 2, 131, 3}), "malformed-packet"},
         {"a fragment elsewhere", v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {}, 0x2000),
          "pass"},
         {"options that do nothing", v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), {1, 1, 1, 0}),
          "pass"},
         {"a loose source route by the host",
          v4(address(kHost4), IPPROTO_UDP, udp(kOpenPort), loose_route), "malformed-packet"},
         {"a loose source route elsewhere",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), loose_route), "malformed-packet"},
         {"a strict source route elsewhere",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), strict_route), "malformed-packet"},
         {"a source route behind no-operations",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {1, 131, 7, 4, 1, 2, 3, 4}),
          "malformed-packet"},
         {"a source route behind another option",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {148, 4, 0, 0, 131, 3, 4, 0}),
          "malformed-packet"},
         {"a source route behind the end is none",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {0, 131, 7, 4}), "pass"},
         {"router alert elsewhere", v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {148, 4, 0, 0}),
          "pass"},
         {"more options than anybody needs",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {1, 1, 1, 1, 1, 131, 3, 4}),
          "malformed-packet"},
         {"an option shorter than its own head",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {148, 1, 0, 0}), "malformed-packet"},
         {"options that the packet doesn't hold, elsewhere",
          with(v4(address(kElsewhere4), IPPROTO_UDP, {}), 0, 0x4f), "malformed-packet"},
         {"an option that has no length",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {7, 0, 0, 0}), "malformed-packet"},
         {"a header shorter than a header",
          [] {
              Bytes packet = v4(address(kHost4), IPPROTO_UDP, udp(7));
              packet[0] = 0x44;
              return packet;
          }(),
          "malformed-packet"},
         {"options that the packet doesn't hold",
          [] {
              Bytes packet = v4(address(kHost4), IPPROTO_UDP, {});
              packet[0] = 0x4f;
              return packet;
          }(),
          "malformed-packet"},
         {"an unknown version",
          [] {
              Bytes packet = v4(address(kElsewhere4), IPPROTO_UDP, udp(7));
              packet[0] = 0x55;
              return packet;
          }(),
          "malformed-packet"},
         {"UDP elsewhere that claims to come from the host",
          v4(address(kElsewhere4), IPPROTO_UDP, udp(7), {}, 0, kHost4), "malformed-packet"}},
        ETH_P_IP);
}

TEST_CASE("egress: IPv6 packets are checked behind their extension headers") {
    const Bytes passing = udp(kOpenPort);
    check_all(
        {{"UDP elsewhere", v6(address(kElsewhere6), IPPROTO_UDP, udp(7)), "pass"},
         {"UDP", v6(address(kHost6), IPPROTO_UDP, udp(7)), "local"},
         {"UDP to the open port", v6(address(kHost6), IPPROTO_UDP, passing), "pass"},
         {"UDP without a whole header", v6(address(kHost6), IPPROTO_UDP, {1}), "malformed-packet"},
         {"TCP SYN", v6(address(kHost6), IPPROTO_TCP, tcp(80, kSyn)), "local"},
         {"TCP SYN to the open port", v6(address(kHost6), IPPROTO_TCP, tcp(kOpenPort, kSyn)),
          "pass"},
         {"TCP ACK that no TCP socket sends", v6(address(kHost6), IPPROTO_TCP, tcp(80, kAck)),
          "local"},
         {"half a neighbour solicitation", v6(address(kHost6), kIcmp6, {135, 0, 0, 0}), "local"},
         {"a neighbour solicitation that came from afar",
          v6(address(kHost6), kIcmp6, discovery(135, 1)), "local"},
         {"a neighbour solicitation", hop255(v6(address(kHost6), kIcmp6, discovery(135, 1))),
          "pass"},
         {"a neighbour advertisement", hop255(v6(address(kHost6), kIcmp6, discovery(136, 2))),
          "pass"},
         {"a router solicitation",
          hop255(v6(address("ff02::2"), kIcmp6, cut(discovery(133, 1), 8))), "pass"},
         {"a router solicitation with its sender's address",
          hop255(
              v6(address("ff02::2"), kIcmp6, {133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7})),
          "pass"},
         {"a router solicitation with the option of an advertisement",
          hop255(
              v6(address("ff02::2"), kIcmp6, {133, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7})),
          "multicast"},
         {"a router solicitation with data behind it",
          hop255(v6(address("ff02::2"), kIcmp6, discovery(133, 1))), "multicast"},
         {"a listener report", report(143), "pass"},
         {"an old listener report", report(131, "ff02::1:ff00:2"), "pass"},
         {"an old listener's end", report(132, "ff02::2"), "pass"},
         {"a listener report to the host", report(143, kHost6), "local"},
         {"a listener report to a wider group", report(143, "ff05::16"), "multicast"},
         {"a listener report that came from afar", hop255(report(143)), "multicast"},
         {"a listener report without a router alert", with(report(143), 42, 1), "multicast"},
         {"a listener report with another option", with(report(143), 46, 3), "multicast"},
         {"nothing of a listener report", cut(report(143), 48), "multicast"},
         {"a listener query", report(130), "multicast"},
         {"a neighbour solicitation with another option",
          hop255(v6(address(kHost6), kIcmp6, discovery(135, 14))), "local"},
         {"a neighbour solicitation with data behind it",
          hop255(v6(address(kHost6), kIcmp6, chain({discovery(135, 1), Bytes(8)}))), "local"},
         {"a solicitation with a code",
          hop255(with(v6(address(kHost6), kIcmp6, discovery(135, 1)), 41, 1)), "local"},
         {"a solicitation with a longer option",
          hop255(with(v6(address(kHost6), kIcmp6, discovery(135, 1)), 65, 2)), "local"},
         {"half a neighbour solicitation of a neighbour",
          hop255(v6(address(kHost6), kIcmp6, {135, 0, 0, 0})), "local"},
         {"nothing of a neighbour solicitation", hop255(v6(address(kHost6), kIcmp6, {})), "local"},
         {"a router advertisement without options",
          hop255(v6(address(kHost6), kIcmp6, cut(discovery(134, 1), 24))), "local"},
         {"UDP in the form of a neighbour solicitation",
          hop255(v6(address(kHost6), IPPROTO_UDP, discovery(135, 1))), "local"},
         {"UDP elsewhere that claims to come from the host by NAT64",
          v6(address(kElsewhere6), IPPROTO_UDP, udp(7), "64:ff9b::192.0.2.1"), "malformed-packet"},
         {"a router advertisement", hop255(v6(address(kHost6), kIcmp6, discovery(134, 1))),
          "local"},
         {"echo", v6(address(kHost6), kIcmp6, {128, 0, 0, 0}), "local"},
         {"no next header", v6(address(kHost6), kNone, {}), "local"},
         {"hop-by-hop options", v6(address(kHost6), kHop, chain({extension(IPPROTO_UDP), passing})),
          "pass"},
         {"destination options",
          v6(address(kHost6), kDestination, chain({extension(IPPROTO_UDP), passing})), "pass"},
         {"long destination options",
          v6(address(kHost6), kDestination, chain({extension(IPPROTO_UDP, 5), passing})), "pass"},
         {"both, to a port that is closed",
          v6(address(kHost6), kHop,
             chain({extension(kDestination), extension(IPPROTO_UDP), udp(7)})),
          "local"},
         {"options that the packet doesn't hold", v6(address(kHost6), kDestination, {IPPROTO_UDP}),
          "malformed-packet"},
         {"options longer than the packet",
          v6(address(kHost6), kDestination, cut(extension(IPPROTO_UDP, 200), 8)),
          "malformed-packet"},
         {"a chain without an end",
          v6(address(kHost6), kHop,
             chain({extension(kDestination), extension(kDestination), extension(kDestination),
                    extension(kDestination), extension(kDestination), extension(kDestination),
                    extension(IPPROTO_UDP), passing})),
          "malformed-packet"},
         {"a routing header behind more options than anybody needs, elsewhere",
          v6(address(kElsewhere6), kDestination,
             chain({extension(kDestination), extension(kDestination), extension(kDestination),
                    extension(kDestination), extension(kDestination), extension(kRouting),
                    extension(IPPROTO_UDP, 2), udp(7)})),
          "malformed-packet"},
         {"a routing header behind a fragment header, elsewhere",
          v6(address(kElsewhere6), kFragment,
             chain({{kRouting, 0, 0, 0, 0, 0, 0, 1}, extension(IPPROTO_UDP, 2), udp(7)})),
          "malformed-packet"},
         {"UDP to the open port that claims to come from the host",
          v6(address(kHost6), IPPROTO_UDP, passing, kHost6), "malformed-packet"},
         {"a routing header",
          v6(address(kHost6), kRouting, chain({extension(IPPROTO_UDP, 2), passing})),
          "malformed-packet"},
         {"a routing header elsewhere",
          v6(address(kElsewhere6), kRouting, chain({extension(IPPROTO_UDP, 2), udp(7)})),
          "malformed-packet"},
         {"a routing header behind options, elsewhere",
          v6(address(kElsewhere6), kHop,
             chain({extension(kRouting), extension(IPPROTO_UDP, 2), udp(7)})),
          "malformed-packet"},
         {"a fragment",
          v6(address(kHost6), kFragment, chain({{IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1}, passing})),
          "malformed-packet"},
         {"an atomic fragment",
          v6(address(kHost6), kFragment, chain({{IPPROTO_UDP, 0, 0, 0, 0, 0, 0, 1}, passing})),
          "malformed-packet"},
         {"a fragment elsewhere",
          v6(address(kElsewhere6), kFragment, chain({{IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1}, udp(7)})),
          "malformed-packet"},
         {"an authentication header",
          v6(address(kHost6), kAuthentication, chain({extension(IPPROTO_UDP), passing})), "local"},
         {"a mobility header", v6(address(kHost6), kMobility, extension(kNone)), "local"},
         {"UDP-Lite to the open port", v6(address(kHost6), kUdpLite, passing), "local"},
         {"IPv4 inside, by NAT64", v6(address("64:ff9b::192.0.2.1"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 inside, compatible", v6(address("::192.0.2.1"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 inside, translated", v6(address("::ffff:0:192.0.2.1"), IPPROTO_UDP, udp(7)),
          "local"},
         {"IPv4 inside, by local NAT64 of 48 bits",
          v6(address("64:ff9b:1:c000:2:100::"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 inside, by local NAT64 of 56 bits",
          v6(address("64:ff9b:1:c0:0:201::"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 inside, by local NAT64 of 64 bits",
          v6(address("64:ff9b:1:0:c0:2:100:0"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 inside, by local NAT64 of 96 bits",
          v6(address("64:ff9b:1::c000:201"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 elsewhere inside, by local NAT64",
          v6(address("64:ff9b:1::c633:6401"), IPPROTO_UDP, udp(7)), "pass"},
         {"an unknown version", with(v6(address(kElsewhere6), IPPROTO_UDP, udp(7)), 0, 0x50),
          "malformed-packet"},
         {"IPv4 inside, by 6to4", v6(address("2002:c000:201::9"), IPPROTO_UDP, udp(7)), "local"},
         {"IPv4 elsewhere inside", v6(address("64:ff9b::198.51.100.1"), IPPROTO_UDP, udp(7)),
          "pass"},
         {"UDP elsewhere that claims to come from the host",
          v6(address(kElsewhere6), IPPROTO_UDP, udp(7), kHost6), "malformed-packet"}},
        ETH_P_IPV6);
}

TEST_CASE("egress: a rule with an unknown reason denies") {
    jail_rule value{};
    value.reason = JAIL_REASON_COUNT;
    Programs programs;
    programs.fill({{address(kHost4), {value, ""}}});
    CHECK(programs.evaluate(v4(address(kHost4), IPPROTO_UDP, udp(7)), ETH_P_IP) ==
          "malformed-packet");
    CHECK(programs.evaluate(v4(address(kElsewhere4), IPPROTO_UDP, udp(7)), ETH_P_IP) == "pass");
}

TEST_CASE("egress: what is of no IP family is denied") {
    check_all({{"IPv4 under another protocol", v4(address(kElsewhere4), IPPROTO_UDP, udp(7)),
                "malformed-packet"},
               {"IPv6 under another protocol", v6(address(kElsewhere6), IPPROTO_UDP, udp(7)),
                "malformed-packet"}},
              ETH_P_LOOPBACK);
    check_all({{"IPv6 as IPv4", v6(address(kElsewhere6), IPPROTO_UDP, udp(7)), "malformed-packet"}},
              ETH_P_IP);
    check_all(
        {{"IPv4 as IPv6", v4(address(kElsewhere4), IPPROTO_UDP, Bytes(40)), "malformed-packet"}},
        ETH_P_IPV6);
}

}  // namespace jail_ai::test
