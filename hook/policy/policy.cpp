// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Compiling has two steps: collect the prefixes to deny, with their reasons, and then give each
// prefix that matters, those and the ones that allow rules name, its ports. A destination's longest
// prefix among them is held by exactly the same wider prefixes as the destination itself, which is
// why one lookup in the kernel is enough.
#include "policy/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "policy/named_sets.h"
#include "policy/ports.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

// RFC 1035, and RFC 7858 for DNS over TLS.
constexpr std::array kDnsPorts = {jail_ports{53, 53, JAIL_PORTS_TCP | JAIL_PORTS_UDP, 0},
                                  jail_ports{853, 853, JAIL_PORTS_TCP, 0}};

// The first to name a prefix gives its reason; all of them deny it.
void deny(Rules& rules, const IpPrefix& prefix, jail_reason reason, std::string source) {
    jail_rule value{};
    value.reason = static_cast<std::uint8_t>(reason);
    rules.try_emplace(prefix, Rule{value, std::move(source)});
}

// Rows of a table whose text has been read.
struct ParsedPrefix {
    IpPrefix prefix;
    const NamedPrefix* named;
};
using ParsedPrefixes = std::vector<ParsedPrefix>;

ParsedPrefixes parse_all(std::span<const NamedPrefix> set) {
    ParsedPrefixes parsed;
    for (const NamedPrefix& named : set) parsed.push_back({*IpPrefix::parse(named.prefix), &named});
    return parsed;
}

const ParsedPrefixes& loopback() {
    static const ParsedPrefixes parsed = parse_all(kLoopback);
    return parsed;
}

const ParsedPrefixes& always_denied() {
    static const ParsedPrefixes parsed = parse_all(kAlwaysDenied);
    return parsed;
}

void deny_all(Rules& rules, const ParsedPrefixes& set) {
    for (const auto& [prefix, named] : set)
        deny(rules, prefix, named->reason, std::string(named->source));
}

// What every network namespace takes for itself: a part of one of kLoopback's.
bool is_loopback_or_unspecified(const IpPrefix& prefix) {
    return std::ranges::any_of(
        loopback(), [&](const ParsedPrefix& each) { return each.prefix.contains(prefix); });
}

void deny_route(Rules& rules, const LocalRoute& route, std::string_view source) {
    if (route.prefix.is_loopback()) return;  // loopback is in kLoopback
    deny(rules, route.prefix, route.reason,
         route.device.empty() ? std::string(source) : fmt::format("{}, {}", source, route.device));
}

void add_asked(Rules& rules, const ExtraBlock& addition, const NetworkFacts& host) {
    if (const auto* prefix = std::get_if<IpPrefix>(&addition.what)) {
        deny(rules, *prefix, JAIL_REASON_POLICY, fmt::format("also {}", addition.text));
        return;
    }
    const AlsoSet& set = *find_row(kAlsoSets, std::get<NamedSet>(addition.what));
    for (const auto& [prefix, source] : set.prefixes)
        deny(rules, *IpPrefix::parse(prefix), JAIL_REASON_POLICY,
             fmt::format("also {}: {}", set.name, source));
    if (set.value != NamedSet::gateway) return;
    for (const IpPrefix& gateway : host.gateways)
        deny(rules, gateway, JAIL_REASON_POLICY, "also gateway");
}

Rules collect_denied(const Request& request, const NetworkFacts& host) {
    Rules rules;
    deny_all(rules, loopback());
    for (const LocalRoute& route : host.routes) deny_route(rules, route, "local route");
    for (const LocalRoute& route : host.predicted_routes)
        deny_route(rules, route, "network of the engine");
    deny_all(rules, always_denied());
    for (const IpPrefix& address : host.named)
        if (!address.is_loopback() || host.shares_network)
            deny(rules, address, JAIL_REASON_HOSTS_FILE, "hosts file of the container");
    for (const IpPrefix& address : host.mapped)
        deny(rules, address, JAIL_REASON_ALIAS, "user-mode network: leads to the host");
    for (const ExtraBlock& addition : request.also) add_asked(rules, addition, host);
    return rules;
}

bool may_become_container_local(const Rules::value_type& entry, const NetworkFacts& host) {
    const auto reason = static_cast<jail_reason>(entry.second.value.reason);
    return reason == JAIL_REASON_POLICY ||
           (reason == JAIL_REASON_LOCAL && host.may_copy_host && entry.first.is_single());
}

