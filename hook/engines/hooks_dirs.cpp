// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/hooks_dirs.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "base/quote.h"
#include "container/json.h"

namespace jail_ai {
namespace {

constexpr std::string_view kOurName = "jail-ai-hook";
constexpr std::size_t kMaxExpression = 1024;

// Matches wherever in the text, as engines do (Go's regexp, in time and memory with the length of
// both); nothing if that is not known. libstdc++ has a limit for the size of what it compiles,
// which glibc's regcomp(3) has not: a row of plus signs takes it gigabytes. And it goes back and
// forth in the text only where it is not asked to be polynomial.
std::optional<bool> is_found(const std::string& expression, const char* text) {
    if (expression.size() > kMaxExpression) return std::nullopt;
    try {
        const auto grammar = std::regex::ECMAScript | std::regex_constants::__polynomial;
        return std::regex_search(text, std::regex(expression, grammar));
    } catch (const std::regex_error&) {
        return std::nullopt;
    }
}

// Would it be called for a container with that annotation and no other?
std::optional<bool> holds(const HookWhen& when, const char* key, const char* value) {
    if (when.always == false) return false;
    for (const auto& [key_expression, value_expression] : when.annotations) {
        const auto key_found = is_found(key_expression, key);
        const auto value_found = is_found(value_expression, value);
        if (!key_found || !value_found) return std::nullopt;
        if (!*key_found || !*value_found) return false;
    }
    return when.always == true || !when.annotations.empty() || when.limited;
}

Result<HookWhen> read_when(const rapidjson::Value& document) {
    HookWhen when;
    auto object = TRY(find_object(document, "when"));
    if (object == nullptr) return when;
    auto always = TRY(find_member(*object, "always"));
    if (always != nullptr && always->IsBool()) when.always = always->GetBool();
    auto annotations = TRY(find_object(*object, "annotations"));
    if (annotations != nullptr)
        for (const auto& [key, value] : annotations->GetObject())
            if (value.IsString()) when.annotations.emplace_back(string_of(key), string_of(value));
    for (const char* limit : {"commands", "hasBindMounts"}) {
        auto member = TRY(find_member(*object, limit));
        when.limited = when.limited || (member != nullptr && !member->IsNull());
    }
    return when;
}

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

CalledFor called_for(const HookWhen& when) {
    if (!when.is_known) return CalledFor::unknown;
    const auto asked = holds(when, "jail-ai.block-host", "true");
    if (!asked) return CalledFor::unknown;
    if (!*asked) return CalledFor::none;
    if (when.limited) return CalledFor::some;
    if (when.annotations.empty()) return CalledFor::all;
    const bool all_that_ask = holds(when, "jail-ai.block-host", "audit") == true &&
                              holds(when, "jail-ai.block-host", "True") == true &&
                              holds(when, "jail-ai.blok-host", "true") == true &&
                              holds(when, "jail-ai.block-host", "") == true;
    return all_that_ask ? CalledFor::all_that_ask : CalledFor::known_words;
}

Result<HookJson> parse_hook_json(std::string_view text) {
    auto document = TRY(parse_json_object(text));
    auto version = TRY(string_or_empty(document, "version"));
    const bool is_old = version.empty() || version == "0.1.0";
    if (!is_old && version != "1.0.0")
        return Error{EX_DATAERR, fmt::format("version {} is unknown", quote(version))};
    auto old = TRY(find_member(document, "hook"));
    if (is_old && old != nullptr && old->IsString()) {
        HookJson json{
            std::string(string_of(*old)), {}, last_part(string_of(*old)) == kOurName, {}, {}, {}};
        json.when.is_known = false;
        return json;
    }
    auto hook = TRY(find_object(document, "hook"));
    if (hook == nullptr) return Error{EX_DATAERR, "there is no hook in it"};
    auto path = TRY(find_string(*hook, "path"));
    if (path == nullptr) return Error{EX_DATAERR, "the hook has no path"};
    HookJson json{std::string(string_of(*path)), {}, false, {}, {}, {}};
    json.is_ours = last_part(json.path) == kOurName;
    auto arguments = TRY(find_array(*hook, "args"));
    if (arguments != nullptr) {
        const auto words = arguments->GetArray();
        if (!words.Empty() && words[0].IsString())
            json.is_ours = json.is_ours || last_part(string_of(words[0])) == kOurName;
        if (words.Size() > 1 && words[1].IsString()) json.verb = string_of(words[1]);
        for (rapidjson::SizeType i = 2; i < words.Size(); ++i)
            if (words[i].IsString()) json.flags.emplace_back(string_of(words[i]));
    }
    json.when = TRY(read_when(document));
    auto stages = TRY(find_array(document, "stages"));
    if (stages != nullptr)
        for (const rapidjson::Value& stage : stages->GetArray())
            if (stage.IsString()) json.stages.emplace_back(string_of(stage));
    return json;
}

}  // namespace jail_ai
