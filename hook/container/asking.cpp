// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/asking.h"

#include <algorithm>

#include "container/json.h"
#include "container/request.h"

namespace jail_ai {
namespace {

constexpr std::string_view kName = "jail";  // what is_meant_for_hook() begins with

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool holds_name(std::string_view text) {
    const auto found = std::search(text.begin(), text.end(), kName.begin(), kName.end(),
                                   [](char a, char b) { return lower(a) == b; });
    return found != text.end();
}

// Letters of the name are U+0041 to U+006C. Other escapes are common: Go writes <, > and & so.
bool holds_escaped_letter(std::string_view text) {
    return text.find("\\u004") != std::string_view::npos ||
           text.find("\\u006") != std::string_view::npos;
}

bool is_annotations(std::string_view name) {
    return is_read_as(name.substr(0, name.find('\0')), "annotations");
}

bool any_is_meant(const rapidjson::Value& annotations) {
    if (!annotations.IsObject()) return false;
    const auto members = annotations.GetObject();
    return std::any_of(members.begin(), members.end(), [](const auto& member) {
        return is_meant_for_hook(string_of(member.name));
    });
}

}  // namespace

bool may_ask(std::string_view json) {
    return holds_name(json) || holds_escaped_letter(json);
}

bool asks_something(const rapidjson::Value& document) {
    const auto members = document.GetObject();
    return std::any_of(members.begin(), members.end(), [](const auto& member) {
        return is_annotations(string_of(member.name)) && any_is_meant(member.value);
    });
}

bool asks_something(const Annotations& annotations) {
    return std::ranges::any_of(
        annotations, [](const auto& annotation) { return is_meant_for_hook(annotation.first); });
}

}  // namespace jail_ai
