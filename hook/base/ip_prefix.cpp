// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/ip_prefix.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace jail_ai {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void clear_behind(jail_key& key) {
    for (unsigned bit = key.prefix_bits; bit < 128; bit += 8 - bit % 8)
        key.addr[bit / 8] &= static_cast<std::uint8_t>(0xff00u >> (bit % 8));
}

}  // namespace

std::optional<IpPrefix> IpPrefix::from_bytes(std::span<const std::uint8_t> address, unsigned bits) {
    jail_key key{};
    if (address.size() == 4 && bits <= 32) {
        std::copy(kMapped.begin(), kMapped.end(), key.addr);
        std::copy(address.begin(), address.end(), key.addr + kMapped.size());
        key.prefix_bits = JAIL_V4_BITS + bits;
    } else if (address.size() == 16 && bits <= 128) {
        std::copy(address.begin(), address.end(), key.addr);
        key.prefix_bits = bits;
    } else {
        return std::nullopt;
    }
    clear_behind(key);
    return IpPrefix(key);
}

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    std::string_view host = text.substr(0, slash);
    if (slash == std::string_view::npos) host = host.substr(0, host.find('%'));
    std::array<std::uint8_t, 16> bytes{};
    const std::string address(host);
    const bool v4 = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1;
    if (host.find('\0') != std::string_view::npos ||
        (!v4 && ::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1))
        return std::nullopt;
    const std::size_t size = v4 ? 4 : 16;
    unsigned bits = v4 ? 32 : 128;
    if (slash != std::string_view::npos) {
        const std::string_view length = text.substr(slash + 1);
        const auto [end, error] =
            std::from_chars(length.data(), length.data() + length.size(), bits);
        if (error != std::errc() || end != length.data() + length.size() || length.empty() ||
            bits > size * 8)
            return std::nullopt;
    }
    auto prefix = from_bytes(std::span(bytes).first(size), bits);
    if (prefix && std::memcmp(prefix->key_.addr + (16 - size), bytes.data(), size) != 0)
        return std::nullopt;
    return prefix;
}

bool IpPrefix::is_v4() const {
    return key_.prefix_bits >= JAIL_V4_BITS &&
           std::equal(kMapped.begin(), kMapped.end(), key_.addr);
}

bool IpPrefix::contains(const IpPrefix& other) const {
    if (other.key_.prefix_bits < key_.prefix_bits) return false;
    const unsigned whole = key_.prefix_bits / 8, rest = key_.prefix_bits % 8;
    if (std::memcmp(key_.addr, other.key_.addr, whole) != 0) return false;
    return rest == 0 || (key_.addr[whole] ^ other.key_.addr[whole]) >> (8 - rest) == 0;
}

bool IpPrefix::is_loopback() const {
    static const IpPrefix v4 = *parse("127.0.0.0/8");
    static const IpPrefix v6 = *parse("::1");
    return v4.contains(*this) || v6.contains(*this);
}

IpPrefix IpPrefix::widened(unsigned key_bits) const {
    IpPrefix wide = *this;
    wide.key_.prefix_bits = std::min(wide.key_.prefix_bits, key_bits);
    clear_behind(wide.key_);
    return wide;
}

std::string IpPrefix::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = is_v4();
    ::inet_ntop(v4 ? AF_INET : AF_INET6, key_.addr + (v4 ? 12 : 0), text.data(), text.size());
    return is_single()
               ? std::string(text.data())
               : fmt::format("{}/{}", text.data(), key_.prefix_bits - (v4 ? JAIL_V4_BITS : 0));
}

std::strong_ordering IpPrefix::operator<=>(const IpPrefix& other) const {
    const int bytes = std::memcmp(key_.addr, other.key_.addr, sizeof key_.addr);
    return bytes != 0 ? bytes <=> 0 : key_.prefix_bits <=> other.key_.prefix_bits;
}

}  // namespace jail_ai
