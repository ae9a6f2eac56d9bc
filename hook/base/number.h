// SPDX-License-Identifier: Apache-2.0 OR MIT
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace jail_ai {

// A decimal number that is the whole text, with nothing before it but "-" for a signed type.
// Nothing for any other text, or for a number that the type doesn't hold.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace jail_ai
