// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The packet parser, by BPF_PROG_TEST_RUN of jail_egress: bytes in, verdict and reason out. A packet run like this comes from no socket, so
// that what only a TCP or UDP socket may send is denied.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "jail/skeleton.h"
#include "must.h"
#include "policy/ip_prefix.h"
#include "policy/reason.h"

namespace jail_ai::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr const char* kHost4 = "192.0.2.1";
constexpr const char* kHost6 = "2001:db8::1";
constexpr const char* kElsewhere4 = "198.51.100.1";
constexpr const char* kElsewhere6 = "2001:db8:1::1";
constexpr std::uint16_t kOpenPort = 53;

struct SkeletonDeleter {
    void operator()(jail_bpf* skeleton) const { jail_bpf::destroy(skeleton); }
};

// The programs with a policy of one address a family, whose port 53 passes.
class Programs {
public:
    Programs() : skeleton_(jail_bpf::open_and_load()) {
        must(skeleton_ != nullptr ? 0 : -1, "load the programs");
        jail_rule rule{};
        rule.reason = JAIL_REASON_LOCAL;
        rule.ports[0] = {kOpenPort, kOpenPort, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
        for (const char* host : {kHost4, kHost6}) {
            const jail_key key = IpPrefix::parse(host)->key();
            must(::bpf_map_update_elem(::bpf_map__fd(skeleton_->maps.jail_rules), &key, &rule, BPF_ANY), "fill the rules");
        }
    }

    // "pass", the reason that denied it, or what is odd.
    std::string judge(const Bytes& packet, std::uint16_t ether_type) {
        Bytes frame(ETH_HLEN);
        frame[12] = static_cast<std::uint8_t>(ether_type >> 8);
        frame[13] = static_cast<std::uint8_t>(ether_type & 0xff);
        frame.insert(frame.end(), packet.begin(), packet.end());
        const auto before = counts();
        struct bpf_test_run_opts options {};
        options.sz = sizeof options;
        options.data_in = frame.data();
        options.data_size_in = static_cast<std::uint32_t>(frame.size());
        options.repeat = 1;
        must(::bpf_prog_test_run_opts(::bpf_program__fd(skeleton_->progs.jail_egress), &options), "run jail_egress");
        const auto after = counts();
        std::string reasons;
        for (std::size_t reason = 0; reason < after.size(); ++reason)
            if (after[reason] != before[reason]) reasons += reason_name(static_cast<jail_reason>(reason));
        if (options.retval == 1) return reasons.empty() ? "pass" : "passed and counted " + reasons;
        return reasons.empty() ? "denied and not counted" : reasons;
    }

private:
    std::array<std::uint64_t, JAIL_REASON_COUNT> counts() {
        std::array<std::uint64_t, JAIL_REASON_COUNT> all{};
        for (std::uint32_t reason = 0; reason < JAIL_REASON_COUNT; ++reason)
            must(::bpf_map_lookup_elem(::bpf_map__fd(skeleton_->maps.jail_denials), &reason, &all[reason]), "read the denials");
        return all;
    }

    std::unique_ptr<jail_bpf, SkeletonDeleter> skeleton_;
};

void append(Bytes& to, const Bytes& more) {
    to.insert(to.end(), more.begin(), more.end());
}

Bytes address4(const char* text) {
    const jail_key key = IpPrefix::parse(text)->key();
    return {key.addr + 12, key.addr + 16};
}

Bytes address6(const char* text) {
    const jail_key key = IpPrefix::parse(text)->key();
    return {key.addr, key.addr + 16};
}

Bytes v4(const char* to, std::uint8_t protocol, const Bytes& payload, const Bytes& options = {}, std::uint16_t fragment = 0,
         const char* from = "10.0.0.2") {
    Bytes packet = {static_cast<std::uint8_t>(0x45 + options.size() / 4), 0,  0,        0, 0, 0, static_cast<std::uint8_t>(fragment >> 8),
                    static_cast<std::uint8_t>(fragment & 0xff),           64, protocol, 0, 0};
    append(packet, address4(from));
    append(packet, address4(to));
    append(packet, options);
    append(packet, payload);
    return packet;
}

Bytes v6(const char* to, std::uint8_t next, const Bytes& payload, const char* from = "2001:db8:2::2") {
    Bytes packet = {0x60, 0, 0, 0, 0, 0, next, 64};
    append(packet, address6(from));
    append(packet, address6(to));
    append(packet, payload);
    return packet;
}

Bytes udp(std::uint16_t port) {
    return {0x30, 0x39, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port & 0xff), 0, 8, 0, 0};
}

Bytes tcp(std::uint16_t port, std::uint8_t flags) {
    Bytes header = {0x30, 0x39, static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port & 0xff)};
    header.resize(20);
    header[12] = 0x50;
    header[13] = flags;
    return header;
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

Bytes cut(Bytes packet, std::size_t size) {
    packet.resize(size);
    return packet;
}

struct PacketCase {
    const char* name;
    Bytes packet;
    const char* verdict;
};

