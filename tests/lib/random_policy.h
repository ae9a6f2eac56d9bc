// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Random policies and destinations from a small world, so that prefixes nest and overlap, and a
// naive reference that knows nothing of tries: a destination is blocked where any prefix to block
// holds it, unless an exception holds it, its port and its protocol.
#pragma once

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "policy/named_sets.h"
#include "policy/policy.h"

namespace jail_ai::test {

struct Destination {
    IpPrefix address;
    std::uint8_t protocol;
    std::uint16_t port;
};

class RandomWorld {
public:
    explicit RandomWorld(unsigned seed) : random_(seed) {}

    unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }

    // Addresses differ in few bits, high and low ones.
    IpPrefix prefix(bool single) {
        if (below(2) == 0) {
            const std::uint8_t bytes[] = {static_cast<std::uint8_t>(below(4) == 0 ? 169 : 10),
                                          static_cast<std::uint8_t>(below(2) << 7), 0,
                                          static_cast<std::uint8_t>(below(8))};
            return *IpPrefix::from_bytes(bytes, single || below(3) != 0 ? 32 : below(33));
        }
        std::uint8_t bytes[16] = {0xfd, static_cast<std::uint8_t>(below(2) << 7)};
        bytes[15] = static_cast<std::uint8_t>(below(8));
        return *IpPrefix::from_bytes(bytes, single || below(3) != 0 ? 128 : below(129));
    }

    std::uint16_t port() { return static_cast<std::uint16_t>(1 + below(12)); }

    Request request() {
        Request request{Mode::enforce,
                        below(2) == 0 ? Dns::automatic : Dns::off,
                        OnFailure::refuse,
                        {},
                        {},
                        {}};
        for (unsigned i = below(5); i > 0; --i) {
            const std::uint16_t first = port();
            const auto last = static_cast<std::uint16_t>(first + below(3));
            request.allow.push_back(
                {below(3) == 0 ? std::nullopt : std::optional(prefix(false)), first, last,
                 static_cast<std::uint8_t>(below(2) == 0 ? JAIL_PORTS_TCP : JAIL_PORTS_UDP),
                 "random"});
        }
        for (unsigned i = below(3); i > 0; --i) request.also.push_back({prefix(false), "random"});
        return request;
    }

    NetworkFacts host() {
        NetworkFacts host;
        for (unsigned i = below(6); i > 0; --i)
            host.routes.push_back(
                {prefix(false), below(4) == 0 ? JAIL_REASON_BROADCAST : JAIL_REASON_LOCAL, "eth0"});
        for (unsigned i = below(2); i > 0; --i) host.named.push_back(prefix(true));
        for (unsigned i = below(3); i > 0; --i) host.name_servers.push_back(prefix(true));
        host.shares_network = below(4) == 0;
        return host;
    }

    Destination destination() {
        constexpr std::uint8_t kProtocols[] = {IPPROTO_TCP, IPPROTO_UDP, 1, 136};
        return {prefix(true), kProtocols[below(std::size(kProtocols))],
                below(8) == 0 ? std::uint16_t{53} : port()};
    }

private:
    std::mt19937 random_;
};

// Whether the request blocks the destination, worked out one prefix after the other.
inline bool is_blocked_by_reference(const Request& request, const NetworkFacts& host,
                                    const Destination& destination) {
    struct Blocked {
        IpPrefix prefix;
        jail_reason reason;
    };
    std::vector<Blocked> blocked;
    const auto add = [&](std::span<const NamedPrefix> set) {
        for (const NamedPrefix& named : set)
            blocked.push_back({*IpPrefix::parse(named.prefix), named.reason});
    };
    add(kLoopback);
    for (const LocalRoute& route : host.routes) blocked.push_back({route.prefix, route.reason});
    add(kAlwaysDenied);
    for (const IpPrefix& named : host.named) blocked.push_back({named, JAIL_REASON_HOSTS_FILE});
    for (const ExtraBlock& addition : request.also)
        blocked.push_back({std::get<IpPrefix>(addition.what), JAIL_REASON_POLICY});

    // The first to name the narrowest prefix says why.
    const Blocked* decides = nullptr;
    for (const Blocked& each : blocked)
        if (each.prefix.contains(destination.address) &&
            (decides == nullptr ||
             each.prefix.key().prefix_bits > decides->prefix.key().prefix_bits))
            decides = &each;
    if (decides == nullptr) return false;
    // In a network namespace of its own it is blocked where it leaves, and no exception is about
    // that.
    if (!host.shares_network && std::ranges::any_of(kLoopback, [&](const NamedPrefix& own) {
            return IpPrefix::parse(own.prefix)->contains(decides->prefix);
        }))
        return true;
    const auto is_host = [&] {
        return decides->reason == JAIL_REASON_LOCAL || decides->reason == JAIL_REASON_ALIAS ||
               decides->reason == JAIL_REASON_HOSTS_FILE ||
               decides->reason == JAIL_REASON_LOOPBACK ||
               decides->reason == JAIL_REASON_UNSPECIFIED;
    };
    const std::uint8_t protocol = destination.protocol == IPPROTO_TCP   ? JAIL_PORTS_TCP
                                  : destination.protocol == IPPROTO_UDP ? JAIL_PORTS_UDP
                                                                        : 0;
    for (const AllowRule& exception : request.allow) {
        const bool holds = exception.destination
                               ? exception.destination->contains(destination.address)
                               : is_host();
        if (holds && (exception.protocols & protocol) != 0 && exception.first <= destination.port &&
            destination.port <= exception.last)
            return false;
    }
    if (request.dns == Dns::automatic && protocol != 0 &&
        (destination.port == 53 || (destination.port == 853 && protocol == JAIL_PORTS_TCP)))
        for (const IpPrefix& server : host.name_servers)
            if (server == destination.address) return false;
    return true;
}

}  // namespace jail_ai::test
