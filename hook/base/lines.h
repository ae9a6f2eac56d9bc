// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Text line by line.
#pragma once

#include <string_view>

namespace jail_ai {

// Takes the first line off the text, and gives it without its end.
inline std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

}  // namespace jail_ai
