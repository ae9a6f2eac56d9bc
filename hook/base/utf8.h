// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Text from outside, which may not be UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jail_ai {

struct Character {
    char32_t point;
    std::size_t length;  // 1 to 4 bytes
};

// Nothing if the text, which must not be empty, doesn't begin with a character in its shortest
// form: surrogates and what is above U+10FFFF are none.
std::optional<Character> first_character(std::string_view text);

// The text with U+FFFD for each byte that is not part of UTF-8.
std::string valid_utf8(std::string_view text);

}  // namespace jail_ai
