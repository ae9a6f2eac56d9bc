// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/container_id.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"

namespace jail_ai {

bool is_container_id(std::string_view word) {
    const auto is_allowed = [](char one) {
        return (one >= 'a' && one <= 'z') || (one >= 'A' && one <= 'Z') ||
               (one >= '0' && one <= '9') || one == '_' || one == '+' || one == '-' || one == '.';
    };
    return !word.empty() && word != "." && word != ".." && std::ranges::all_of(word, is_allowed);
}

std::string shown_id(std::string_view id) {
    constexpr std::size_t kEnginesLength = 64, kShownLength = 12, kMostQuoted = 80;
    if (!is_container_id(id)) return quote(id, kMostQuoted);
    return std::string(id.size() == kEnginesLength ? id.substr(0, kShownLength) : id);
}

std::string container_text(std::string_view id, std::string_view name) {
    return id.empty() ? "an unknown container" : "container " + shown_container(id, name);
}

std::string shown_container(std::string_view id, std::string_view name) {
    return name.empty() ? shown_id(id) : fmt::format("{} ({})", shown_id(id), name);
}

}  // namespace jail_ai
