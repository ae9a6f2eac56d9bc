// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/json.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/quote.h"

namespace jail_ai {
namespace {

using rapidjson::SizeType;

// Stands between the reader and the document and stops the parse when it goes too deep.
class DepthLimit {
public:
    explicit DepthLimit(rapidjson::Document& document) : document_(document) {}

    bool Null() { return document_.Null(); }
    bool Bool(bool b) { return document_.Bool(b); }
    bool Int(int i) { return document_.Int(i); }
    bool Uint(unsigned i) { return document_.Uint(i); }
    bool Int64(std::int64_t i) { return document_.Int64(i); }
    bool Uint64(std::uint64_t i) { return document_.Uint64(i); }
    bool Double(double d) { return document_.Double(d); }
    bool RawNumber(const char* s, SizeType n, bool copy) { return document_.RawNumber(s, n, copy); }
    bool String(const char* s, SizeType n, bool copy) { return document_.String(s, n, copy); }
    bool Key(const char* s, SizeType n, bool copy) { return document_.Key(s, n, copy); }
    bool StartObject() { return enter() && document_.StartObject(); }
    bool EndObject(SizeType n) { return leave() && document_.EndObject(n); }
    bool StartArray() { return enter() && document_.StartArray(); }
    bool EndArray(SizeType n) { return leave() && document_.EndArray(n); }

    bool too_deep() const { return depth_ > kMaxJsonDepth; }

private:
    bool enter() { return ++depth_ <= kMaxJsonDepth; }
    bool leave() {
        --depth_;
        return true;
    }

    rapidjson::Document& document_;
    int depth_ = 0;
};

Result<const rapidjson::Value*> find_typed(const rapidjson::Value& object, std::string_view key,
                                           bool (rapidjson::Value::*is)() const,
                                           std::string_view wanted) {
    auto member = find_member(object, key);
    if (!member || *member == nullptr) return member;
    if ((**member).IsNull()) return nullptr;
    if (!((**member).*is)())
        return Error{EX_DATAERR,
                     fmt::format("{} is {}, not {}", quote(key), kind_of(**member), wanted)};
    return member;
}

// The key as Go's encoding/json compares it: in lower case, with the two characters beyond ASCII
// that fold to a letter of ASCII.
std::string folded(std::string_view key) {
    std::string out;
    while (!key.empty()) {
        if (key.starts_with("\xe2\x84\xaa")) {  // the Kelvin sign
            out += 'k';
            key.remove_prefix(3);
        } else if (key.starts_with("\xc5\xbf")) {  // the long s
            out += 's';
            key.remove_prefix(2);
        } else {
            out += key[0] >= 'A' && key[0] <= 'Z' ? static_cast<char>(key[0] - 'A' + 'a') : key[0];
            key.remove_prefix(1);
        }
    }
    return out;
}

Status check_string(std::string_view text) {
    if (text.find('\0') == std::string_view::npos) return ok();
    return Error{EX_DATAERR,
                 fmt::format("{} holds a NUL, at which some runtimes end the string: remove it",
                             quote(text))};
}

}  // namespace

Status check_unambiguous(const rapidjson::Value& value) {
    if (value.IsString()) return check_string(string_of(value));
    if (value.IsArray()) {
        for (const auto& element : value.GetArray()) TRY(check_unambiguous(element));
    }
    if (!value.IsObject()) return ok();
    std::vector<std::string_view> keys;
    for (const auto& member : value.GetObject()) {
        keys.push_back(string_of(member.name));
        TRY(check_string(keys.back()));
        TRY(check_unambiguous(member.value));
    }
    std::ranges::sort(keys);
    if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end())
        return Error{EX_DATAERR, fmt::format("duplicate key {}", quote(*twice))};
    return ok();
}

Result<rapidjson::Document> parse_json_object(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return Error{EX_DATAERR, "empty, not a JSON object"};
    // The parser would take a NUL for the end of the text.
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)
        return Error{EX_DATAERR, fmt::format("not JSON: byte {}: NUL", nul)};
    rapidjson::Document document;
    rapidjson::ParseResult outcome;
    bool too_deep = false;
    auto generate = [&](rapidjson::Document& handler) {
        rapidjson::MemoryStream bytes(text.data(), text.size());
        rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
        rapidjson::Reader reader;
        DepthLimit limited(handler);
        outcome =
            reader.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
                stream, limited);
        too_deep = limited.too_deep();
        return !outcome.IsError();
    };
    document.Populate(generate);
    if (too_deep)
        return Error{EX_DATAERR, fmt::format("nested deeper than {} levels", kMaxJsonDepth)};
    if (outcome.IsError()) {
        std::string why = rapidjson::GetParseError_En(outcome.Code());
        if (!why.empty() && why.back() == '.') why.pop_back();
        return Error{EX_DATAERR, fmt::format("not JSON: byte {}: {}", outcome.Offset(), why)};
    }
    if (!document.IsObject())
        return Error{EX_DATAERR, fmt::format("{}, not an object", kind_of(document))};
    return document;
}

bool is_read_as(std::string_view name, std::string_view key) {
    return folded(name) == folded(key);
}

Result<const rapidjson::Value*> find_member(const rapidjson::Value& object, std::string_view key) {
    const rapidjson::Value* found = nullptr;
    const std::string wanted = folded(key);
    for (const auto& member : object.GetObject()) {
        const std::string_view name = string_of(member.name);
        if (name != key && folded(name) == wanted)
            return Error{EX_DATAERR,
                         fmt::format("key {} is {} to some runtimes and to others none: write {}",
                                     quote(name), quote(key), quote(key))};
        if (name != key) continue;
        if (found != nullptr) return Error{EX_DATAERR, fmt::format("duplicate key {}", quote(key))};
        found = &member.value;
    }
    return found;
}

Result<const rapidjson::Value*> find_object(const rapidjson::Value& object, std::string_view key) {
    return find_typed(object, key, &rapidjson::Value::IsObject, "an object");
}

Result<const rapidjson::Value*> find_array(const rapidjson::Value& object, std::string_view key) {
    return find_typed(object, key, &rapidjson::Value::IsArray, "an array");
}

Result<const rapidjson::Value*> find_string(const rapidjson::Value& object, std::string_view key) {
    return find_typed(object, key, &rapidjson::Value::IsString, "a string");
}

Result<std::string> string_or_empty(const rapidjson::Value& object, std::string_view key) {
    auto member = TRY(find_string(object, key));
    return member == nullptr ? std::string() : std::string(string_of(*member));
}

std::string_view string_of(const rapidjson::Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

std::string_view kind_of(const rapidjson::Value& value) {
    switch (value.GetType()) {
        case rapidjson::kNullType: return "null";
        case rapidjson::kFalseType:
        case rapidjson::kTrueType: return "a boolean";
        case rapidjson::kObjectType: return "an object";
        case rapidjson::kArrayType: return "an array";
        case rapidjson::kStringType: return "a string";
        case rapidjson::kNumberType: return "a number";
    }
    return "something else";
}

}  // namespace jail_ai
