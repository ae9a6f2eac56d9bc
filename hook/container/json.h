// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Reading JSON that strangers wrote: bounded in size and depth, no recursion in the parser, and
// nothing taken that another reader of the same text takes otherwise. runc (Go) finds keys without
// regard to case; crun (C) ends a string at its first NUL.
#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace jail_ai {

inline constexpr int kMaxJsonDepth = 64;  // config.json of today's runtimes nests 8 levels

// Parses one JSON value (RFC 8259, UTF-8 validated) that must be an object and must fill the text.
// Errors (EX_DATAERR): not JSON with the offset in bytes, deeper than kMaxJsonDepth, something
// other than an object, nothing at all.
Result<rapidjson::Document> parse_json_object(std::string_view text);

// Error (EX_DATAERR) when an object, wherever in the value, has two members of the same name, or a
// key or string holds a NUL: readers differ in what they take. The value may nest kMaxJsonDepth
// levels.
Status check_unambiguous(const rapidjson::Value& value);

// The member of an object, or nullptr. Errors (EX_DATAERR): a duplicate key; a key that is this one
// but for its case, which a runtime written in Go takes for it.
Result<const rapidjson::Value*> find_member(const rapidjson::Value& object, std::string_view key);

// The same for a member that may be missing or null, and else must be of the type: null pointer, or
// a value for which the type holds.
Result<const rapidjson::Value*> find_object(const rapidjson::Value& object, std::string_view key);
Result<const rapidjson::Value*> find_array(const rapidjson::Value& object, std::string_view key);
Result<const rapidjson::Value*> find_string(const rapidjson::Value& object, std::string_view key);

// The same, as a copy; empty if it is missing.
Result<std::string> string_or_empty(const rapidjson::Value& object, std::string_view key);

// True if a reader takes the name for the key: Go's encoding/json does so in any case, and with the
// characters beyond ASCII that fold to a letter of ASCII.
bool is_read_as(std::string_view name, std::string_view key);

// A JSON string as bytes. The value must be a string.
std::string_view string_of(const rapidjson::Value& value);

// "a string", "an object" …, for messages.
std::string_view kind_of(const rapidjson::Value& value);

}  // namespace jail_ai
