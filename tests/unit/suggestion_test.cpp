// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What "suggest" makes of denials: annotations that allow these and nothing else.
#include "commands/suggestion.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cstring>
#include <iterator>
#include <random>
#include <set>
#include <tuple>

#include "policy/evaluate.h"
#include "request_of.h"

using namespace jail_ai;

namespace {

IpPrefix prefix(std::string_view text) {
    return IpPrefix::parse(text).value();
}

PolicyInputs inputs_of(const Annotations& annotations) {
    NetworkFacts host;
    host.routes = {{prefix("10.88.0.1"), JAIL_REASON_LOCAL, "podman0"},
                   {prefix("198.51.100.7"), JAIL_REASON_LOCAL, "eth0"},
                   {prefix("fd00::1"), JAIL_REASON_LOCAL, "podman0"}};
    return {request_of(annotations).value(), host};
}

RecentDenial denied(const char* address, std::uint16_t port, std::uint8_t protocol,
                    jail_reason reason = JAIL_REASON_LOCAL) {
    RecentDenial denial{{{}, port, protocol, static_cast<std::uint8_t>(reason)}, {2, 9, 42, {}, 0}};
    if (address != nullptr)
        std::memcpy(denial.what.addr, prefix(address).key().addr, sizeof denial.what.addr);
    std::memcpy(denial.seen.comm, "psql", 4);
    return denial;
}

JailSnapshot jail_with(std::vector<RecentDenial> denials) {
    JailSnapshot jail;
    jail.metadata.emplace();
    jail.metadata->container = "0123456789abcdef";
    jail.recent_denials = std::move(denials);
    return jail;
}

constexpr std::uint8_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP};

const Annotations kJailed = {{"jail-ai.block-host", "true"}};

}  // namespace

TEST_CASE("suggest: addresses and ports that were denied, ports in a row as one") {
    const auto suggestion = suggest(
        jail_with({denied("10.88.0.1", 5432, IPPROTO_TCP), denied("10.88.0.1", 5433, IPPROTO_TCP),
                   denied("fd00::1", 53, IPPROTO_UDP)}),
        inputs_of(kJailed));
    REQUIRE(suggestion);
    CHECK(suggestion->allow == "10.88.0.1:5432-5433 [fd00::1]:53/udp");
    REQUIRE(suggestion->items.size() == 2);
    CHECK(suggestion->items[0].count == 4);
    CHECK(suggestion->items[0].comm == "psql");
    CHECK(suggestion->left.empty());
}

TEST_CASE("suggest: what is allowed already stays in the value, for podman keeps the last one") {
    Annotations annotations = kJailed;
    annotations["jail-ai.block-host.allow"] = "host:11434";
    const auto suggestion = suggest(jail_with({denied("10.88.0.1", 5432, IPPROTO_TCP),
                                               denied("10.88.0.1", 11434, IPPROTO_TCP)}),
                                    inputs_of(annotations));
    REQUIRE(suggestion);
    CHECK(suggestion->allow == "host:11434 10.88.0.1:5432");
}

TEST_CASE("suggest: what no annotation allows, or ought to, is shown with the reason") {
    const auto suggestion =
        suggest(jail_with({denied("169.254.169.254", 80, IPPROTO_TCP, JAIL_REASON_METADATA),
                           denied("10.88.0.1", 0, IPPROTO_ICMP),
                           denied("127.0.0.1", 80, IPPROTO_TCP, JAIL_REASON_LOOPBACK),
                           denied(nullptr, 17, 0, JAIL_REASON_FAMILY)}),
                inputs_of(kJailed));
    REQUIRE(suggestion);
    CHECK(suggestion->items.empty());
    CHECK(suggestion->allow.empty());
    REQUIRE(suggestion->left.size() == 4);
    CHECK(suggestion->left[0].why == "it gives out credentials of this machine");
    CHECK(suggestion->left[1].why == "no annotation allows it");
    CHECK(suggestion->left[2].why == "no annotation allows it");
    CHECK(suggestion->left[3].what == "127.0.0.1:80/tcp");
    CHECK(suggestion->left[3].why == "no annotation allows it");
}

TEST_CASE("suggest: more ranges of ports than a rule holds are an error") {
    std::vector<RecentDenial> denials;
    for (std::uint16_t i = 0; i <= JAIL_MAX_PORTS; ++i)
        denials.push_back(
            denied("10.88.0.1", static_cast<std::uint16_t>(100 + 2 * i), IPPROTO_TCP));
    const auto suggestion = suggest(jail_with(denials), inputs_of(kJailed));
    CHECK_FALSE(suggestion);
}

TEST_CASE("suggest: of random denials, exactly these pass then") {
    std::mt19937 random(1);
    const char* const addresses[] = {"10.88.0.1", "198.51.100.7", "fd00::1"};
    for (int round = 0; round < 500; ++round) {
        std::set<std::tuple<std::string, std::uint16_t, std::uint8_t>> hits;
        std::vector<RecentDenial> denials;
        for (int i = 0; i < 6; ++i) {
            const char* address = addresses[random() % std::size(addresses)];
            const auto port = static_cast<std::uint16_t>(1 + random() % 12);
            const std::uint8_t protocol = kProtocols[random() % std::size(kProtocols)];
            if (hits.emplace(address, port, protocol).second)
                denials.push_back(denied(address, port, protocol));
        }
        const auto suggestion = suggest(jail_with(denials), inputs_of(kJailed));
        REQUIRE_MESSAGE(suggestion, (suggestion ? "" : suggestion.error().message));
        Annotations annotations = kJailed;
        annotations["jail-ai.block-host.allow"] = suggestion->allow;
        const auto inputs = inputs_of(annotations);
        const auto policy = compile_policy(inputs.request, inputs.host);
        REQUIRE(policy);
        for (const char* address : addresses)
            for (std::uint16_t port = 1; port <= 14; ++port)
                for (const std::uint8_t protocol : kProtocols) {
                    const bool passes =
                        !evaluate(policy->rules, prefix(address), protocol, port).denied;
                    REQUIRE(passes == hits.contains({address, port, protocol}));
                }
    }
}

TEST_CASE("suggest: for people to paste, and for machines") {
    const auto suggestion =
        suggest(jail_with({denied("10.88.0.1", 5432, IPPROTO_TCP)}), inputs_of(kJailed));
    REQUIRE(suggestion);
    const std::string text = suggestions_to_people({*suggestion});
    CHECK(text.find("  10.88.0.1:5432  denied (local), 2 times, last to 'psql'\n") !=
          std::string::npos);
    CHECK(text.find("create the container again with:\npodman, docker: ") != std::string::npos);
    CHECK(text.find("--annotation 'jail-ai.block-host.allow=10.88.0.1:5432'\n") !=
          std::string::npos);
    CHECK(text.find("Annotation=\"jail-ai.block-host.allow=10.88.0.1:5432\"\n") !=
          std::string::npos);
    CHECK(text.find("jail-ai.block-host.allow: \"10.88.0.1:5432\"\n") != std::string::npos);
    CHECK(suggestions_to_machines({*suggestion})
              .find(R"("annotations":{"jail-ai.block-host.allow":"10.88.0.1:5432"})") !=
          std::string::npos);
}
