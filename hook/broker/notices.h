// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which of the lines about a person's share the administrator gets: one a minute for each person
// and cause, and no more in all than a few, whatever users do.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jail_ai {

enum class NoticeCause { busy, killed };

class Notices {
public:
    static constexpr std::uint64_t kSeconds = 60;
    static constexpr std::size_t kMost = 32;  // in that time

    // Is a line due for that person, at that time (s, of a clock that isn't set)? It counts as
    // written then.
    bool is_due(uid_t person, NoticeCause cause, std::uint64_t now);

private:
    struct Written {
        uid_t person;
        NoticeCause cause;
        std::uint64_t at;
    };
    std::vector<Written> written_;
};

}  // namespace jail_ai
