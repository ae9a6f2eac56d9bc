// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the driver does when its own set-up fails: nothing that it would print after that could be
// trusted.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace escape {

// Ends the run as failed, naming what was being done and errno; the janitor cleans up.
[[noreturn]] inline void give_up(const std::string& doing) {
    std::printf("not ok - harness: %s: %s\n", doing.c_str(), std::strerror(errno));
    std::fflush(stdout);
    std::_Exit(EXIT_FAILURE);
}

}  // namespace escape