// Addresses of the container itself: what goes to them is not for the host, as long as it stays
// inside.
void mark_container_local(Rules& denied, const NetworkFacts& host) {
    if (host.shares_network) return;
    for (const IpPrefix& address : host.container_addresses) {
        const auto* wider = find_entry(denied, address);
        if (wider == nullptr) continue;
        Rule rule = wider->second;
        if (wider->first != address) rule.source += "; an address of the container";
        rule.value.container_local = JAIL_CONTAINER_LOCAL_ADDRESS;
        denied.insert_or_assign(address, std::move(rule));
    }
    for (Rules::value_type& entry : denied) {
        if (is_loopback_or_unspecified(entry.first))
            entry.second.value.container_local = JAIL_CONTAINER_LOCAL_LOOPBACK;
        else if (host.network_is_deferred && may_become_container_local(entry, host))
            entry.second.value.container_local = JAIL_CONTAINER_LOCAL_ADDRESS;
    }
}

// Ports that pass at a destination, and who says so.
struct PortGrant {
    std::optional<IpPrefix> destination;  // nothing: every address of the host
    std::vector<jail_ports> ports;
    std::string source;
    bool used = false;
};

std::vector<PortGrant> collect_grants(const Request& request, const NetworkFacts& host) {
    std::vector<PortGrant> grants;
    for (const AllowRule& allowed : request.allow)
        grants.push_back({allowed.destination,
                          {{allowed.first, allowed.last, allowed.protocols, 0}},
                          fmt::format("allow {}", allowed.text)});
    if (request.dns == Dns::off) return grants;
    for (const IpPrefix& server : host.name_servers)
        grants.push_back(
            {server, {kDnsPorts.begin(), kDnsPorts.end()}, "resolver of the container"});
    return grants;
}

// What "host" means in an allow rule.
bool is_the_host(jail_reason reason) {
    return reason == JAIL_REASON_LOCAL || reason == JAIL_REASON_ALIAS ||
           reason == JAIL_REASON_HOSTS_FILE || reason == JAIL_REASON_LOOPBACK ||
           reason == JAIL_REASON_UNSPECIFIED;
}

// The rule of `prefix`, which `wider` denies, with every grant that holds it. The container's own
// loopback needs no grant: the rule denies only what leaves, and an allowed port does not mean
// that.
Result<Rule> apply_grants(const IpPrefix& prefix, const Rule& wider,
                          std::vector<PortGrant>& grants) {
    Rule rule = wider;
    if (rule.value.container_local == JAIL_CONTAINER_LOCAL_LOOPBACK) return rule;
    std::vector<jail_ports> ports;
    for (PortGrant& grant : grants) {
        const bool holds = grant.destination
                               ? grant.destination->contains(prefix)
                               : is_the_host(static_cast<jail_reason>(rule.value.reason));
        if (!holds) continue;
        grant.used = true;
        ports.insert(ports.end(), grant.ports.begin(), grant.ports.end());
        rule.source += "; " + grant.source;
    }
    ports = merge_ports(ports);
    if (ports.size() > JAIL_MAX_PORTS)
        return Error{
            EX_DATAERR,
            fmt::format(
                "{} port ranges are allowed at {}, a rule holds {}: name fewer or wider ranges",
                ports.size(), prefix.to_string(), JAIL_MAX_PORTS)};
    std::ranges::copy(ports, rule.value.ports);
    return rule;
}

Result<Rules> compile_rules(const Rules& denied, std::vector<PortGrant>& grants) {
    Rules compiled;
    for (const auto& [prefix, rule] : denied) {
        auto rule_with_ports = TRY(apply_grants(prefix, rule, grants));
        compiled.emplace(prefix, std::move(rule_with_ports));
    }
    // A grant inside of a wider prefix that is denied is a rule of its own.
    for (const PortGrant& grant : grants) {
        if (!grant.destination || compiled.contains(*grant.destination)) continue;
        const auto* wider = find_entry(denied, *grant.destination);
        if (wider == nullptr ||
            wider->second.value.container_local == JAIL_CONTAINER_LOCAL_LOOPBACK)
            continue;
        auto rule_with_ports = TRY(apply_grants(*grant.destination, wider->second, grants));
        compiled.emplace(*grant.destination, std::move(rule_with_ports));
    }
    return compiled;
}

// Any neighbour's link-local source passes, and the host's own does not; what is sent to many makes
// no peer.
bool programs_ask_for(std::uint8_t reason) {
    return reason == JAIL_REASON_LINK_LOCAL || reason == JAIL_REASON_BROADCAST ||
           reason == JAIL_REASON_MULTICAST;
}

