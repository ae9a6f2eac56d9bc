// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// bpf/packet.h, compiled as C++: what hostile bytes say of where they go. The kernel suite has the
// same of the programs.
#include <doctest/doctest.h>

#include "packet_bytes.h"

using namespace jail_ai;
using test::Bytes;
using test::parse;

namespace {

Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes.at(at) = value;
    return bytes;
}

const Bytes kUdp = {0x30, 0x39, 0, 53, 0, 8, 0, 0};

Bytes v4(std::uint8_t protocol, const Bytes& payload, const Bytes& options = {}) {
    return joined({{static_cast<std::uint8_t>(0x45 + options.size() / 4),
                    0,
                    0,
                    0,
                    0,
                    1,
                    0,
                    0,
                    64,
                    protocol,
                    0,
                    0,
                    192,
                    0,
                    2,
                    1,
                    198,
                    51,
                    100,
                    7},
                   options,
                   payload});
}

Bytes v6(std::uint8_t next, const Bytes& payload) {
    return joined({{0x60, 0, 0, 0, 0, 0, next, 64},
                   {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                   {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7},
                   payload});
}

// An extension header of 8 bytes, and of `more` times 8 more.
Bytes extension(std::uint8_t next, std::uint8_t more = 0) {
    Bytes bytes(8 + std::size_t{8} * more);
    bytes[0] = next;
    bytes[1] = more;
    return bytes;
}

constexpr std::uint8_t kHop = IPPROTO_HOPOPTS, kDestination = IPPROTO_DSTOPTS,
                       kRouting = IPPROTO_ROUTING, kFragment = IPPROTO_FRAGMENT;

std::string address(const jail_address& as_numbers) {
    const jail_key key = test::key_of(as_numbers);
    return IpPrefix::from_bytes(std::span(key.addr), key.prefix_bits)->to_string();
}

}  // namespace

TEST_CASE("packet: IPv4, from where, to where, and what is in it") {
    const jail_packet packet = parse(v4(IPPROTO_UDP, kUdp), ETH_P_IP);
    CHECK(packet.parse_status == JAIL_PARSE_OK);
    CHECK(address(packet.source) == "192.0.2.1");
    CHECK(address(packet.destination) == "198.51.100.7");
    CHECK(packet.protocol == IPPROTO_UDP);
    CHECK(packet.upper_layer == 20);
    CHECK(packet.fragment == 0);
    CHECK(parse(v4(IPPROTO_UDP, kUdp, {1, 1, 1, 0}), ETH_P_IP).upper_layer == 24);
}

TEST_CASE("packet: IPv6, behind its extension headers") {
    const jail_packet packet = parse(
        v6(kHop, joined({extension(kDestination), extension(IPPROTO_UDP, 2), kUdp})), ETH_P_IPV6);
    CHECK(packet.parse_status == JAIL_PARSE_OK);
    CHECK(address(packet.source) == "fd00::1");
    CHECK(address(packet.destination) == "2001:db8::7");
    CHECK(packet.protocol == IPPROTO_UDP);
    CHECK(packet.upper_layer == 40 + 8 + 24);
}

TEST_CASE("packet: a packet that goes on from its destination is source-routed") {
    for (const std::uint8_t route : {std::uint8_t{IPOPT_LSRR}, std::uint8_t{IPOPT_SSRR}}) {
        CHECK(
            parse(v4(IPPROTO_UDP, kUdp, {route, 7, 4, 203, 0, 113, 1, 0}), ETH_P_IP).parse_status ==
            JAIL_PARSE_SOURCE_ROUTED);
        CHECK(parse(v4(IPPROTO_UDP, kUdp, {7, 8, 0, 0, 0, route, 3, 4}), ETH_P_IP).parse_status ==
              JAIL_PARSE_OK);  // inside of another option
        CHECK(parse(v4(IPPROTO_UDP, kUdp, {0, route, 3, 4}), ETH_P_IP).parse_status ==
              JAIL_PARSE_OK);  // behind the end
    }
    CHECK(parse(v4(IPPROTO_UDP, kUdp, Bytes(JAIL_MAX_OPTIONS * 4, 1)), ETH_P_IP).parse_status ==
          JAIL_PARSE_SOURCE_ROUTED);  // more than anybody looks at
    CHECK(parse(v4(IPPROTO_UDP, kUdp, {7, 1, 0, 0}), ETH_P_IP).parse_status ==
          JAIL_PARSE_SOURCE_ROUTED);  // an option without an end
    CHECK(parse(v6(kRouting, joined({extension(IPPROTO_UDP), kUdp})), ETH_P_IPV6).parse_status ==
          JAIL_PARSE_SOURCE_ROUTED);
    CHECK(parse(v6(kHop, joined({extension(kRouting), extension(IPPROTO_UDP), kUdp})), ETH_P_IPV6)
              .parse_status == JAIL_PARSE_SOURCE_ROUTED);
}

TEST_CASE("packet: fragments of IPv4 are recognised, those of IPv6 can't be parsed") {
    CHECK(parse(with(v4(IPPROTO_UDP, kUdp), 6, 0x20), ETH_P_IP).fragment == 1);  // more follow
    CHECK(parse(with(v4(IPPROTO_UDP, kUdp), 7, 1), ETH_P_IP).fragment == 1);     // an offset
    CHECK(parse(with(v4(IPPROTO_UDP, kUdp), 6, 0x40), ETH_P_IP).fragment ==
          0);  // not to be fragmented
    CHECK(parse(v6(kFragment, joined({extension(IPPROTO_UDP), kUdp})), ETH_P_IPV6).parse_status ==
          JAIL_PARSE_UNREADABLE);
}

TEST_CASE("packet: what can't be read is unreadable") {
    const Bytes four = v4(IPPROTO_UDP, kUdp),
                six = v6(kHop, joined({extension(IPPROTO_UDP), kUdp}));
    for (std::size_t size = 0; size < 20; ++size)
        CHECK(parse(Bytes(four.begin(), four.begin() + static_cast<long>(size)), ETH_P_IP)
                  .parse_status == JAIL_PARSE_UNREADABLE);
    for (std::size_t size = 0; size < 42; ++size)
        CHECK(parse(Bytes(six.begin(), six.begin() + static_cast<long>(size)), ETH_P_IPV6)
                  .parse_status == JAIL_PARSE_UNREADABLE);
    CHECK(parse(four, ETH_P_IPV6).parse_status == JAIL_PARSE_UNREADABLE);
    CHECK(parse(six, ETH_P_IP).parse_status == JAIL_PARSE_UNREADABLE);
    CHECK(parse(four, ETH_P_ARP).parse_status == JAIL_PARSE_UNREADABLE);
    CHECK(parse(with(four, 0, 0x44), ETH_P_IP).parse_status == JAIL_PARSE_UNREADABLE);
    const Bytes options = v4(IPPROTO_UDP, {}, {7, 4, 0, 0});
    CHECK(parse(Bytes(options.begin(), options.begin() + 20), ETH_P_IP).parse_status ==
          JAIL_PARSE_UNREADABLE);
    Bytes chain;
    for (int i = 0; i < JAIL_MAX_EXTENSIONS; ++i) chain = joined({chain, extension(kHop)});
    CHECK(parse(v6(kHop, joined({chain, kUdp})), ETH_P_IPV6).parse_status == JAIL_PARSE_UNREADABLE);
}
