// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// An IP prefix of either family, kept as the programs keep it (bpf/abi.h): 16 bytes in network
// order, IPv4 in mapped form. The only place in userspace where addresses are taken apart.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bpf/abi.h"

namespace jail_ai {

class IpPrefix {
public:
    // From 4 or 16 bytes in network order and a length in bits of that family; bits behind the
    // length are cleared. Nothing if the sizes don't fit.
    static std::optional<IpPrefix> from_bytes(std::span<const std::uint8_t> address, unsigned bits);

    // "10.0.0.0/8", "fd00::/8", or an address alone, which means all its bits. Zone indices
    // (fe80::1%eth0) are dropped: a prefix knows no link. Nothing if the text is none of these
    // or has bits set behind the length.
    static std::optional<IpPrefix> parse(std::string_view text);

    bool is_v4() const;
    bool is_single() const { return key_.prefix_bits == 128; }
    bool contains(const IpPrefix& other) const;
    bool is_loopback() const;  // 127.0.0.0/8, RFC 1122; ::1, RFC 4291; or a part of it
    IpPrefix widened(
        unsigned key_bits) const;  // the prefix of key_bits (at most its own) that holds this one

    const jail_key& key() const { return key_; }
    std::string to_string() const;  // as parse() takes it; "/bits" unless it is a single address

    std::strong_ordering operator<=>(const IpPrefix& other) const;
    bool operator==(const IpPrefix& other) const { return std::is_eq(*this <=> other); }

private:
    explicit IpPrefix(const jail_key& key) : key_(key) {}
    jail_key key_;
};

}  // namespace jail_ai
