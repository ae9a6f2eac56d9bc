// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/runtime_arguments.h"

#include <climits>

#include "base/number.h"

namespace jail_ai {
namespace {

constexpr std::string_view kOption = "--preserve-fds";
constexpr std::string_view kShortestOption =
    "--pr";  // getopt_long takes any abbreviation that is unambiguous among crun's options
constexpr std::string_view kVariable = "LISTEN_FDS=";

std::string_view next_string(std::string_view& strings) {
    const std::string_view one = strings.substr(0, strings.find('\0'));
    strings.remove_prefix(one.size() == strings.size() ? one.size() : one.size() + 1);
    return one;
}

int parse_count(std::string_view text) {
    const auto count = parse_number<int>(text);
    return count && *count >= 0 ? *count : INT_MAX;
}

int sum(int a, int b) {
    return a > INT_MAX - b ? INT_MAX : a + b;
}

}  // namespace

int descriptors_left_by_crun(std::string_view command_line, std::string_view environment) {
    int preserved = 0;
    while (!command_line.empty()) {
        const std::string_view word = next_string(command_line);
        const std::string_view name = word.substr(0, word.find('='));
        if (name.size() < kShortestOption.size() || !kOption.starts_with(name)) continue;
        preserved = parse_count(name.size() == word.size() ? next_string(command_line)
                                                           : word.substr(name.size() + 1));
    }
    int listening = 0;
    while (!environment.empty()) {
        const std::string_view variable = next_string(environment);
        if (variable.starts_with(kVariable))
            listening = parse_count(variable.substr(kVariable.size()));
    }
    return sum(preserved, listening);
}

}  // namespace jail_ai
