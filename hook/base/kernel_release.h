// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Kernels by their release, as uname(2) gives it ("6.1.0-50-amd64").
#pragma once

#include <charconv>
#include <string_view>

namespace jail_ai {

inline bool is_at_least(std::string_view release, int major, int minor) {
    int has_major = 0;
    int has_minor = 0;
    const char* end = release.data() + release.size();
    const auto [dot, error] = std::from_chars(release.data(), end, has_major);
    if (error != std::errc() || dot == end || *dot != '.') return false;
    if (std::from_chars(dot + 1, end, has_minor).ec != std::errc()) return false;
    return has_major > major || (has_major == major && has_minor >= minor);
}

}  // namespace jail_ai
