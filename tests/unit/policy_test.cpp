// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The compiled policy: who is the host, seen from a container.
#include "policy/policy.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "policy/reason.h"

using namespace jail_ai;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

const Request kEnforce{Mode::enforce, {}};

HostView bridge_host() {
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
            {}};
}

// The reason that blocks the address, "ports" where some pass, "pass" where nothing blocks.
std::string verdict(const HostView& host, std::string_view address) {
    const auto policy = compile_policy(kEnforce, host);
    REQUIRE(policy);
    const Rule* rule = find_rule(policy->rules, prefix(address));
    if (rule == nullptr || rule->value.action == JAIL_PASS) return "pass";
    return std::string(reason_name(static_cast<jail_reason>(rule->value.reason))) + (rule->value.ports[0].protocols != 0 ? " with ports" : "");
}

}  // namespace

TEST_CASE("policy: the host's addresses, the aliases and the metadata set are blocked, all else passes") {
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
                          Case{"10.96.0.1", "pass"},
                          Case{"169.254.20.10", "pass"}})
        CHECK_MESSAGE(verdict(bridge_host(), c.address) == c.verdict, c.address);
}

TEST_CASE("policy: loopback and 'this host' are the host exactly when the network namespace is shared") {
    HostView host = bridge_host();
    for (const char* address : {"127.0.0.1", "127.8.9.10", "127.255.255.255", "::1", "0.0.0.0", "0.1.2.3", "::"})
        CHECK_MESSAGE(verdict(host, address) == "pass", address);
    host.shares_network = true;
    for (const char* address : {"127.0.0.1", "127.8.9.10", "::1"}) CHECK_MESSAGE(verdict(host, address) == "loopback", address);
    for (const char* address : {"0.0.0.0", "0.1.2.3", "::"}) CHECK_MESSAGE(verdict(host, address) == "unspecified", address);
    CHECK(compile_policy(kEnforce, host)->shares_network);
}

TEST_CASE("policy: what the container's hosts file calls the host is blocked, but not its own loopback") {
    HostView host = bridge_host();
    host.named = {prefix("203.0.113.9"), prefix("127.0.0.1")};
    CHECK(verdict(host, "203.0.113.9") == "named");
    CHECK(verdict(host, "127.0.0.1") == "pass");
}

TEST_CASE("policy: a resolver on a blocked address answers DNS and nothing else") {
    HostView host = bridge_host();
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

TEST_CASE("policy: more than a jail holds is an error, and doubles count once") {
    HostView host{{}, false, {}, {}};
    for (unsigned i = 0; i < 2 * JAIL_MAX_RULES; ++i)
        host.routes.push_back({prefix(fmt::format("10.1.{}.{}", i % JAIL_MAX_RULES / 256, i % 256)), JAIL_REASON_LOCAL, ""});
    const auto too_many = compile_policy(kEnforce, host);
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().exit_code == EX_UNAVAILABLE);
    CHECK(too_many.error().message.find("a jail holds 4096") != std::string::npos);
    host.routes.erase(host.routes.begin() + JAIL_MAX_RULES / 2, host.routes.end());
    for (unsigned i = 0; i < JAIL_MAX_RULES / 2; ++i) host.routes.push_back(host.routes[i]);
    CHECK(compile_policy(kEnforce, host));
}
