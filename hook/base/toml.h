// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// TOML by toml++, which is all headers and takes its time to compile.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "base/quote.h"
#include "base/result.h"

namespace jail_ai {
struct ParserIsAtOdds {};
[[noreturn]] inline void give_up_parsing() {
    throw ParserIsAtOdds();
}
}  // namespace jail_ai

// toml++ asserts of its input what it has not always checked before ("[&", its issue 294), and with
// NDEBUG lets the compiler build on that. Here it is an error as any other.
#undef NDEBUG
#define TOML_ASSERT(holds) ((holds) ? static_cast<void>(0) : ::jail_ai::give_up_parsing())
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace jail_ai {

// Errors (EX_DATAERR): "not TOML: line N: why".
inline Result<toml::table> parse_toml(std::string_view text) try {
    toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        constexpr std::size_t kMost = 200;  // a key of any length may be in it
        return Error{EX_DATAERR, fmt::format("not TOML: line {}: {}", error.source().begin.line,
                                             printable(error.description().substr(0, kMost)))};
    }
    return std::move(parsed).table();
} catch (const ParserIsAtOdds&) {
    return Error{EX_DATAERR, "not TOML"};
}

}  // namespace jail_ai
