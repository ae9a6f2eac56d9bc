// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See quote.h.
#include "base/quote.h"

#include <fmt/format.h>

#include <iterator>

namespace jail_ai {

std::string quote(std::string_view text, std::size_t most) {
    std::string out = "'";
    for (const char c : text.substr(0, most)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '\'' || c == '\\')
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        else
            out += c;
    }
    out += text.size() > most ? "…'" : "'";
    return out;
}

}  // namespace jail_ai
