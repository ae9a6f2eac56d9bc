// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The compiled policy: who is the host, seen from a container.
#include "policy/policy.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "policy/reason.h"
#include "request_of.h"

using namespace jail_ai;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

const Request kEnforce{Mode::enforce, Dns::automatic, OnFailure::refuse, {}, {}, {}};

NetworkFacts bridge_host() {
    return {{{prefix("127.0.0.0/8"), JAIL_REASON_LOCAL, "lo"},
             {prefix("127.0.0.1"), JAIL_REASON_LOCAL, "lo"},
             {prefix("127.255.255.255"), JAIL_REASON_BROADCAST, "lo"},
             {prefix("::1"), JAIL_REASON_LOCAL, "lo"},
             {prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"},
             {prefix("198.51.100.255"), JAIL_REASON_BROADCAST, "eth0"},
             {prefix("10.77.0.0/16"), JAIL_REASON_LOCAL, "lo"},
             {prefix("2001:db8::7"), JAIL_REASON_LOCAL, "eth0"},
             {prefix("10.96.0.1"), JAIL_REASON_LOCAL, "kube-ipvs0"},
             {prefix("169.254.20.10"), JAIL_REASON_LOCAL, "nodelocaldns"}},
            false,
            {},
            {},
            {}};
}

// The reason that blocks the address, "ports" where some pass, "pass" where nothing blocks.
std::string verdict(const NetworkFacts& host, std::string_view address) {
    const auto policy = compile_policy(kEnforce, host);
    REQUIRE(policy);
    const Rule* rule = find_rule(policy->rules, prefix(address));
    if (rule == nullptr) return "pass";
    return std::string(reason_name(static_cast<jail_reason>(rule->value.reason))) +
           (rule->value.ports[0].protocols != 0 ? " with ports" : "");
}

Request asking(const char* setting, const char* value) {
    return request_of({{"jail-ai.block-host", "true"},
                       {std::string("jail-ai.block-host.") + setting, value}})
        .value();
}

}  // namespace

TEST_CASE(
    "policy: the host's addresses, the aliases and the metadata set are denied, all else passes") {
    struct Case {
        const char* address;
        const char* verdict;
    };
    for (const Case& c : {Case{"198.51.100.7", "local"},
                          Case{"198.51.100.255", "broadcast"},
                          Case{"198.51.100.8", "pass"},
                          Case{"10.77.200.1", "local"},
                          Case{"2001:db8::7", "local"},
                          Case{"2001:db8::8", "pass"},
                          Case{"169.254.1.2", "alias"},
                          Case{"169.254.1.1", "pass"},
                          Case{"10.0.2.2", "alias"},
                          Case{"10.0.2.3", "pass"},
                          Case{"169.254.169.254", "metadata"},
                          Case{"fd00:ec2::254", "metadata"},
                          Case{"255.255.255.255", "broadcast"},
                          Case{"224.0.0.251", "multicast"},
                          Case{"239.1.2.3", "multicast"},
                          Case{"ff02::1", "multicast"},
                          Case{"fe80::1", "link-local"},
                          Case{"192.0.2.1", "pass"},
                          Case{"2606:4700::1111", "pass"},
                          Case{"fd00::2", "alias"},
                          Case{"fd00::3", "pass"},
                          Case{"10.96.0.1", "local"},
                          Case{"10.96.0.2", "pass"},
                          Case{"169.254.20.10", "local"},
                          Case{"fd00:a9fe:a9fe::1", "metadata"},
                          Case{"fd00:c1::a9fe:a9fe", "metadata"},
                          Case{"fd00:100::100:200", "metadata"},
                          Case{"169.254.0.23", "metadata"},
                          Case{"100.96.0.96", "metadata"}})
        CHECK_MESSAGE(verdict(bridge_host(), c.address) == c.verdict, c.address);
}

TEST_CASE(
    "policy: loopback and 'this host' are always denied, and the container's own while they stay "
    "in a network namespace of its own") {
    NetworkFacts host = bridge_host();
    // What somebody asks for, a resolver of the container's and the host's own routes change
    // nothing about that.
    const Request request = asking("also", "127.0.0.0/9 0.0.0.0/0");
    host.name_servers = {prefix("127.0.0.53"), prefix("::1")};
    host.routes.push_back({prefix("127.0.0.0/8"), JAIL_REASON_LOCAL, "lo"});
    for (const bool shared : {false, true}) {
        host.shares_network = shared;
        const auto policy = compile_policy(request, host);
        REQUIRE(policy);
        CHECK(policy->shares_network == shared);
        for (const char* address : {"127.0.0.1", "127.8.9.10", "127.255.255.255", "127.0.0.53",
                                    "::1", "0.0.0.0", "0.1.2.3", "::"}) {
            INFO(std::string(address));
            const Rule* rule = find_rule(policy->rules, prefix(address));
            REQUIRE(rule != nullptr);
            CHECK(int{rule->value.container_local} ==
                  (shared ? JAIL_CONTAINER_LOCAL_NOT : JAIL_CONTAINER_LOCAL_LOOPBACK));
            const bool opened = rule->value.ports[0].protocols != 0;
            CHECK(opened == (shared && (prefix(address) == host.name_servers[0] ||
                                        prefix(address) == host.name_servers[1])));
        }
    }
    host.name_servers.clear();
    for (const char* address : {"127.0.0.1", "127.8.9.10", "127.255.255.255", "::1"})
        CHECK_MESSAGE(verdict(host, address) == "loopback", address);
    for (const char* address : {"0.0.0.0", "0.1.2.3", "::"})
        CHECK_MESSAGE(verdict(host, address) == "unspecified", address);
}

