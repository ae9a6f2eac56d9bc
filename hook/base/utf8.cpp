// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "base/utf8.h"

#include <algorithm>

namespace jail_ai {

std::optional<Character> first_character(std::string_view text) {
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // that takes so many bytes
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return Character{first, 1};
    const std::size_t length = first >> 5 == 6    ? 2
                               : first >> 4 == 14 ? 3
                               : first >> 3 == 30 ? 4
                                                  : 0;
    if (length == 0 || text.size() < length) return std::nullopt;
    char32_t point = first & (0xffU >> (length + 1));
    for (const char each : text.substr(1, length - 1)) {
        const auto byte = static_cast<unsigned char>(each);
        if ((byte & 0xc0) != 0x80) return std::nullopt;
        point = point << 6 | (byte & 0x3fU);
    }
    const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < kLeast[length] || is_surrogate || point > 0x10ffff) return std::nullopt;
    return Character{point, length};
}

std::string valid_utf8(std::string_view text) {
    constexpr std::string_view kReplacement = "\xef\xbf\xbd";
    const auto is_ascii = [](char each) { return static_cast<unsigned char>(each) < 0x80; };
    if (std::ranges::all_of(text, is_ascii)) return std::string(text);  // what most text is
    std::string clean;
    while (!text.empty()) {
        const auto character = first_character(text);
        const std::size_t length = character ? character->length : 1;
        clean += character ? text.substr(0, length) : kReplacement;
        text.remove_prefix(length);
    }
    return clean;
}

}  // namespace jail_ai
