// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Two verbs with everything that a row can have, and words as main() gets them.
#pragma once

#include <string>
#include <vector>

#include "commands/verb.h"

namespace jail_ai::test {

inline constexpr Option kFetchOptions[] = {
    {"--json", "", "for machines", Use::one_of},
    {"--table", "", "for people", Use::one_of},
    {"--key", "KEY=VALUE", "one more", Use::many},
    {"--dry-run", "", "changes nothing"},
};
inline constexpr Verb kFetch{.name = "fetch",
                             .summary = "gets it",
                             .about = "Fetches it.",
                             .options = kFetchOptions,
                             .words = kContainers,
                             .only_root_may = "fetch",
                             .run = nullptr};

inline constexpr Option kPutOptions[] = {
    {"--pid", "PID", "of that", Use::must_one_of},
    {"--cgroup", "DIRECTORY", "in that", Use::must_one_of},
};
inline constexpr Verb kPut{.name = "put",
                           .summary = "puts it",
                           .about = "Puts it.",
                           .called_by = CalledBy::engines,
                           .options = kPutOptions,
                           .takes_settings = true,
                           .words = {"DESTINATION"},
                           .run = nullptr};

inline constexpr Verb kBecome{.name = "become",
                              .summary = "becomes it",
                              .about = "Becomes it.",
                              .called_by = CalledBy::engines,
                              .takes_settings = true,
                              .becomes = "PROGRAM",
                              .run = nullptr};

inline constexpr const Verb* kSomeVerbs[] = {&kFetch, &kPut};

// They live as long as `words`.
inline std::vector<char*> as_words(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    return pointers;
}

}  // namespace jail_ai::test
