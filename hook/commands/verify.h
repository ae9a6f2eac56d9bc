// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// "verify": does every container that asks for the block have it, and is every jail as it should be? Fit for a timer or a monitoring check.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "verify/facts.h"

namespace jail_ai {

inline constexpr int kSomethingFound = 1;  // exit code: all could be looked at, and not all is well

struct Verification {
    std::string text;  // to be printed
    int exit_code;     // EX_OK or kSomethingFound
};

// Words: --json, and containers as containers_meant.h has them. Errors: EX_USAGE; EX_NOPERM for anybody but root; EX_NOINPUT for a
// container that doesn't run; EX_UNAVAILABLE where there is no cgroup v2.
Result<Verification> verify(std::span<char* const> words);

}  // namespace jail_ai