bool same_verdict(const jail_rule& a, const jail_rule& b, bool with_reason) {
    return a.container_local == b.container_local &&
           std::memcmp(a.ports, b.ports, sizeof a.ports) == 0 &&
           (!with_reason || a.reason == b.reason);
}

// Drops prefixes to which the next wider one gives the same verdict; a wider one comes before those
// that it holds. What the host is says more than that its network was named: there the narrower
// reason stays, as long as there is room.
std::size_t drop_repeated(Rules& rules, bool keep_reasons) {
    std::vector<Rules::const_iterator> wider;
    std::vector<Rules::const_iterator> repeated;
    for (auto at = rules.cbegin(); at != rules.cend(); ++at) {
        while (!wider.empty() && !wider.back()->first.contains(at->first)) wider.pop_back();
        if (!wider.empty()) {
            const jail_rule& above = wider.back()->second.value;
            const bool reason_counts = programs_ask_for(above.reason) ||
                                       programs_ask_for(at->second.value.reason) ||
                                       (keep_reasons && above.reason == JAIL_REASON_POLICY);
            if (same_verdict(above, at->second.value, reason_counts)) repeated.push_back(at);
        }
        wider.push_back(at);
    }
    for (const auto at : repeated) rules.erase(at);
    return rules.size();
}

bool asks_for_gateway(const ExtraBlock& addition) {
    const auto* set = std::get_if<NamedSet>(&addition.what);
    return set != nullptr && *set == NamedSet::gateway;
}

// How many of their first bits two keys have in common, at most those of the shorter.
unsigned common_bits(const jail_key& one, const jail_key& other) {
    const unsigned most = std::min(one.prefix_bits, other.prefix_bits);
    for (unsigned byte = 0; byte * 8 < most; ++byte) {
        const auto differs = static_cast<std::uint8_t>(one.addr[byte] ^ other.addr[byte]);
        if (differs != 0)
            return std::min(most, byte * 8 + static_cast<unsigned>(std::countl_zero(differs)));
    }
    return most;
}

}  // namespace

Result<Policy> compile_policy(const Request& request, const NetworkFacts& host) {
    if (request.mode == Mode::off)
        return Policy{{}, request.mode, request.denial_error, host.shares_network, {}};
    auto denied = collect_denied(request, host);
    mark_container_local(denied, host);
    std::vector<PortGrant> grants = collect_grants(request, host);
    auto rules = TRY(compile_rules(denied, grants));
    if (drop_repeated(rules, true) > JAIL_MAX_RULES && drop_repeated(rules, false) > JAIL_MAX_RULES)
        return Error{EX_UNAVAILABLE,
                     fmt::format("{} prefixes to deny, a jail holds {}: the engine's network "
                                 "namespace has too many local routes",
                                 rules.size(), JAIL_MAX_RULES)};
    Policy policy{std::move(rules), request.mode, request.denial_error, host.shares_network, {}};
    for (std::size_t i = 0; i < request.allow.size(); ++i)
        if (!grants[i].used)
            policy.unused_allow_rules.push_back(fmt::format(
                "{} has no effect: {}", grants[i].source,
                request.allow[i].destination && request.allow[i].destination->is_loopback()
                    ? "that is the container's own loopback: have the service listen on an address "
                      "of the host that the container reaches (cookbook: \"Reach a service on the "
                      "host's 127.0.0.1\")"
                    : "nothing denies it"));
    if (host.gateways.empty() && std::ranges::any_of(request.also, asks_for_gateway))
        policy.unused_allow_rules.emplace_back(
            "also gateway has no effect: the container has no default gateway yet: if it gets one "
            "that is not the host's, name it: "
            "jail-ai.block-host.also=ADDRESS");
    return policy;
}

const Rules::value_type* find_entry(const Rules& rules, const IpPrefix& address) {
    IpPrefix narrowest = address;  // what holds the address and is in the rules is this or wider
    while (true) {
        auto at = rules.upper_bound(narrowest);
        if (at == rules.begin()) return nullptr;
        --at;
        if (at->first.contains(address)) return &*at;
        // What stands before this entry and holds the address, holds the entry as well.
        narrowest = address.widened(common_bits(at->first.key(), address.key()));
    }
}

const Rule* find_rule(const Rules& rules, const IpPrefix& address) {
    const auto* entry = find_entry(rules, address);
    return entry == nullptr ? nullptr : &entry->second;
}

}  // namespace jail_ai
