// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How a target takes its input, and what holds of every answer.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "base/result.h"

namespace jail_ai::test {

inline void must(bool holds) {
    if (!holds) std::abort();
}

// A message is one printable line.
inline void check(const Error& error) {
    must(!error.message.empty() && error.exit_code != 0);
    for (const char c : error.message) must(static_cast<unsigned char>(c) >= 0x20);
}

// Two inputs in one: what is before the first byte 0xff, and what is behind it.
inline std::pair<std::string_view, std::string_view> halves(std::string_view text) {
    const std::size_t middle = text.find('\xff');
    if (middle == std::string_view::npos) return {text, {}};
    return {text.substr(0, middle), text.substr(middle + 1)};
}

// In memory of its own, aligned as malloc(3) does, so that a sanitizer sees where it ends.
inline std::vector<char> copied(std::string_view text) {
    return {text.begin(), text.end()};
}

}  // namespace jail_ai::test
