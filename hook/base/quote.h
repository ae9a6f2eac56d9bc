// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Strings from outside, made fit for a person's terminal and for one line of a log.
#pragma once

#include <string>
#include <string_view>

namespace jail_ai {

// The text with every byte as \xNN that is not part of a printable character in UTF-8: control
// characters (of C0 and C1), what changes the direction of text or shows nothing, line separators,
// private use, what no character has, and what is not UTF-8. `keep` are control characters that
// stay.
std::string printable(std::string_view text, std::string_view keep = "");

// 'text', printable, with ' and \ as \xNN as well; of more than `most` bytes the rest is "…".
std::string quote(std::string_view text, std::size_t most = 256);

}  // namespace jail_ai