TEST_CASE(
    "policy: an exception for the host opens no port of a loopback that is the container's own") {
    NetworkFacts host = bridge_host();
    for (const bool shared : {false, true}) {
        host.shares_network = shared;
        const auto policy = compile_policy(asking("allow", "host:11434 127.0.0.1:5432"), host);
        REQUIRE(policy);
        CHECK((find_rule(policy->rules, prefix("127.0.0.1"))->value.ports[0].protocols != 0) ==
              shared);
        CHECK((find_rule(policy->rules, prefix("::1"))->value.ports[0].protocols != 0) == shared);
        CHECK(find_rule(policy->rules, prefix("198.51.100.7"))->value.ports[0].first == 11434);
        CHECK(policy->unused_allow_rules.size() == (shared ? 0 : 1));
    }
}

TEST_CASE(
    "policy: what the container's hosts file calls the host is denied, but not its own loopback") {
    NetworkFacts host = bridge_host();
    host.named = {prefix("203.0.113.9"), prefix("127.0.0.1")};
    CHECK(verdict(host, "203.0.113.9") == "hosts-file");
    CHECK(verdict(host, "127.0.0.1") == "loopback");
}

TEST_CASE("policy: a resolver on a denied address answers DNS and nothing else") {
    NetworkFacts host = bridge_host();
    host.name_servers = {prefix("198.51.100.7"), prefix("192.0.2.53"), prefix("fe80::53")};
    CHECK(verdict(host, "198.51.100.7") == "local with ports");
    CHECK(verdict(host, "fe80::53") == "link-local with ports");
    CHECK(verdict(host, "fe80::54") == "link-local");
    CHECK(verdict(host, "192.0.2.53") == "pass");
    const auto policy = compile_policy(kEnforce, host);
    const Rule* rule = find_rule(policy->rules, prefix("198.51.100.7"));
    CHECK(rule->value.ports[0].first == 53);
    CHECK(rule->value.ports[1].first == 853);
    CHECK(rule->value.ports[2].protocols == 0);
}

TEST_CASE("policy: dns=off opens nothing for resolvers") {
    NetworkFacts host = bridge_host();
    host.name_servers = {prefix("198.51.100.7")};
    Request request = kEnforce;
    request.dns = Dns::off;
    const auto policy = compile_policy(request, host);
    CHECK(find_rule(policy->rules, prefix("198.51.100.7"))->value.ports[0].protocols == 0);
}

namespace {

// "8000-8010/tcp 53/tcp+udp", or "pass" where nothing blocks the address.
std::string ports_at(const Policy& policy, const char* address) {
    const Rule* rule = find_rule(policy.rules, prefix(address));
    if (rule == nullptr) return "pass";
    std::string text;
    for (const jail_ports& ports : rule->value.ports) {
        if (ports.protocols == 0) continue;
        text += (text.empty() ? "" : " ") + std::to_string(ports.first) +
                (ports.first == ports.last ? "" : "-" + std::to_string(ports.last));
        text += ports.protocols == JAIL_PORTS_TCP   ? "/tcp"
                : ports.protocols == JAIL_PORTS_UDP ? "/udp"
                                                    : "/tcp+udp";
    }
    return text;
}

}  // namespace

TEST_CASE("policy: 'host' opens a port at every address of the host, and at nothing else") {
    const auto policy = compile_policy(asking("allow", "host:11434"), bridge_host());
    REQUIRE(policy);
    for (const char* address : {"198.51.100.7", "2001:db8::7", "169.254.1.2", "10.77.1.1"})
        CHECK_MESSAGE(ports_at(*policy, address) == "11434/tcp", address);
    for (const char* address : {"169.254.169.254", "198.51.100.255", "224.0.0.1", "fe80::1"})
        CHECK_MESSAGE(ports_at(*policy, address).empty(), address);
    CHECK(policy->unused_allow_rules.empty());
}

