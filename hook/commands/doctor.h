// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verb for people: does the block work on this machine, for this user, and what is to be done where it doesn't?
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "doctor/probe.h"

namespace jail_ai {

struct Diagnosis {
    std::string text;  // to be printed
    int exit_code;     // EX_OK where the block works, else EX_UNAVAILABLE
};

// `arguments` are what follows the verb: nothing, or --json. Errors: EX_USAGE.
Result<Diagnosis> diagnose(std::span<char* const> arguments, const Surroundings& surroundings, bool coloured);

}  // namespace jail_ai
