// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// hosts and resolv.conf.
#include "policy/name_files.h"

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
    CHECK(joined(host_addresses("127.0.0.1 localhost\n"
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

TEST_CASE("resolv.conf: name servers of both families") {
    CHECK(joined(name_servers("search dns.podman\nnameserver 10.89.0.1\n nameserver fe80::1%eth0\n#nameserver 1.1.1.1\nnameservers "
                              "2.2.2.2\nnameserver x\noptions edns0\n"
                              "nameserver 169.254.1.1")) == "10.89.0.1 fe80::1 169.254.1.1 ");
}
