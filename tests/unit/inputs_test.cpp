// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is kept with a jail compiles to the policy that the jail was made with.
#include "policy/inputs.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace jail_ai;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

PolicyInputs some_inputs() {
    auto request =
        join_settings(
            {}, parse_settings({{"--block-host", "true"},
                                {"--allow", "host:11434 10.9.0.0/16:53-54/udp [fd00::/8]:443"},
                                {"--also", "private 203.0.113.0/24 gateway"},
                                {"--dns", "off"},
                                {"--accept", "cap_net_raw,host-pid"}})
                    .value())
            .value();
    NetworkFacts host;
    host.named = {prefix("10.88.0.1"), prefix("fd00::1"), prefix("10.88.0.1")};
    host.name_servers = {prefix("10.88.0.1")};
    host.gateways = {prefix("10.88.0.1")};
    host.container_addresses = {prefix("10.88.0.7")};
    host.predicted_routes = {{prefix("10.89.0.1"), JAIL_REASON_LOCAL, "podman1"},
                             {prefix("10.90.0.1"), JAIL_REASON_LOCAL, ""}};
    host.network_is_deferred = true;
    return {std::move(request), std::move(host)};
}

}  // namespace

TEST_CASE("inputs: what is written is read, and compiles to the same rules") {
    PolicyInputs inputs = some_inputs();
    const auto text = write_inputs(inputs);
    REQUIRE(text);
    auto read = read_inputs(*text);
    REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
    const std::vector<LocalRoute> routes{{prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"}};
    inputs.host.routes = read->host.routes = routes;
    const auto before = compile_policy(inputs.request, inputs.host);
    const auto after = compile_policy(read->request, read->host);
    REQUIRE(before);
    REQUIRE(after);
    CHECK(before->rules.size() == after->rules.size());
    for (const auto& [where, rule] : before->rules) {
        REQUIRE(after->rules.contains(where));
        CHECK(std::memcmp(&rule.value, &after->rules.at(where).value, sizeof(jail_rule)) == 0);
    }
    CHECK(read->host.network_is_deferred);
    CHECK_FALSE(read->host.may_copy_host);
    CHECK(read->host.predicted_routes[0].device == "podman1");
    CHECK(read->host.predicted_routes[1].device.empty());
    CHECK(write_inputs(*read).value() == *text);
}

TEST_CASE("inputs: every mode and mark survives") {
    for (const Mode mode : {Mode::audit, Mode::enforce}) {
        PolicyInputs inputs{{mode, Dns::automatic, OnFailure::refuse, {}, {}, {}}, {}};
        inputs.host.shares_network = mode == Mode::audit;
        inputs.host.may_copy_host = mode == Mode::enforce;
        const auto read = read_inputs(write_inputs(inputs).value());
        REQUIRE(read);
        CHECK(read->request.mode == mode);
        CHECK(read->host.shares_network == inputs.host.shares_network);
        CHECK(read->host.may_copy_host == inputs.host.may_copy_host);
    }
}

TEST_CASE("inputs: a device's name can't become a line of its own") {
    PolicyInputs inputs = some_inputs();
    inputs.host.predicted_routes = {
        {prefix("10.89.0.1"), JAIL_REASON_LOCAL, "x\nname-server 10.89.0.2"}};
    const auto read = read_inputs(write_inputs(inputs).value());
    REQUIRE(read);
    CHECK(read->host.name_servers == inputs.host.name_servers);
}

TEST_CASE("inputs: what was never written is rejected") {
    for (const char* text :
         {"named", "named x", "nonsense 10.0.0.1", "named 10.0.0.1", "jail-ai.block-host maybe",
          "coming ", "jail-ai.block-host true\njail-ai.block-host.allow host:0"})
        CHECK_MESSAGE(!read_inputs(text), text);
}

TEST_CASE("inputs: more than a jail keeps is an error, not a short text") {
    PolicyInputs inputs = some_inputs();
    for (unsigned i = 0; i < 20000; ++i) {
        const std::uint8_t bytes[] = {10, static_cast<std::uint8_t>(i >> 16),
                                      static_cast<std::uint8_t>(i >> 8),
                                      static_cast<std::uint8_t>(i)};
        inputs.host.name_servers.push_back(*IpPrefix::from_bytes(bytes, 32));
    }
    CHECK_FALSE(write_inputs(inputs));
}
