// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Prefixes of both families.
#include "base/ip_prefix.h"

#include <doctest/doctest.h>

using namespace jail_ai;

TEST_CASE("prefix: text goes there and back") {
    for (const char* text : {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1", "127.0.0.0/31", "::/0", "::1",
                             "fe80::/10", "2001:db8::/33", "fd00:ec2::254"})
        CHECK(IpPrefix::parse(text).value().to_string() == text);
    CHECK(IpPrefix::parse("::ffff:192.0.2.1").value() == IpPrefix::parse("192.0.2.1").value());
    CHECK(IpPrefix::parse("fe80::1%eth0").value() == IpPrefix::parse("fe80::1").value());
}

TEST_CASE("prefix: what isn't one") {
    for (const char* text :
         {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "10.0.0",
          "010.0.0.1", "1.2.3.4 ", "::/129", "::1/64", ":::", "fe80::%eth0/10", "localhost"})
        CHECK_MESSAGE(!IpPrefix::parse(text), text);
}

TEST_CASE("prefix: IPv4 is kept in mapped form") {
    const auto prefix = IpPrefix::parse("10.1.0.0/16").value();
    CHECK(prefix.is_v4());
    CHECK(prefix.key().prefix_bits == 112);
    CHECK(prefix.key().addr[10] == 0xff);
    CHECK(prefix.key().addr[12] == 10);
    CHECK_FALSE(IpPrefix::parse("::/0").value().is_v4());
    CHECK_FALSE(IpPrefix::parse("::/96").value().is_v4());
}

TEST_CASE("prefix: loopback is known, and nothing around it") {
    for (const char* text : {"127.0.0.1", "127.0.0.0/8", "127.255.255.255", "::1"})
        CHECK_MESSAGE(IpPrefix::parse(text).value().is_loopback(), text);
    for (const char* text : {"126.255.255.255", "128.0.0.0", "126.0.0.0/7", "::", "::2", "::/127"})
        CHECK_FALSE_MESSAGE(IpPrefix::parse(text).value().is_loopback(), text);
}

TEST_CASE("prefix: bytes behind the length are cleared, wrong sizes are rejected") {
    const std::uint8_t v4[] = {10, 255, 255, 255};
    CHECK(IpPrefix::from_bytes(v4, 9).value().to_string() == "10.128.0.0/9");
    CHECK(IpPrefix::from_bytes(v4, 32).value().to_string() == "10.255.255.255");
    CHECK_FALSE(IpPrefix::from_bytes(v4, 33));
    CHECK_FALSE(IpPrefix::from_bytes(std::span(v4).first(3), 8));
    CHECK_FALSE(IpPrefix::from_bytes({}, 0));
}

TEST_CASE("prefix: containment and order") {
    const auto net = IpPrefix::parse("10.0.0.0/8").value();
    CHECK(net.contains(net));
    CHECK(net.contains(IpPrefix::parse("10.200.0.0/16").value()));
    CHECK_FALSE(net.contains(IpPrefix::parse("11.0.0.0/8").value()));
    CHECK_FALSE(net.contains(IpPrefix::parse("0.0.0.0/0").value()));
    CHECK(IpPrefix::parse("::/0").value().contains(net));
    CHECK(net < IpPrefix::parse("10.0.0.0/9").value());
    CHECK(net.widened(96).to_string() == "0.0.0.0/0");
}
