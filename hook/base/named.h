// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Tables of an enum's values and of the words that they are written by: arrays of rows with a
// `value` and a `name`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace jail_ai {

template <typename Value>
struct Named {
    Value value;
    std::string_view name;
};

// True if the table names each value from 0 to `last` once.
template <typename Table, typename Value>
constexpr bool names_each(const Table& table, Value last) {
    for (std::size_t number = 0; number <= static_cast<std::size_t>(last); ++number)
        if (std::ranges::count_if(table, [&](const auto& row) {
                return static_cast<std::size_t>(row.value) == number && !row.name.empty();
            }) != 1)
            return false;
    return table.size() == static_cast<std::size_t>(last) + 1;
}

// The row, or nullptr.
template <typename Table>
constexpr auto find_named(const Table& table, std::string_view name) {
    const auto found =
        std::ranges::find_if(table, [&](const auto& row) { return row.name == name; });
    return found == table.end() ? nullptr : &*found;
}
template <typename Table, typename Value>
constexpr auto find_row(const Table& table, Value value) {
    const auto found =
        std::ranges::find_if(table, [&](const auto& row) { return row.value == value; });
    return found == table.end() ? nullptr : &*found;
}

template <typename Table, typename Value>
constexpr std::string_view name_of(const Table& table, Value value) {
    const auto* row = find_row(table, value);
    return row == nullptr ? "unknown" : row->name;
}

template <typename Table>
std::vector<std::string_view> names_of(const Table& table) {
    std::vector<std::string_view> names;
    for (const auto& row : table) names.push_back(row.name);
    return names;
}

}  // namespace jail_ai
