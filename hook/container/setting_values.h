// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How the values of settings are written.
//
//   block-host  = "true" | "audit" | "false"
//   dns         = "auto" | "off"
//   on-failure  = "refuse" | "run"
//   errno       = "EPERM" | "ECONNREFUSED" | "EHOSTUNREACH"
//   notice      = "true" | "false"
//   allow       = list of  DESTINATION ":" PORT [ "-" PORT ] [ "/tcp" | "/udp" ]
//                          DESTINATION = "host" | IPv4 [ "/" BITS ] | "[" IPv6 [ "/" BITS ] "]"
//   also        = list of  IPv4 [ "/" BITS ] | IPv6 [ "/" BITS ] | names of sets (also_sets.h)
//   accept      = list of  names of risks (risk.h)
//   list        = words separated by commas or spaces, at least one. (podman 4.3 splits
//               --annotation at commas: use spaces there.)
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/named.h"
#include "base/result.h"
#include "container/request.h"

namespace jail_ai {

// Errors (EX_DATAERR): "'WORD': what is wrong (character N)".
Result<AllowRule> parse_exception(std::string_view word);
Result<ExtraBlock> parse_addition(std::string_view word);

// Calls `each` for the words of a list, until one fails. Errors (EX_DATAERR): its, or there are
// none or too many.
Status for_each_word(std::string_view list, const std::function<Status(std::string_view)>& each);

// The error (EX_DATAERR) for a word that is none of them.
Error none_of(std::string_view word, const std::vector<std::string_view>& names);

template <const auto& table>
auto choose(std::string_view word) -> Result<decltype(table.front().value)> {
    const auto* row = find_named(table, word);
    if (row == nullptr) return none_of(word, names_of(table));
    return row->value;
}

}  // namespace jail_ai
