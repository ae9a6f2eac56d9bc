// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which person a user id belongs to: 65,536 subordinate ids are one person's, and have one share of
// the broker among them. Pure.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jail_ai {

// A uid, or a number of them: digits alone; nothing for another text.
std::optional<uid_t> parse_uid(std::string_view text);

class People {
public:
    People() = default;

    // From the texts of /etc/subuid (subuid(5)) and /etc/passwd (passwd(5)). A line that can't be
    // understood says nothing, as it does to newuidmap(1).
    People(std::string_view subuid, std::string_view passwd);

    // The uid itself where /etc/passwd has it, else the owner of the subordinate ids that it is
    // among. Nothing for one that neither file knows: other sources of users and subordinate ids
    // (nsswitch.conf(5)) don't show here. For an owner that isn't in /etc/passwd stands the first
    // id of all that are its own.
    std::optional<uid_t> owner_of(uid_t uid) const;

private:
    struct Range {
        uid_t first;
        uid_t last;
        uid_t owner;
    };

    std::vector<Range> ranges_;
    std::vector<uid_t> users_;  // ascending
};

}  // namespace jail_ai
