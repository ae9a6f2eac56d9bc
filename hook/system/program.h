// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What another program of this machine prints.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// Where it is among the directories of programs; empty if it is in none.
std::string find_program(const std::string& name);

// What the program, called by its path and with those words, prints to standard output: up to the
// end of that, to `most` bytes, or to when `patience` is over, and no longer than it runs. Its
// input is empty, and what it says of errors is dropped. Errors: EX_UNAVAILABLE if it doesn't
// start, EX_OSERR.
Result<std::string> output_of(const std::string& path, const std::vector<std::string>& words,
                              std::size_t most, std::chrono::seconds patience);

}  // namespace jail_ai
