// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Lists of what the program knows, for the completions of shells and for the tests of what is
// written by hand. Pure.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "commands/verb.h"

namespace jail_ai {

// Words: what is to be listed, a line each: "verbs"; "synopsis", for the manual; "settings",
// "annotations", "risks", "reasons"; or "options" and a verb: its options and the words that it
// takes, with what stands for a value, values to begin with, and half a line of help, separated by
// tabs. Errors: EX_USAGE.
Result<std::string> list(std::span<const Verb* const> verbs, std::span<char* const> words);

}  // namespace jail_ai
