// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A network's file as podman 4.3 writes it, and what is wrong with others.
#include "engines/podman_network.h"

#include <doctest/doctest.h>

using namespace jail_ai;

TEST_CASE("podman network: gateways of both families, and whether podman serves names there") {
    const auto network = parse_podman_network(
        R"({"name": "named", "id": "0e45", "driver": "bridge", "network_interface": "podman1",
        "created": "2026-11-25T01:51:25.762720432Z",
        "subnets": [{"subnet": "10.76.0.0/24", "gateway": "10.76.0.1"}, {"subnet": "fd00:76::/64", "gateway": "fd00:76::1"}, {"subnet": "10.9.0.0/24"}],
        "ipv6_enabled": true, "internal": false, "dns_enabled": true, "ipam_options": {"driver": "host-local"}})");
    REQUIRE(network);
    CHECK(network->name == "named");
    CHECK(network->device == "podman1");
    CHECK(network->serves_names);
    CHECK(network->subnets.size() == 3);
    CHECK(network->subnets[0].to_string() == "10.76.0.0/24");
    REQUIRE(network->gateways.size() == 2);
    CHECK(network->gateways[0].to_string() == "10.76.0.1");
    CHECK(network->gateways[1].to_string() == "fd00:76::1");
}

TEST_CASE("podman network: an internal one has no gateway and no names") {
    const auto network = parse_podman_network(
        R"({"name": "inner", "driver": "bridge", "subnets": [{"subnet": "10.76.0.0/24"}]})");
    REQUIRE(network);
    CHECK_FALSE(network->serves_names);
    CHECK(network->gateways.empty());
    CHECK(parse_podman_network(R"({"name": "macvlan"})")->gateways.empty());
}

TEST_CASE("podman network: errors say what isn't as it should be") {
    struct Case {
        const char* json;
        const char* message;
    };
    for (const Case& c :
         {Case{R"({"name": 1})", "'name'"},
          Case{R"({"dns_enabled": "yes"})", "'dns_enabled' is a string, not true or false"},
          Case{R"({"subnets": {}})", "'subnets'"},
          Case{R"({"subnets": [1]})", "a subnet is a number, not an object"},
          Case{R"({"subnets": [{"gateway": "10.0.0.0/8"}]})",
               "gateway '10.0.0.0/8': not an address"},
          Case{R"({"subnets": [{"gateway": "x"}]})", "gateway 'x': not an address"},
          Case{R"({"subnets": [{"subnet": "10.0.0.1/8"}]})", "subnet '10.0.0.1/8': not a prefix"},
          Case{"[]", "object"}}) {
        INFO(c.json);
        const auto network = parse_podman_network(c.json);
        REQUIRE_FALSE(network);
        CHECK(network.error().message.find(c.message) != std::string::npos);
        CHECK(network.error().exit_code == EX_DATAERR);
    }
}

TEST_CASE("podman network: the addresses in what is none") {
    const auto addresses = addresses_in(
        R"({"name": 1, "subnets": [{"subnet": "10.76.0.0/24", "gateway": "10.76.0.1"}], "fd00:76::1": "x)");
    REQUIRE(addresses.size() == 2);
    CHECK(addresses[0].to_string() == "10.76.0.1");
    CHECK(addresses[1].to_string() == "fd00:76::1");
    CHECK(addresses_in("\"").empty());
}
