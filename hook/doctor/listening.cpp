// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "doctor/listening.h"

#include <algorithm>
#include <charconv>

#include "base/lines.h"

namespace jail_ai {
namespace {

constexpr unsigned long kListening = 0x10000;  // __SO_ACCEPTCON, include/uapi/linux/net.h

std::string_view next_column(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view column = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(column.size() + 1, line.size()));
    return column;
}

// Num RefCount Protocol Flags Type St Inode Path
bool is_listener(std::string_view line, std::string_view path) {
    for (int column = 0; column < 3; ++column) next_column(line);
    const std::string_view column = next_column(line);
    unsigned long flags = 0;
    const auto [end, error] =
        std::from_chars(column.data(), column.data() + column.size(), flags, 16);
    if (error != std::errc() || (flags & kListening) == 0) return false;
    for (int rest = 0; rest < 3; ++rest) next_column(line);
    return line == path;
}

}  // namespace

bool is_listened_at(std::string_view unix_sockets, std::string_view path) {
    while (!unix_sockets.empty())
        if (is_listener(next_line(unix_sockets), path)) return true;
    return false;
}

}  // namespace jail_ai
