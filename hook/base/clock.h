// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The kernel's clocks (clock_gettime(2)).
#pragma once

#include <cstdint>
#include <ctime>

namespace jail_ai {

// Nanoseconds since the clock's beginning.
inline std::uint64_t nanoseconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace jail_ai
