// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Verbs in words, for people who ask and for those who mistype one. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "commands/verb.h"

namespace jail_ai {

// A screen is so wide.
inline constexpr std::size_t kHelpColumns = 100;

// "--pid=PID"
std::string shown(const Option& option);

// The text of `jail-ai-hook VERB --help`.
std::string help_of(const Verb& verb);

// That of `jail-ai-hook --help`, with a line for each of the verbs.
std::string help(std::span<const Verb* const> verbs);

// The item of the verb in jail-ai-hook(8), in mdoc(7).
std::string synopsis_of(const Verb& verb);

inline bool is_help(std::string_view word) {
    return word == "--help" || word == "-h";
}

// For a verb that engines call only the first word counts: behind other flags of a hooks.d JSON it
// is a mistake, and rejected as such.
bool asks_for_help(const Verb& verb, std::span<char* const> words);

// "unknown verb …" or "no verb", and what to do.
std::string wrong_verb(std::string_view word, std::span<const Verb* const> verbs);

}  // namespace jail_ai
