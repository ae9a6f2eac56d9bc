// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"
#include "container/flags.h"

namespace jail_ai {

Result<Arguments> parse_arguments(std::span<char* const> words, std::initializer_list<std::string_view> own) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string word = words[i];
        if (word.starts_with("--") && word != "--enforce" && word.find('=') == std::string::npos && i + 1 < words.size())
            word.append("=").append(words[++i]);
        const std::size_t equals = word.find('=');
        const std::string name = word.substr(0, equals);
        if (std::ranges::find(own, name) == own.end()) {
            arguments.flags.push_back(std::move(word));
            continue;
        }
        if (equals == std::string::npos) return Error{EX_USAGE, fmt::format("{} needs a value", quote(word))};
        if (!arguments.own.emplace(name, word.substr(equals + 1)).second) return Error{EX_USAGE, fmt::format("{} stands there twice", quote(name))};
    }
    arguments.defaults = TRY(parse_flags(arguments.flags));
    return arguments;
}

}  // namespace jail_ai
