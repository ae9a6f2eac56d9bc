// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What follows the verb: its options, the administrator's settings (container/flags.h), and words.
// Pure.
#pragma once

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

    // That of the option, or nullptr where it isn't there.
    const std::string* value(std::string_view option) const;
    bool has(std::string_view option) const { return value(option) != nullptr; }
};

// Options stand anywhere; a value may be a word of its own. Errors: EX_USAGE.
Result<Arguments> parse_arguments(const Verb& verb, std::span<char* const> words);

}  // namespace jail_ai
