// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/json_part.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>

#include "base/quote.h"
#include "container/json.h"
#include "container/json_writer.h"

namespace jail_ai {
namespace {

// What follows goes through text that the JSON parser has accepted, and need not check it again.

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (++at; text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
    return at + 1;
}

// Behind the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    do {
        switch (text[at]) {
            case '"': at = end_of_string(text, at); break;
            case '{':
            case '[':
                ++depth;
                ++at;
                break;
            case '}':
            case ']':
                --depth;
                ++at;
                break;
            default:
                at = depth > 0 ? at + 1
                               : std::min(text.find_first_of(" \t\r\n,]}", at), text.size());
        }
    } while (depth > 0);
    return at;
}

// The texts of an array's elements, or of the values of an object's members.
std::vector<std::string_view> value_texts(std::string_view container) {
    std::vector<std::string_view> texts;
    const bool has_keys = container.front() == '{';
    std::size_t at = 1;
    while (true) {
        at = container.find_first_not_of(" \t\r\n,", at);
        if (at == container.size() - 1) return texts;
        if (has_keys) at = container.find_first_not_of(" \t\r\n:", end_of_string(container, at));
        const std::size_t end = end_of_value(container, at);
        texts.push_back(container.substr(at, end - at));
        at = end;
    }
}

Result<std::optional<JsonPart>> typed(Result<std::optional<JsonPart>> part, std::string_view key,
                                      bool (rapidjson::Value::*is)() const,
                                      std::string_view wanted) {
    if (!part || !*part) return part;
    const rapidjson::Value& value = (**part).value();
    if (!(value.*is)())
        return Error{EX_DATAERR,
                     fmt::format("{} is {}, not {}", quote(key), kind_of(value), wanted)};
    return part;
}

}  // namespace

// Around the braces there is nothing but white space, and maybe a byte order mark.
JsonPart::JsonPart(const rapidjson::Document& document, std::string_view text)
    : value_(&document), text_(text.substr(text.find('{'), text.rfind('}') + 1 - text.find('{'))) {}

Result<std::optional<JsonPart>> JsonPart::member(std::string_view key) const {
    auto found = TRY(find_member(*value_, key));
    if (found == nullptr || found->IsNull()) return std::optional<JsonPart>();
    const auto members = value_->GetObject();
    const auto at =
        std::ranges::find_if(members, [&](const auto& member) { return &member.value == found; }) -
        members.begin();
    return std::optional(JsonPart(*found, value_texts(text_)[static_cast<std::size_t>(at)]));
}

Result<std::optional<JsonPart>> JsonPart::object(std::string_view key) const {
    return typed(member(key), key, &rapidjson::Value::IsObject, "an object");
}

Result<std::optional<JsonPart>> JsonPart::array(std::string_view key) const {
    return typed(member(key), key, &rapidjson::Value::IsArray, "an array");
}

std::vector<JsonPart> JsonPart::elements() const {
    std::vector<JsonPart> parts;
    const auto texts = value_texts(text_);
    assert(texts.size() == value_->Size());
    for (rapidjson::SizeType i = 0; i < value_->Size(); ++i)
        parts.push_back(JsonPart((*value_)[i], texts[i]));
    return parts;
}

void JsonEdits::set_member(const JsonPart& object, std::string_view key, std::string with) {
    const auto members = object.value().GetObject();
    const auto texts = value_texts(object.text());
    const auto null = std::ranges::find_if(
        members, [&](const auto& member) { return string_of(member.name) == key; });
    if (null != members.end()) {
        edits_.emplace_back(texts[static_cast<std::size_t>(null - members.begin())],
                            std::move(with));
        return;
    }
    insert_last(object.text(), texts.size(), fmt::format("\"{}\":{}", key, with));
}

void JsonEdits::append(const JsonPart& array, std::string_view element) {
    insert_last(array.text(), array.value().Size(), element);
}

void JsonEdits::insert_last(std::string_view container, std::size_t values, std::string_view with) {
    const std::string_view bracket = container.substr(container.size() - 1);
    edits_.emplace_back(bracket.substr(0, 0), fmt::format("{}{}", values == 0 ? "" : ",", with));
}

std::string JsonEdits::apply() const {
    auto edits = edits_;
    std::ranges::sort(edits, {}, [](const auto& edit) { return edit.first.data(); });
    std::string out;
    const char* at = text_.data();
    for (const auto& [part, with] : edits) {
        assert(part.data() >= at && part.data() + part.size() <= text_.data() + text_.size());
        out.append(at, part.data());
        out += with;
        at = part.data() + part.size();
    }
    out.append(at, text_.data() + text_.size());
    return out;
}

std::string json_string(std::string_view text) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    put_text(writer, text);
    return {buffer.GetString(), buffer.GetSize()};
}

std::string json_array(const std::vector<std::string>& elements) {
    return fmt::format("[{}]", fmt::join(elements, ","));
}

}  // namespace jail_ai