constexpr std::uint8_t kSyn = 0x02, kAck = 0x10, kRst = 0x04, kFin = 0x01;
constexpr std::uint8_t kHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kNone = 59, kDestination = 60, kMobility = 135, kIcmp6 = 58;
constexpr std::uint8_t kUdpLite = 136, kSctp = 132;

void check_all(const std::vector<PacketCase>& cases, std::uint16_t ether_type) {
    Programs programs;
    for (const PacketCase& each : cases) {
        INFO(each.name);
        CHECK(programs.judge(each.packet, ether_type) == each.verdict);
    }
}

}  // namespace

TEST_CASE("egress: IPv4 packets are judged as they are on the wire") {
    const Bytes loose_route = {131, 7, 4, 198, 51, 100, 9, 0};
    const Bytes strict_route = {137, 7, 4, 198, 51, 100, 9, 0};
    check_all({{"UDP elsewhere", v4(kElsewhere4, IPPROTO_UDP, udp(7)), "pass"},
               {"UDP", v4(kHost4, IPPROTO_UDP, udp(7)), "local"},
               {"UDP to the open port", v4(kHost4, IPPROTO_UDP, udp(kOpenPort)), "pass"},
               {"UDP without a whole header", v4(kHost4, IPPROTO_UDP, {0, 1, 2}), "packet"},
               {"UDP-Lite to the open port", v4(kHost4, kUdpLite, udp(kOpenPort)), "local"},
               {"SCTP to the open port", v4(kHost4, kSctp, udp(kOpenPort)), "local"},
               {"ICMP", v4(kHost4, IPPROTO_ICMP, {8, 0, 0, 0, 0, 0, 0, 0}), "local"},
               {"ICMP elsewhere", v4(kElsewhere4, IPPROTO_ICMP, {8, 0, 0, 0, 0, 0, 0, 0}), "pass"},
               {"TCP SYN", v4(kHost4, IPPROTO_TCP, tcp(80, kSyn)), "local"},
               {"TCP SYN to the open port", v4(kHost4, IPPROTO_TCP, tcp(kOpenPort, kSyn)), "pass"},
               {"TCP SYN and FIN", v4(kHost4, IPPROTO_TCP, tcp(80, kSyn | kFin)), "local"},
               {"TCP ACK that no TCP socket sends", v4(kHost4, IPPROTO_TCP, tcp(80, kAck)), "local"},
               {"TCP RST that no TCP socket sends", v4(kHost4, IPPROTO_TCP, tcp(80, kRst)), "local"},
               {"TCP without flags", v4(kHost4, IPPROTO_TCP, cut(tcp(80, kAck), 13)), "packet"},
               {"an unknown protocol", v4(kHost4, 253, {}), "local"},
               {"a first fragment", v4(kHost4, IPPROTO_UDP, udp(kOpenPort), {}, 0x2000), "packet"},
               {"a later fragment", v4(kHost4, IPPROTO_UDP, udp(kOpenPort), {}, 0x0001), "packet"},
               {"don't fragment is no fragment", v4(kHost4, IPPROTO_UDP, udp(kOpenPort), {}, 0x4000), "pass"},
               {"a fragment elsewhere", v4(kElsewhere4, IPPROTO_UDP, udp(7), {}, 0x2000), "pass"},
               {"options that do nothing", v4(kHost4, IPPROTO_UDP, udp(kOpenPort), {1, 1, 1, 0}), "pass"},
               {"a loose source route by the host", v4(kHost4, IPPROTO_UDP, udp(kOpenPort), loose_route), "packet"},
               {"a loose source route elsewhere", v4(kElsewhere4, IPPROTO_UDP, udp(7), loose_route), "packet"},
               {"a strict source route elsewhere", v4(kElsewhere4, IPPROTO_UDP, udp(7), strict_route), "packet"},
               {"a source route behind no-operations", v4(kElsewhere4, IPPROTO_UDP, udp(7), {1, 131, 7, 4, 1, 2, 3, 4}), "packet"},
               {"a source route behind another option", v4(kElsewhere4, IPPROTO_UDP, udp(7), {148, 4, 0, 0, 131, 3, 4, 0}), "packet"},
               {"a source route behind the end is none", v4(kElsewhere4, IPPROTO_UDP, udp(7), {0, 131, 7, 4}), "pass"},
               {"router alert elsewhere", v4(kElsewhere4, IPPROTO_UDP, udp(7), {148, 4, 0, 0}), "pass"},
               {"more options than anybody needs", v4(kElsewhere4, IPPROTO_UDP, udp(7), {1, 1, 1, 1, 1, 131, 3, 4}), "packet"},
               {"an option that has no length", v4(kElsewhere4, IPPROTO_UDP, udp(7), {7, 0, 0, 0}), "packet"},
               {"a header shorter than a header",
                [] {
                    Bytes packet = v4(kHost4, IPPROTO_UDP, udp(7));
                    packet[0] = 0x44;
                    return packet;
                }(),
                "packet"},
               {"options that the packet doesn't hold",
                [] {
                    Bytes packet = v4(kHost4, IPPROTO_UDP, {});
                    packet[0] = 0x4f;
                    return packet;
                }(),
                "packet"},
               {"an unknown version",
                [] {
                    Bytes packet = v4(kElsewhere4, IPPROTO_UDP, udp(7));
                    packet[0] = 0x55;
                    return packet;
                }(),
                "packet"},
               {"UDP elsewhere that claims to come from the host", v4(kElsewhere4, IPPROTO_UDP, udp(7), {}, 0, kHost4), "packet"}},
              ETH_P_IP);
}

