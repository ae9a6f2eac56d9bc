// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Writing the JSON that verbs answer machines with.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace jail_ai {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

// A text from wherever: what is not UTF-8 in it becomes U+FFFD, for JSON is UTF-8.
inline void put_text(JsonWriter& writer, std::string_view text) {
    const std::string clean = valid_utf8(text);
    writer.String(clean.data(), static_cast<rapidjson::SizeType>(clean.size()));
}

// Members of the object that is being written.
inline void put(JsonWriter& writer, std::string_view key, std::string_view text) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    put_text(writer, text);
}

inline void put(JsonWriter& writer, std::string_view key, std::uint64_t number) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    writer.Uint64(number);
}

template <typename Texts>
void put_all(JsonWriter& writer, std::string_view key, const Texts& texts) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    writer.StartArray();
    for (const auto& text : texts) put_text(writer, text);
    writer.EndArray();
}

// What has been written, with a newline.
inline std::string line_of(const rapidjson::StringBuffer& buffer) {
    return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

}  // namespace jail_ai
