// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The files that say which person a user id belongs to: /etc/passwd and /etc/subuid, read again
// when they have changed.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "base/result.h"
#include "system/person.h"

namespace jail_ai {

class PeopleFiles {
public:
    // Valid until the next call. Errors: as read_regular_file(), but for a missing file, which says
    // nothing.
    Result<const People*> read();

private:
    struct Version {
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        bool operator==(const Version&) const = default;
    };

    static Version version_of(const char* path);

    bool is_read_ = false;
    std::array<Version, 2> versions_;
    People people_;
};

}  // namespace jail_ai
