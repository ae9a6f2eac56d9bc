// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The laboratory's own calls have no failure that a test could go on after: they throw, and the
// test that asked for them fails.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace jail_ai::test {

[[noreturn]] inline void throw_errno(const std::string& doing) {
    throw std::system_error(errno, std::generic_category(), doing);
}

// What a system call returned, which is not -1.
template <typename T>
T must(T returned, const std::string& doing) {
    if (returned < 0) throw_errno(doing);
    return returned;
}

}  // namespace jail_ai::test