TEST_CASE("egress: IPv6 packets are judged behind their extension headers") {
    const Bytes passing = udp(kOpenPort);
    check_all({{"UDP elsewhere", v6(kElsewhere6, IPPROTO_UDP, udp(7)), "pass"},
               {"UDP", v6(kHost6, IPPROTO_UDP, udp(7)), "local"},
               {"UDP to the open port", v6(kHost6, IPPROTO_UDP, passing), "pass"},
               {"UDP without a whole header", v6(kHost6, IPPROTO_UDP, {1}), "packet"},
               {"TCP SYN", v6(kHost6, IPPROTO_TCP, tcp(80, kSyn)), "local"},
               {"TCP SYN to the open port", v6(kHost6, IPPROTO_TCP, tcp(kOpenPort, kSyn)), "pass"},
               {"TCP ACK that no TCP socket sends", v6(kHost6, IPPROTO_TCP, tcp(80, kAck)), "local"},
               {"a neighbour solicitation made by hand", v6(kHost6, kIcmp6, {135, 0, 0, 0}), "local"},
               {"echo", v6(kHost6, kIcmp6, {128, 0, 0, 0}), "local"},
               {"no next header", v6(kHost6, kNone, {}), "local"},
               {"hop-by-hop options", v6(kHost6, kHop, chain({extension(IPPROTO_UDP), passing})), "pass"},
               {"destination options", v6(kHost6, kDestination, chain({extension(IPPROTO_UDP), passing})), "pass"},
               {"long destination options", v6(kHost6, kDestination, chain({extension(IPPROTO_UDP, 5), passing})), "pass"},
               {"both, to a port that is closed", v6(kHost6, kHop, chain({extension(kDestination), extension(IPPROTO_UDP), udp(7)})), "local"},
               {"options that the packet doesn't hold", v6(kHost6, kDestination, {IPPROTO_UDP}), "packet"},
               {"options longer than the packet", v6(kHost6, kDestination, cut(extension(IPPROTO_UDP, 200), 8)), "packet"},
               {"a chain without an end",
                v6(kHost6, kHop,
                   chain({extension(kDestination), extension(kDestination), extension(kDestination), extension(kDestination), extension(kDestination),
                          extension(kDestination), extension(IPPROTO_UDP), passing})),
                "packet"},
               {"a routing header", v6(kHost6, kRouting, chain({extension(IPPROTO_UDP, 2), passing})), "packet"},
               {"a routing header elsewhere", v6(kElsewhere6, kRouting, chain({extension(IPPROTO_UDP, 2), udp(7)})), "packet"},
               {"a routing header behind options, elsewhere", v6(kElsewhere6, kHop, chain({extension(kRouting), extension(IPPROTO_UDP, 2), udp(7)})),
                "packet"},
               {"a fragment", v6(kHost6, kFragment, chain({{IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1}, passing})), "local"},
               {"an atomic fragment", v6(kHost6, kFragment, chain({{IPPROTO_UDP, 0, 0, 0, 0, 0, 0, 1}, passing})), "local"},
               {"a fragment elsewhere", v6(kElsewhere6, kFragment, chain({{IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1}, udp(7)})), "pass"},
               {"an authentication header", v6(kHost6, kAuthentication, chain({extension(IPPROTO_UDP), passing})), "local"},
               {"a mobility header", v6(kHost6, kMobility, extension(kNone)), "local"},
               {"UDP-Lite to the open port", v6(kHost6, kUdpLite, passing), "local"},
               {"IPv4 inside, by NAT64", v6("64:ff9b::192.0.2.1", IPPROTO_UDP, udp(7)), "local"},
               {"IPv4 inside, by 6to4", v6("2002:c000:201::9", IPPROTO_UDP, udp(7)), "local"},
               {"IPv4 elsewhere inside", v6("64:ff9b::198.51.100.1", IPPROTO_UDP, udp(7)), "pass"},
               {"UDP elsewhere that claims to come from the host", v6(kElsewhere6, IPPROTO_UDP, udp(7), kHost6), "packet"}},
              ETH_P_IPV6);
}

// Told to be of another protocol, for the kernel itself refuses to run with what is too short for its own.
TEST_CASE("egress: what ends before its header does is denied") {
    check_all({{"nothing of IPv4", cut(v4(kElsewhere4, IPPROTO_UDP, {}), 1), "packet"},
               {"half an IPv4 header", cut(v4(kElsewhere4, IPPROTO_UDP, {}), 19), "packet"},
               {"half an IPv6 header", cut(v6(kElsewhere6, IPPROTO_UDP, {}), 39), "packet"},
               {"a whole IPv6 header and nothing behind it", v6(kElsewhere6, IPPROTO_UDP, {}), "pass"}},
              ETH_P_LOOPBACK);
}

}  // namespace jail_ai::test
