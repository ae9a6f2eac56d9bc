// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// hosts and resolv.conf.
#include "system/name_files.h"

#include <doctest/doctest.h>

using namespace jail_ai;

namespace {

std::string joined(const std::vector<IpPrefix>& prefixes) {
    std::string out;
    for (const IpPrefix& prefix : prefixes) out += prefix.to_string() + " ";
    return out;
}

}  // namespace

TEST_CASE("hosts: every address that is given the host's names") {
    CHECK(joined(host_addresses(
              "127.0.0.1 localhost\n"
              "10.88.0.1\thost.containers.internal host.docker.internal # the bridge\n"
              "fd00::1 a b HOST.Docker.Internal\r\n"
              "10.9.9.9 hosts.containers.internal\n"
              "#10.8.8.8 host.containers.internal\n"
              "nonsense host.containers.internal\n"
              "10.0.0.0/8 host.containers.internal\n"
              "  192.0.2.9   host.docker.internal")) == "10.88.0.1 fd00::1 192.0.2.9 ");
    CHECK(host_addresses("").empty());
    CHECK(host_addresses("\n\n \n").empty());
}

// In pieces of every size.
TEST_CASE("hosts: the lines that name the host are kept, at whatever byte the pieces end") {
    const std::string file =
        "127.0.0.1 localhost\n10.88.0.1 host.containers.internal\n\n0.0.0.0 advertiser # "
        "host.containers.internal\n"
        "nonsense host.containers.internal\nfd00::1 x host.docker.internal";
    for (std::size_t size = 1; size <= file.size(); ++size) {
        HostLines lines;
        for (std::size_t at = 0; at < file.size(); at += size)
            CHECK(lines.take(std::string_view(file).substr(at, size)));
        auto kept = std::move(lines).finish();
        REQUIRE(kept);
        CHECK(*kept == "10.88.0.1 host.containers.internal\nfd00::1 x host.docker.internal\n");
    }
}

TEST_CASE("hosts: neither a line nor what is kept grows without end") {
    HostLines in_bounds;
    CHECK(in_bounds.take(std::string(HostLines::kMaxLine, 'x')));
    const auto too_long = in_bounds.take("x");
    REQUIRE_FALSE(too_long);
    CHECK(too_long.error().exit_code == EX_DATAERR);
    CHECK(too_long.error().message == "a line has more than 65536 bytes: shorten it");

    HostLines named;
    const std::string line = "10.88.0.1 host.containers.internal\n";
    for (std::size_t kept = line.size(); kept <= HostLines::kMaxKept; kept += line.size())
        CHECK(named.take(line));
    const auto too_many = named.take(line);
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().exit_code == EX_DATAERR);
    CHECK(too_many.error().message ==
          "more than 65536 bytes of lines that name the host: keep one a family");
}

TEST_CASE("resolv.conf: name servers of both families") {
    CHECK(joined(name_servers("search dns.podman\nnameserver 10.89.0.1\n nameserver "
                              "fe80::1%eth0\n#nameserver 1.1.1.1\nnameservers "
                              "2.2.2.2\nnameserver x\noptions edns0\n"
                              "nameserver 169.254.1.1")) == "10.89.0.1 fe80::1 169.254.1.1 ");
}
