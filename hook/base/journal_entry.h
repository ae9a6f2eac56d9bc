// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// An entry of systemd's journal with fields of its own, as its native protocol has them
// (systemd.journal-fields(7), "Native Journal Protocol"). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jail_ai {

// `name`: capitals, digits and underscores; one may be there several times.
struct JournalField {
    std::string_view name;
    std::string value;  // any bytes

    bool operator==(const JournalField&) const = default;
};

using JournalFields = std::vector<JournalField>;

// One datagram.
std::string journal_entry(std::span<const JournalField> fields);

}  // namespace jail_ai
