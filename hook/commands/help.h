// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What each verb is for and what it takes, for people who ask; and what to say to whoever asks for a verb that there is not.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace jail_ai {

// One screen.
inline constexpr std::size_t kHelpLines = 24;
inline constexpr std::size_t kHelpColumns = 100;

enum class CalledBy { machines, people };

struct VerbHelp {
    std::string_view verb;
    std::string_view summary;
    CalledBy called_by;
    bool takes_settings;    // the flags that say what annotations say
    std::string_view text;  // without those
};

// In the order in which they are listed.
std::span<const VerbHelp> verb_helps();

// The text of `jail-ai-hook VERB --help`.
std::string help_of(const VerbHelp& help);

// That of `jail-ai-hook --help`, with a line for each of the verbs.
std::string help(std::span<const std::string_view> verbs);

// The text that is asked for, or nothing. Of a verb that machines call only the first word asks: what stands in a hooks.d JSON behind other flags is
// a mistake, and refused as such.
const VerbHelp* asked_help(std::string_view verb, std::span<char* const> words);

// "unknown verb …" or "no verb", and what to do.
std::string wrong_verb(std::string_view word, std::span<const std::string_view> verbs);

}  // namespace jail_ai
