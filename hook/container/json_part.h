// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Values of a parsed JSON text together with where they stand in it, so that some can be replaced
// while everything else stays as it was written, byte for byte: unknown keys, white space, escapes,
// and numbers that no type here could hold.
#pragma once

#include <rapidjson/document.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace jail_ai {

// A value, and the text that it was parsed from. Neither is owned.
class JsonPart {
public:
    // The whole document. `text` must be what parse_json_object() made the document of.
    JsonPart(const rapidjson::Document& document, std::string_view text);

    const rapidjson::Value& value() const { return *value_; }
    std::string_view text() const { return text_; }

    // Returns the member of an object, or nothing. null stands for a missing one, as the engines
    // take it. Error (EX_DATAERR) if the key is a duplicate.
    Result<std::optional<JsonPart>> member(std::string_view key) const;
    // The same for one that must be of the type.
    Result<std::optional<JsonPart>> object(std::string_view key) const;
    Result<std::optional<JsonPart>> array(std::string_view key) const;

    // Returns the elements of an array, in order.
    std::vector<JsonPart> elements() const;

private:
    JsonPart(const rapidjson::Value& value, std::string_view text) : value_(&value), text_(text) {}

    const rapidjson::Value* value_;
    std::string_view text_;
};

// Replacements in one text.
class JsonEdits {
public:
    explicit JsonEdits(std::string_view text) : text_(text) {}

    // `part` must be of the text, and no two may overlap.
    void replace(const JsonPart& part, std::string with) {
        edits_.emplace_back(part.text(), std::move(with));
    }
    // Gives the object that member; it must not have one of that name, unless it is null. Not two
    // of them to an empty one.
    void set_member(const JsonPart& object, std::string_view key, std::string with);

    // Adds an element to the end of an array. Not twice to the same one.
    void append(const JsonPart& array, std::string_view element);

    bool empty() const { return edits_.empty(); }
    std::string apply() const;

private:
    // Before the bracket that ends an object or an array of so many values.
    void insert_last(std::string_view container, std::size_t values, std::string_view with);

    std::string_view text_;
    std::vector<std::pair<std::string_view, std::string>> edits_;
};

// A text as a JSON string.
std::string json_string(std::string_view text);

// The elements as an array, as they were written.
std::string json_array(const std::vector<std::string>& elements);

}  // namespace jail_ai
