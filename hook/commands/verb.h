// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A verb, as one row: the parser of options, help, the completions and the manual's synopsis are
// made from it, and main() runs it. The rows stand in the verbs' own files; verbs.h lists them.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "commands/outcome.h"

namespace jail_ai {

struct Arguments;
struct Surroundings;

enum class Use {
    once,
    one_of,       // excludes the verb's others of this kind, which stand beside it
    must_one_of,  // likewise, and one has to be there
    many,
};

struct Option {
    std::string_view name;  // "--pid"
    // What stands for its value in help: "PID", "auto|off"; empty if it takes none.
    std::string_view value;
    std::string_view help;    // half a line
    Use use = Use::once;      // if it takes none, it may be repeated
    std::string_view offers;  // values to begin with, of those that the placeholder doesn't name,
                              // separated by spaces
};

// Who calls a verb, and what it may print before it ends.
struct Caller {
    const Surroundings& surroundings;
    bool wants_colour;
    bool reads_progress;
    std::function<bool(std::string_view text)>
        print;  // to standard output; false when its reader has gone
    std::function<void(const LogLine& line)> report;
};

enum class CalledBy { engines, systemd, people };

struct Words {
    std::string_view name;  // in help: "CONTAINER"; empty if the verb takes none
    bool many = false;
};

inline constexpr Words kContainers = {"CONTAINER", true};

struct Verb {
    std::string_view name;
    std::string_view summary;  // its line of --help
    std::string_view about;    // further lines, without the end of the last
    CalledBy called_by = CalledBy::people;
    std::span<const Option> options;
    bool takes_settings =
        false;    // also the flags that say what annotations say (setting_options())
    Words words;  // beside options
    // In help, the program that follows "--" with its arguments, and that the verb becomes in the
    // end: "RUNTIME". Then main() leaves the process as it was started, but for what is closed of
    // the standard descriptors, and the machine's settings for the verb to read.
    std::string_view becomes;
    std::string_view only_root_may;
    bool shows_own_to_users = false;  // and to root all
    unsigned deadline = 0;            // seconds; 0 for none
    Result<Outcome> (*run)(const Arguments& arguments, const Caller& caller);
};

// What a verb ends with that its caller may not, who isn't root.
inline Error only_root_may(std::string_view what) {
    return {EX_NOPERM, fmt::format("only root may {}: run this as root", what)};
}

// The administrator's settings, as options of verbs.
std::span<const Option> setting_options();

}  // namespace jail_ai
