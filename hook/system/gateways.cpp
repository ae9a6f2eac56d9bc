// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/gateways.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <string>

#include "base/lines.h"

namespace jail_ai {
namespace {

template <typename Each>
void for_each_line(std::string_view text, Each&& each) {
    while (!text.empty()) {
        const std::string_view line = next_line(text);
        std::vector<std::string_view> fields;
        for (std::size_t at = 0;
             (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
            const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
            fields.push_back(line.substr(at, end - at));
            at = end;
        }
        each(fields);
    }
}

template <typename Number>
bool parse_hex(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    return error == std::errc() && end == text.data() + text.size();
}

bool is_zero(std::string_view hex) {
    return hex.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::vector<IpPrefix> default_gateways_v4(std::string_view route) {
    std::vector<IpPrefix> gateways;
    for_each_line(route, [&](const std::vector<std::string_view>& fields) {
        // Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses are words in network
        // order, printed as numbers of the machine.
        std::uint32_t gateway = 0;
        if (fields.size() < 8 || !is_zero(fields[1]) || !is_zero(fields[7]) ||
            !parse_hex(fields[2], gateway) || gateway == 0)
            return;
        std::array<std::uint8_t, sizeof gateway> bytes{};
        std::memcpy(bytes.data(), &gateway, bytes.size());
        gateways.push_back(*IpPrefix::from_bytes(bytes, 32));
    });
    return gateways;
}

std::vector<std::string> default_devices_v4(std::string_view route) {
    std::vector<std::string> devices;
    for_each_line(route, [&](const std::vector<std::string_view>& fields) {
        if (fields.size() >= 8 && is_zero(fields[1]) && is_zero(fields[7]))
            devices.emplace_back(fields[0]);
    });
    return devices;
}

std::vector<IpPrefix> default_gateways_v6(std::string_view ipv6_route) {
    std::vector<IpPrefix> gateways;
    for_each_line(ipv6_route, [&](const std::vector<std::string_view>& fields) {
        // destination bits source bits next-hop metric references uses flags device
        if (fields.size() < 5 || !is_zero(fields[0]) || !is_zero(fields[1]) ||
            fields[4].size() != 32 || is_zero(fields[4]))
            return;
        std::array<std::uint8_t, 16> bytes{};
        for (std::size_t i = 0; i < bytes.size(); ++i)
            if (!parse_hex(fields[4].substr(2 * i, 2), bytes[i])) return;
        gateways.push_back(*IpPrefix::from_bytes(bytes, 128));
    });
    return gateways;
}

}  // namespace jail_ai
