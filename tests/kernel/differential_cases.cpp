// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Random packets under random policies: what the kernel makes of jail_egress, by clang for BPF, the
// verifier, the JIT and the trie, beside what a compiler for this machine makes of the very same
// headers. The few steps of jail.bpf.c that lead from one header to the other are written again.
//
// DIFFERENTIAL_PACKETS in the environment says how many; `tests/run differential` a million.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include "packet_bytes.h"
#include "random_policy.h"
#include "test_run.h"

#include "bpf/verdict.h"

JAIL_INLINE const jail_rule* jail_lookup(const void* rules, const jail_key* key) {
    const auto address = jail_ai::IpPrefix::from_bytes(std::span(key->addr), 128);
    const jail_ai::Rule* rule =
        jail_ai::find_rule(*static_cast<const jail_ai::Rules*>(rules), *address);
    return rule == nullptr ? nullptr : &rule->value;
}

namespace jail_ai::test {
namespace {

constexpr unsigned kFewPackets = 100'000;
constexpr unsigned kPacketsOfAPolicy = 200;

unsigned packets_to_try() {
    const char* text = std::getenv("DIFFERENTIAL_PACKETS");
    if (text == nullptr) return kFewPackets;
    unsigned number = 0;
    const std::string_view digits(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    REQUIRE(number > 0);
    return number;
}

// jail.bpf.c's check_packet(), for a packet of no TCP or UDP socket on the loopback device, which
// is where BPF_PROG_TEST_RUN has it.
class Native {
public:
    Native(const Rules& rules, bool shares_network)
        : rules_(rules), shares_network_(shares_network) {}

    int check(const Bytes& bytes, std::uint16_t ether_type) const {
        const jail_packet packet = parse(bytes, ether_type);
        if (packet.parse_status != JAIL_PARSE_OK) return JAIL_REASON_MALFORMED_PACKET;
        const jail_key destination = key_of(packet.destination);
        const int whole = jail_evaluate(&rules_, &destination, JAIL_PROTO_ANY, 0);
        if (whole != JAIL_VERDICT_PASS &&
            jail_container_local(&rules_, &destination) == JAIL_CONTAINER_LOCAL_NOT) {
            if (is_discovery(bytes, packet)) return JAIL_VERDICT_PASS;
            const int verdict = check_denied(bytes, packet, whole);
            if (verdict != JAIL_VERDICT_PASS) return verdict;
        }
        return is_forged(packet) ? JAIL_REASON_MALFORMED_PACKET : JAIL_VERDICT_PASS;
    }

private:
    int check_denied(const Bytes& bytes, const jail_packet& packet, int verdict) const {
        const std::size_t at = packet.upper_layer;
        if (packet.fragment != 0) return JAIL_REASON_MALFORMED_PACKET;
        if (packet.protocol != IPPROTO_TCP && packet.protocol != IPPROTO_UDP) return verdict;
        if (at + 4 > bytes.size()) return JAIL_REASON_MALFORMED_PACKET;
        const auto port = static_cast<std::uint16_t>(bytes[at + 2] << 8 | bytes[at + 3]);
        const jail_key destination = key_of(packet.destination);
        if (jail_evaluate(&rules_, &destination, packet.protocol, port) == JAIL_VERDICT_PASS)
            return JAIL_VERDICT_PASS;
        return packet.protocol == IPPROTO_TCP && at + 13 >= bytes.size()
                   ? JAIL_REASON_MALFORMED_PACKET
                   : verdict;
    }
    bool is_forged(const jail_packet& packet) const {
        if (shares_network_) return false;
        const jail_key source = key_of(packet.source);
        const int verdict = jail_evaluate(&rules_, &source, JAIL_PROTO_ANY, 0);
        return verdict != JAIL_VERDICT_PASS && verdict != JAIL_REASON_LINK_LOCAL &&
               jail_container_local(&rules_, &source) == JAIL_CONTAINER_LOCAL_NOT;
    }
    static bool is_discovery(const Bytes& bytes, const jail_packet& packet) {
        constexpr std::size_t kHeader = 40;
        if (packet.protocol != IPPROTO_ICMPV6 || bytes.size() < kHeader + 8) return false;
        if (bytes[7] == 1) return is_listener_report(bytes);
        if (packet.upper_layer != kHeader || bytes[7] != 255 || bytes[kHeader + 1] != 0)
            return false;
        const std::uint8_t type = bytes[kHeader];
        if (type != ND_ROUTER_SOLICIT && type != ND_NEIGHBOR_SOLICIT && type != ND_NEIGHBOR_ADVERT)
            return false;
        const std::size_t option = kHeader + (type == ND_ROUTER_SOLICIT ? 8 : 24);
        return bytes.size() == option ||
               (bytes.size() == option + 8 &&
                bytes[option] == (type == ND_NEIGHBOR_ADVERT ? 2 : 1) && bytes[option + 1] == 1);
    }
    static bool is_listener_report(const Bytes& bytes) {
        const Bytes alert{IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
        return bytes.size() > 48 && bytes[24] == 0xff && bytes[25] % 16 == 2 &&
               std::equal(alert.begin(), alert.end(), bytes.begin() + 40) &&
               (bytes[48] == 131 || bytes[48] == 132 || bytes[48] == 143);
    }

    const Rules& rules_;
    bool shares_network_;
};

// Packets that are right but for one thing or another.
class RandomPackets {
public:
    RandomPackets(RandomWorld& world, const Rules& rules) : world_(world) {
        for (const auto& [prefix, rule] : rules) blocked_.push_back(prefix);
    }

    // Nothing shorter than the headers that the kernel wants of a test run.
    std::pair<Bytes, std::uint16_t> next() {
        const bool is_v4 = below(2) == 0;
        Bytes packet = is_v4 ? v4_packet() : v6_packet();
        std::uint16_t type = is_v4 ? ETH_P_IP : ETH_P_IPV6;
        const std::size_t least = is_v4 ? 20 : 40;
        if (below(8) == 0)
            packet.resize(least + below(static_cast<unsigned>(packet.size() + 1 - least)));
        if (below(8) == 0) packet[below(static_cast<unsigned>(packet.size()))] = byte();
        if (below(64) == 0 && packet.size() >= 40)
            type = below(2) == 0 ? static_cast<std::uint16_t>(is_v4 ? ETH_P_IPV6 : ETH_P_IP)
                                 : std::uint16_t{ETH_P_LOOPBACK};
        return {std::move(packet), type};
    }

private:
    unsigned below(unsigned limit) { return world_.below(limit); }
    std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }

    // Of a rule, beside it by a bit, or anywhere in the small world.
    std::array<std::uint8_t, 16> address() {
        std::array<std::uint8_t, 16> bytes{};
        const IpPrefix from = blocked_.empty() || below(3) == 0
                                  ? world_.prefix(true)
                                  : blocked_[below(static_cast<unsigned>(blocked_.size()))];
        std::copy_n(from.key().addr, bytes.size(), bytes.begin());
        // What the prefix leaves open.
        for (unsigned bit = from.key().prefix_bits; bit < 128; ++bit)
            if (below(2) == 0) bytes[bit / 8] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        if (below(4) == 0) bytes[below(16)] ^= static_cast<std::uint8_t>(1 << below(8));
        return bytes;
    }
    // The last four bytes of an address, in a form that an IPv6 address has for it.
    std::array<std::uint8_t, 16> disguised() {
        std::array<std::uint8_t, 16> to = address();
        const std::array<std::uint8_t, 4> v4 = {to[12], to[13], to[14], to[15]};
        to = {};
        const auto put = [&](std::initializer_list<std::uint8_t> start, std::size_t at,
                             bool around_byte_8 = false) {
            std::copy(start.begin(), start.end(), to.begin());
            for (const std::uint8_t part : v4) {
                if (around_byte_8 && at == 8) ++at;
                to[at++] = part;
            }
        };
        switch (below(9)) {
            case 0: put({}, 12); break;
            case 1: put({0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12); break;
            case 2: put({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12); break;
            case 3: put({0, 0x64, 0xff, 0x9b}, 12); break;
            case 4: put({0x20, 0x02}, 2); break;
            case 5: put({0, 0x64, 0xff, 0x9b, 0, 1}, 6, true); break;
            case 6: put({0, 0x64, 0xff, 0x9b, 0, 1}, 7, true); break;
            case 7: put({0, 0x64, 0xff, 0x9b, 0, 1}, 9); break;
            default: put({0, 0x64, 0xff, 0x9b, 0, 1}, 12); break;
        }
        return to;
    }

    std::uint8_t protocol() {
        constexpr auto kSome =
            std::to_array<std::uint8_t>({IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6, IPPROTO_ICMP,
                                         IPPROTO_UDPLITE, IPPROTO_SCTP});
        return below(4) == 0 ? byte() : kSome[below(std::size(kSome))];
    }
    Bytes payload(std::uint8_t kind) {
        if (kind == IPPROTO_ICMPV6 && below(2) == 0) {
            constexpr auto kTypes =
                std::to_array<std::uint8_t>({131, 132, 133, 134, 135, 136, 143});
            const std::uint8_t type = kTypes[below(std::size(kTypes))];
            const std::size_t option = type == ND_ROUTER_SOLICIT || below(4) == 0 ? 8 : 24;
            Bytes discovery(option + 8 * below(2));
            discovery[0] = type;
            if (discovery.size() > option) {
                discovery[option] = static_cast<std::uint8_t>(1 + below(2));
                discovery[option + 1] = static_cast<std::uint8_t>(1 + below(4) / 3);
            }
            return discovery;
        }
        const auto port = below(8) == 0 ? std::uint16_t{53} : world_.port();
        return kind == IPPROTO_UDP ? udp(port) : tcp(port, byte());
    }

    Bytes v4_packet() {
        const auto from = address();
        const auto to = address();
        Bytes options;
        if (below(4) == 0) {
            options.resize(4 * (1 + below(10)));
            constexpr std::array<std::uint8_t, 8> kKinds = {0, 1, 1, 1, 7, 131, 137, 148};
            for (std::size_t at = 0; at < options.size();) {
                options[at] = below(8) == 0 ? byte() : kKinds[below(std::size(kKinds))];
                if (options[at] > 1 && at + 1 < options.size()) {
                    options[at + 1] = static_cast<std::uint8_t>(below(12));
                    at += options[at + 1];
                }
                ++at;
            }
        }
        const std::uint8_t kind = protocol();
        const std::uint16_t fragment =
            below(8) == 0 ? static_cast<std::uint16_t>(below(0x10000)) : std::uint16_t{0x4000};
        const auto single = [](const std::array<std::uint8_t, 16>& bytes) {
            return *IpPrefix::from_bytes(std::span(bytes).last(4), 32);
        };
        return v4(single(to), kind, payload(kind), options, fragment,
                  single(from).to_string().c_str());
    }
    Bytes v6_packet() {
        const auto from = below(8) == 0 ? disguised() : address();
        const auto to = below(2) == 0 ? disguised() : address();
        const std::uint8_t kind = protocol();
        Bytes behind = payload(kind);
        std::uint8_t next = kind;
        if (below(4) == 0)
            for (unsigned left = below(9); left > 0; --left) {
                constexpr std::array<std::uint8_t, 8> kKinds = {
                    IPPROTO_HOPOPTS, IPPROTO_HOPOPTS,  IPPROTO_DSTOPTS, IPPROTO_DSTOPTS,
                    IPPROTO_DSTOPTS, IPPROTO_FRAGMENT, IPPROTO_ROUTING, IPPROTO_AH};
                const auto length = static_cast<std::uint8_t>(below(3));
                Bytes header(8U * (length + 1U));
                header[0] = next;
                header[1] = length;
                next = kKinds[below(left == 1 ? 8 : 5)];
                append(header, behind);
                behind = std::move(header);
            }
        const auto single = [](const std::array<std::uint8_t, 16>& bytes) {
            return *IpPrefix::from_bytes(bytes, 128);
        };
        Bytes packet = v6(single(to), next, behind, "::");
        std::ranges::copy(from, packet.begin() + 8);
        std::ranges::copy(to, packet.begin() + 24);
        if (below(2) == 0) packet[7] = 255;
        if (kind == IPPROTO_ICMPV6 && below(4) == 0) report(packet);
        return packet;
    }

    // Gives an ICMPv6 message the form of a listener report, but for a byte at times.
    void report(Bytes& packet) {
        const Bytes alert{IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
        packet[6] = IPPROTO_HOPOPTS;
        packet[7] = 1;
        packet[24] = 0xff;
        packet[25] = static_cast<std::uint8_t>(below(4) == 0 ? byte() : 2);
        packet.insert(packet.begin() + 40, alert.begin(), alert.end());
        if (below(4) == 0) packet[40 + below(8)] = static_cast<std::uint8_t>(below(8));
    }

    RandomWorld& world_;
    std::vector<IpPrefix> blocked_;
};

std::string hex(const Bytes& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
    return text;
}

}  // namespace

TEST_CASE("a program in the kernel and the same headers compiled for this machine agree") {
    const unsigned packets = packets_to_try();
    std::array<Programs, 2> programs = {Programs(false), Programs(true)};
    std::array<std::vector<std::uint64_t>, 2> expected;
    expected.fill(std::vector<std::uint64_t>(JAIL_REASON_COUNT));
    unsigned denied = 0;
    for (unsigned tried = 0; tried < packets; tried += kPacketsOfAPolicy) {
        RandomWorld world(tried);
        const NetworkFacts host = world.host();
        const auto policy = compile_policy(world.request(), host);
        REQUIRE(policy);
        Programs& program = programs[host.shares_network ? 1 : 0];
        auto& counts = expected[host.shares_network ? 1 : 0];
        program.fill(policy->rules);
        const Native native(policy->rules, host.shares_network);
        RandomPackets random(world, policy->rules);
        for (unsigned i = 0; i < kPacketsOfAPolicy; ++i) {
            const auto [packet, type] = random.next();
            const int verdict = native.check(packet, type);
            const bool passed = program.passes(packet, type);
            if (verdict != JAIL_VERDICT_PASS) {
                ++counts[static_cast<std::size_t>(verdict)];
                ++denied;
            }
            if (passed != (verdict == JAIL_VERDICT_PASS) || (!passed && program.counts() != counts))
                FAIL("world " << tried << ", packet " << i << ", of type " << type
                              << ": the kernel "
                              << (passed ? "allows" : "denies, perhaps for another reason,")
                              << ", native is verdict " << verdict << ": " << hex(packet));
        }
    }
    std::printf("# differential: %u packets under %u policies: %u denied and %u allowed by both\n",
                packets, packets / kPacketsOfAPolicy, denied, packets - denied);
    CHECK(programs[0].counts() == expected[0]);
    CHECK(programs[1].counts() == expected[1]);
    // Neither all nor none, and for every reason that a policy of this world has.
    CHECK(denied > packets / 5);
    CHECK(denied < packets - packets / 5);
    for (const jail_reason reason :
         {JAIL_REASON_LOCAL, JAIL_REASON_BROADCAST, JAIL_REASON_ALIAS, JAIL_REASON_HOSTS_FILE,
          JAIL_REASON_UNSPECIFIED, JAIL_REASON_MULTICAST, JAIL_REASON_LINK_LOCAL,
          JAIL_REASON_METADATA, JAIL_REASON_POLICY, JAIL_REASON_MALFORMED_PACKET}) {
        CAPTURE(reason);
        CHECK(expected[0][reason] + expected[1][reason] > 0);
    }
}

}  // namespace jail_ai::test
