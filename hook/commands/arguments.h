// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What follows the verb: its options, the administrator's settings (container/flags.h), and words.
// Pure.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "commands/verb.h"
#include "container/request.h"

namespace jail_ai {

struct Arguments {
    Defaults defaults;
    // The words that say so, each with its value: "--allow=host:11434".
    std::vector<std::string> flags;
    // The verb's own, each with its value.
    std::vector<std::pair<std::string_view, std::string>> options;
    std::vector<std::string> words;
    std::vector<std::string> program;  // what follows "--", for a verb that becomes one

    // That of the option, or nullptr if it isn't there.
    const std::string* value(std::string_view option) const;
    bool has(std::string_view option) const { return value(option) != nullptr; }
};

// The command line as parse_arguments() takes it, with the verb in front.
std::vector<std::string> words_of(const Verb& verb, const Arguments& arguments);

inline Error usage(std::string why) {
    return Error{EX_USAGE, std::move(why)};
}

// The process ID that an option has for its value. Error: EX_USAGE.
Result<pid_t> parse_pid(std::string_view option, std::string_view value);

// Options stand anywhere; a value may be a word of its own. Errors: EX_USAGE.
Result<Arguments> parse_arguments(const Verb& verb, std::span<char* const> words);

}  // namespace jail_ai
