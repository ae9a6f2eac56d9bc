// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/person.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>

#include "base/lines.h"
#include "base/number.h"

namespace jail_ai {
namespace {

template <std::size_t count>
std::array<std::string_view, count> split_fields(std::string_view line) {
    std::array<std::string_view, count> fields;
    for (std::string_view& field : fields) {
        const std::size_t end = line.find(':');
        field = line.substr(0, end);
        line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
    }
    return fields;
}

}  // namespace

std::optional<uid_t> parse_uid(std::string_view text) {
    return parse_number<uid_t>(text);
}

People::People(std::string_view subuid, std::string_view passwd) {
    std::map<std::string_view, uid_t> owners;
    while (!passwd.empty()) {
        const auto [name, password, number] = split_fields<3>(next_line(passwd));
        const auto uid = parse_uid(number);
        if (name.empty() || !uid) continue;
        owners.emplace(name, *uid);
        users_.push_back(*uid);
    }
    std::ranges::sort(users_);
    while (!subuid.empty()) {
        const auto [name, start, number] = split_fields<3>(next_line(subuid));
        const auto first = parse_uid(start);
        const auto count = parse_uid(number);
        if (name.empty() || !first || !count || *count == 0) continue;
        const std::uint64_t end = std::uint64_t{*first} + *count - 1;
        const auto last =
            static_cast<uid_t>(std::min<std::uint64_t>(end, std::numeric_limits<uid_t>::max()));
        // A name before a number: useradd(8) takes no name of digits alone.
        const auto known = owners.find(name);
        const uid_t owner =
            known != owners.end() ? known->second : parse_uid(name).value_or(*first);
        owners.emplace(name, owner);
        ranges_.push_back({*first, last, owner});
    }
}

std::optional<uid_t> People::owner_of(uid_t uid) const {
    if (std::ranges::binary_search(users_, uid)) return uid;
    const auto range = std::ranges::find_if(
        ranges_, [uid](const Range& each) { return uid >= each.first && uid <= each.last; });
    return range == ranges_.end() ? std::nullopt : std::optional(range->owner);
}

}  // namespace jail_ai
