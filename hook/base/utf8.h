// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Text from outside that goes into JSON.
#pragma once

#include <string>
#include <string_view>

namespace jail_ai {

// The text with U+FFFD for each byte that is not part of UTF-8.
std::string valid_utf8(std::string_view text);

}  // namespace jail_ai
