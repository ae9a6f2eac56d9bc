// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Strings from outside, made fit for one line of a log: quoted, control characters escaped, long ones cut visibly.
#pragma once

#include <string>
#include <string_view>

namespace jail_ai {

// 'text' with every byte below 0x20, 0x7f, and ' and \ as \xNN; of more than `most` bytes the rest is "…".
std::string quote(std::string_view text, std::size_t most = 256);

}  // namespace jail_ai
