// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What follows the verb: the administrator's settings (container/flags.h), and options that the verb has for itself.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

struct Arguments {
    Defaults defaults;
    std::vector<std::string> flags;                       // the words that say so, each with its value: "--allow=host:11434"
    std::map<std::string, std::string, std::less<>> own;  // the verb's own options, by name: "--broker"
};

// A value may be a word of its own. Errors: EX_USAGE.
Result<Arguments> parse_arguments(std::span<char* const> words, std::initializer_list<std::string_view> own = {});

}  // namespace jail_ai
