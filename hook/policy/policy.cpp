// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See policy.h.
#include "policy/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "policy/named_sets.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

constexpr std::uint16_t kDnsPorts[] = {53, 853};  // RFC 1035, and RFC 7858 for DNS over TLS

jail_rule blocking(jail_reason reason) {
    jail_rule rule{};
    rule.action = JAIL_BLOCK;
    rule.reason = static_cast<std::uint8_t>(reason);
    return rule;
}

// The first to name a prefix gives its reason; all of them block.
void block(Rules& rules, const IpPrefix& prefix, jail_reason reason, std::string source) {
    rules.try_emplace(prefix, Rule{blocking(reason), std::move(source)});
}

void block_all(Rules& rules, std::span<const NamedPrefix> set) {
    for (const NamedPrefix& named : set) block(rules, *IpPrefix::parse(named.prefix), named.reason, std::string(named.source));
}

bool is_loopback(const IpPrefix& prefix) {
    static const IpPrefix v4 = *IpPrefix::parse("127.0.0.0/8");
    static const IpPrefix v6 = *IpPrefix::parse("::1");
    return v4.contains(prefix) || v6.contains(prefix);
}

bool is_service(const LocalRoute& route) {
    return std::ranges::find(kServiceDevices, route.device) != kServiceDevices.end();
}

// A resolver on an address of the host answers DNS and nothing else.
void open_dns(Rules& rules, const IpPrefix& server) {
    const Rule* blocked_by = find_rule(rules, server);
    if (blocked_by == nullptr || blocked_by->value.action != JAIL_BLOCK) return;
    Rule rule{blocked_by->value, blocked_by->source + "; resolver of the container"};
    std::size_t slot = 0;
    for (const std::uint16_t port : kDnsPorts) rule.value.ports[slot++] = {port, port, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
    rules.insert_or_assign(server, std::move(rule));
}

}  // namespace

Result<Policy> compile_policy(const Request& request, const HostView& host) {
    Rules rules;
    if (request.mode == Mode::off) return Policy{std::move(rules), host.shares_network};
    if (host.shares_network) block_all(rules, kSharedLoopback);
    for (const LocalRoute& route : host.routes) {
        if (is_service(route) || is_loopback(route.prefix)) continue;  // loopback is in kSharedLoopback, where it counts
        block(rules, route.prefix, route.reason, route.device.empty() ? "routing table local" : fmt::format("routing table local, {}", route.device));
    }
    block_all(rules, kAlwaysBlocked);
    for (const IpPrefix& address : host.named)
        if (!is_loopback(address) || host.shares_network) block(rules, address, JAIL_REASON_NAMED, "hosts file of the container");
    for (const IpPrefix& server : host.name_servers) open_dns(rules, server);
    if (rules.size() > JAIL_MAX_RULES)
        return Error{EX_UNAVAILABLE, fmt::format("{} prefixes to block, a jail holds {}: the engine's network namespace has too many local routes",
                                                 rules.size(), JAIL_MAX_RULES)};
    return Policy{std::move(rules), host.shares_network};
}

const Rule* find_rule(const Rules& rules, const IpPrefix& address) {
    for (int bits = 128; bits >= 0; --bits) {
        const auto found = rules.find(address.widened(static_cast<unsigned>(bits)));
        if (found != rules.end()) return &found->second;
    }
    return nullptr;
}

}  // namespace jail_ai