TEST_CASE("policy: an exception inside of a wider prefix, around one, and beside all") {
    const auto inside =
        compile_policy(asking("allow", "10.77.5.5:80 10.77.0.0/24:81-82/udp"), bridge_host());
    REQUIRE(inside);
    CHECK(ports_at(*inside, "10.77.5.5") == "80/tcp");
    CHECK(ports_at(*inside, "10.77.5.6").empty());
    CHECK(ports_at(*inside, "10.77.0.9") == "81-82/udp");
    const auto around = compile_policy(asking("allow", "198.51.0.0/16:80"), bridge_host());
    CHECK(ports_at(*around, "198.51.100.7") == "80/tcp");
    CHECK(ports_at(*around, "198.51.1.1") == "pass");
    const auto beside = compile_policy(asking("allow", "203.0.113.1:80"), bridge_host());
    CHECK(ports_at(*beside, "203.0.113.1") == "pass");
    REQUIRE(beside->unused_allow_rules.size() == 1);
    CHECK(beside->unused_allow_rules[0] == "allow 203.0.113.1:80 has no effect: nothing denies it");
    // What people try first for a service on the host's loopback.
    const auto loopback = compile_policy(asking("allow", "127.0.0.1:80"), bridge_host());
    REQUIRE(loopback);
    REQUIRE(loopback->unused_allow_rules.size() == 1);
    CHECK(loopback->unused_allow_rules[0].starts_with(
        "allow 127.0.0.1:80 has no effect: that is the container's own loopback: have the service "
        "listen on an address of the host"));
}

TEST_CASE("policy: overlapping and touching ranges merge, too many are an error and not cut") {
    const auto merged = compile_policy(
        asking("allow", "host:80-90 host:85-95 host:96 host:53/udp host:53 host:200"),
        bridge_host());
    CHECK(ports_at(*merged, "198.51.100.7") == "53/tcp+udp 80-96/tcp 200/tcp");
    const auto most = compile_policy(
        asking("allow", "host:1 host:3 host:5 host:7 host:9 host:11 host:13 host:15"),
        bridge_host());
    CHECK(most);
    const auto too_many = compile_policy(
        asking("allow", "host:1 host:3 host:5 host:7 host:9 host:11 host:13 host:15 host:17"),
        bridge_host());
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().exit_code == EX_DATAERR);
    CHECK(too_many.error().message.find("9 port ranges are allowed at ") == 0);
}

TEST_CASE("policy: additions deny, by prefix and by set") {
    NetworkFacts host = bridge_host();
    const auto blocked = [&](const char* also, const char* address) {
        const auto policy = compile_policy(asking("also", also), host);
        REQUIRE(policy);
        return find_rule(policy->rules, prefix(address)) != nullptr;
    };
    CHECK(blocked("203.0.113.0/24", "203.0.113.9"));
    CHECK_FALSE(blocked("203.0.113.0/24", "203.0.114.9"));
    for (const char* address : {"10.1.1.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"})
        CHECK_MESSAGE(blocked("private", address), address);
    CHECK_FALSE(blocked("private", "172.32.0.1"));
    CHECK(blocked("link-local", "169.254.20.20"));
    const auto none = compile_policy(asking("also", "gateway"), host);
    REQUIRE(none);
    REQUIRE(none->unused_allow_rules.size() == 1);
    CHECK(none->unused_allow_rules[0].starts_with("also gateway has no effect: "));
    host.gateways = {prefix("192.0.2.1"), prefix("fe80::1")};
    CHECK(blocked("gateway", "192.0.2.1"));
    host.name_servers = {prefix("192.0.2.1")};
    CHECK(ports_at(*compile_policy(asking("also", "gateway"), host), "192.0.2.1") ==
          "53/tcp+udp 853/tcp");
}

TEST_CASE("policy: more than a jail holds is an error, and doubles count once") {
    NetworkFacts host;
    for (unsigned i = 0; i < 2 * JAIL_MAX_RULES; ++i)
        host.routes.push_back({prefix(fmt::format("10.1.{}.{}", i % JAIL_MAX_RULES / 256, i % 256)),
                               JAIL_REASON_LOCAL, ""});
    const auto too_many = compile_policy(kEnforce, host);
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().exit_code == EX_UNAVAILABLE);
    CHECK(too_many.error().message.find("a jail holds 4096") != std::string::npos);
    host.routes.erase(host.routes.begin() + JAIL_MAX_RULES / 2, host.routes.end());
    for (unsigned i = 0; i < JAIL_MAX_RULES / 2; ++i) host.routes.push_back(host.routes[i]);
    CHECK(compile_policy(kEnforce, host));
}

