// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The sets of addresses that `also` denies by name.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/named.h"

namespace jail_ai {

enum class NamedSet { private_networks, link_local, gateway, count };

struct AlsoPrefix {
    std::string_view prefix;  // as IpPrefix::parse() takes it
    std::string_view source;  // who gives the addresses this meaning
};

// Networks that are not the internet. The other containers of a bridge are in them.
inline constexpr std::array kPrivateNetworks = std::to_array<AlsoPrefix>({
    {"10.0.0.0/8", "RFC 1918"},
    {"172.16.0.0/12", "RFC 1918"},
    {"192.168.0.0/16", "RFC 1918"},
    {"100.64.0.0/10", "shared address space, RFC 6598"},
    {"fc00::/7", "unique local, RFC 4193"},
});

// IPv6's is always denied.
inline constexpr std::array kLinkLocal =
    std::to_array<AlsoPrefix>({{"169.254.0.0/16", "RFC 3927"}});

struct AlsoSet {
    NamedSet value;
    std::string_view name;
    // Empty for the gateway: a container's own are found when it starts.
    std::span<const AlsoPrefix> prefixes;
};

inline constexpr std::array kAlsoSets = std::to_array<AlsoSet>({
    {NamedSet::private_networks, "private", kPrivateNetworks},
    {NamedSet::link_local, "link-local", kLinkLocal},
    {NamedSet::gateway, "gateway", {}},
});
static_assert(names_each(kAlsoSets, static_cast<int>(NamedSet::count) - 1));

}  // namespace jail_ai
