// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/container_addresses.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/lines.h"

namespace jail_ai {
namespace {

template <typename Each>
void for_each_line(std::string_view text, Each&& each) {
    while (!text.empty()) {
        std::string_view line = next_line(text);
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        each(line);
    }
}

}  // namespace

std::vector<IpPrefix> container_addresses_v4(std::string_view fib_trie) {
    // "|-- ADDRESS", and below it a line "/BITS SCOPE TYPE" for each of its routes.
    constexpr std::string_view kLeaf = "|-- ";
    std::vector<IpPrefix> addresses;
    std::optional<IpPrefix> leaf;
    for_each_line(fib_trie, [&](std::string_view line) {
        if (line.starts_with(kLeaf)) leaf = IpPrefix::parse(line.substr(kLeaf.size()));
        if (!line.starts_with("/32 ") || !line.ends_with(" LOCAL") || !leaf || !leaf->is_single() ||
            leaf->is_loopback())
            return;
        if (std::ranges::find(addresses, *leaf) == addresses.end()) addresses.push_back(*leaf);
    });
    return addresses;
}

std::vector<IpPrefix> container_addresses_v6(std::string_view if_inet6) {
    std::vector<IpPrefix> addresses;
    for_each_line(if_inet6, [&](std::string_view line) {
        // 32 hexadecimal digits, and then what the address is like.
        std::array<std::uint8_t, 16> bytes{};
        if (line.size() < 33 || line[32] != ' ') return;
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            const char* digits = line.data() + 2 * i;
            const auto [end, error] = std::from_chars(digits, digits + 2, bytes[i], 16);
            if (error != std::errc() || end != digits + 2) return;
        }
        const auto address = IpPrefix::from_bytes(bytes, 128);
        if (address && !address->is_loopback()) addresses.push_back(*address);
    });
    return addresses;
}

}  // namespace jail_ai