TEST_CASE(
    "policy: addresses of the container's own are marked where something denies them, and block as "
    "before") {
    NetworkFacts host = bridge_host();
    const auto is_own = [&](const char* address) {
        const auto policy = compile_policy(asking("also", "192.0.2.0/24"), host);
        REQUIRE(policy);
        const Rule* rule = find_rule(policy->rules, prefix(address));
        return rule != nullptr && rule->value.container_local == JAIL_CONTAINER_LOCAL_ADDRESS;
    };
    CHECK_FALSE(is_own("192.0.2.9"));
    host.container_addresses = {prefix("192.0.2.9"), prefix("198.51.100.7"), prefix("10.77.3.3"),
                                prefix("203.0.113.9")};
    for (const char* own : {"192.0.2.9", "198.51.100.7", "10.77.3.3"})
        CHECK_MESSAGE(is_own(own), own);
    for (const char* other : {"192.0.2.10", "10.77.3.4", "203.0.113.9", "2001:db8::7"})
        CHECK_FALSE_MESSAGE(is_own(other), other);
    CHECK(verdict(host, "198.51.100.7") == "local");
    CHECK(verdict(host, "10.77.3.3") == "local");
    host.shares_network = true;
    CHECK_FALSE(is_own("198.51.100.7"));
}

TEST_CASE("policy: if the network is deferred, only what it may become is marked") {
    NetworkFacts host = bridge_host();
    host.network_is_deferred = true;
    const auto marked = [&] {
        const auto policy = compile_policy(asking("also", "192.0.2.0/24"), host);
        REQUIRE(policy);
        std::string text;
        for (const auto& [address, rule] : policy->rules)
            if (rule.value.container_local == JAIL_CONTAINER_LOCAL_ADDRESS)
                text += address.to_string() + " ";
        return text;
    };
    CHECK(marked() == "192.0.2.0/24 ");
    host.may_copy_host = true;
    CHECK(marked() == "10.96.0.1 169.254.20.10 192.0.2.0/24 198.51.100.7 2001:db8::7 ");
}

TEST_CASE(
    "policy: what a user-mode network leads to the host is denied, and is the host to "
    "exceptions") {
    NetworkFacts host = bridge_host();
    CHECK(verdict(host, "198.18.0.9") == "pass");
    host.mapped = {prefix("198.18.0.9")};
    CHECK(verdict(host, "198.18.0.9") == "alias");
    CHECK(verdict(host, "198.18.0.8") == "pass");
    CHECK(ports_at(*compile_policy(asking("allow", "host:80"), host), "198.18.0.9") == "80/tcp");
}

TEST_CASE(
    "policy: there is no rule that a wider one repeats, whose ports or mark differ there is") {
    NetworkFacts host;
    host.routes = {{prefix("10.9.0.0/16"), JAIL_REASON_LOCAL, ""},
                   {prefix("10.9.1.0/24"), JAIL_REASON_LOCAL, ""},
                   {prefix("10.9.1.1"), JAIL_REASON_LOCAL, ""},
                   {prefix("10.9.1.255"), JAIL_REASON_BROADCAST, ""},
                   {prefix("fe80::77"), JAIL_REASON_LOCAL, ""}};
    const auto held = [&](const Request& request) {
        const auto policy = compile_policy(request, host);
        REQUIRE(policy);
        std::string text;
        for (const auto& route : host.routes)
            if (policy->rules.contains(route.prefix)) text += route.prefix.to_string() + " ";
        return text;
    };
    // By the reasons of the last two the programs tell a group, and a neighbour.
    CHECK(held(kEnforce) == "10.9.0.0/16 10.9.1.255 fe80::77 ");
    CHECK(held(asking("allow", "10.9.1.0/24:80")) ==
          "10.9.0.0/16 10.9.1.0/24 10.9.1.255 fe80::77 ");
    // To people "the host" says more than "private", as long as there is room.
    CHECK(held(asking("also", "private")) == "10.9.0.0/16 10.9.1.255 fe80::77 ");
    host.container_addresses = {prefix("10.9.1.1")};
    CHECK(held(kEnforce) == "10.9.0.0/16 10.9.1.1 10.9.1.255 fe80::77 ");
}

TEST_CASE("policy: more local prefixes than a jail holds, in a wider one") {
    NetworkFacts host;
    for (unsigned i = 0; i < 2 * JAIL_MAX_RULES; ++i)
        host.routes.push_back(
            {prefix(fmt::format("10.{}.{}.1", i / 256, i % 256)), JAIL_REASON_LOCAL, ""});
    CHECK_FALSE(compile_policy(kEnforce, host));
    CHECK(compile_policy(asking("also", "private"), host));
    host.routes.push_back({prefix("10.0.0.0/10"), JAIL_REASON_LOCAL, ""});
    const auto policy = compile_policy(kEnforce, host);
    REQUIRE(policy);
    CHECK(policy->rules.size() < 100);
    CHECK(find_rule(policy->rules, prefix("10.3.7.1"))->value.reason == JAIL_REASON_LOCAL);
}
