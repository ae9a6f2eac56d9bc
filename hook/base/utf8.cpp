// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See utf8.h.
#include "base/utf8.h"

#include <algorithm>

namespace jail_ai {

std::string valid_utf8(std::string_view text) {
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
        const std::string_view one = text.substr(at, length);
        const bool valid = length != 0 && one.size() == length && std::ranges::all_of(one.substr(1), [](char byte) { return (byte & 0xc0) == 0x80; });
        clean += valid ? one : std::string_view("\xef\xbf\xbd");
        at += valid ? length : 1;
    }
    return clean;
}

}  // namespace jail_ai
