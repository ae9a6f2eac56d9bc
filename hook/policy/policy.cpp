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
void block(Policy& policy, const IpPrefix& prefix, jail_reason reason, std::string source) {
    policy.try_emplace(prefix, Rule{blocking(reason), std::move(source)});
}

void block_all(Policy& policy, std::span<const NamedPrefix> set) {
    for (const NamedPrefix& named : set) block(policy, *IpPrefix::parse(named.prefix), named.reason, std::string(named.source));
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
void open_dns(Policy& policy, const IpPrefix& server) {
    const Rule* blocked_by = find_rule(policy, server);
    if (blocked_by == nullptr || blocked_by->value.action != JAIL_BLOCK) return;
    Rule rule{blocked_by->value, blocked_by->source + "; resolver of the container"};
    std::size_t slot = 0;
    for (const std::uint16_t port : kDnsPorts) rule.value.ports[slot++] = {port, port, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0};
    policy.insert_or_assign(server, std::move(rule));
}

}  // namespace

Result<Policy> compile_policy(const Request& request, const HostView& host) {
    Policy policy;
    if (request.mode == Mode::off) return policy;
    if (host.shares_network) block_all(policy, kSharedLoopback);
    for (const LocalRoute& route : host.routes) {
        if (is_service(route) || (is_loopback(route.prefix) && !host.shares_network)) continue;
        block(policy, route.prefix, route.reason,
              route.device.empty() ? "routing table local" : fmt::format("routing table local, {}", route.device));
    }
    block_all(policy, kAlwaysBlocked);
    for (const IpPrefix& address : host.named)
        if (!is_loopback(address) || host.shares_network) block(policy, address, JAIL_REASON_NAMED, "hosts file of the container");
    for (const IpPrefix& server : host.name_servers) open_dns(policy, server);
    if (policy.size() > JAIL_MAX_RULES)
        return Error{EX_UNAVAILABLE, fmt::format("{} prefixes to block, a jail holds {}: the engine's network namespace has too many local routes",
                                                 policy.size(), JAIL_MAX_RULES)};
    return policy;
}

const Rule* find_rule(const Policy& policy, const IpPrefix& address) {
    for (int bits = 128; bits >= 0; --bits) {
        const auto found = policy.find(address.widened(static_cast<unsigned>(bits)));
        if (found != policy.end()) return &found->second;
    }
    return nullptr;
}

}  // namespace jail_ai
