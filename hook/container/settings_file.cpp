// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/settings_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/quote.h"
#include "base/toml.h"
#include "container/flags.h"
#include "container/settings.h"

namespace jail_ai {
namespace {

constexpr std::string_view kEnforce = "enforce";

// As the flag has it; nothing for a value of another type.
std::optional<std::string> value_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto boolean = node.value_exact<bool>()) return *boolean ? "true" : "false";
    const toml::array* list = node.as_array();
    if (list == nullptr) return std::nullopt;
    std::string joined;
    for (const toml::node& element : *list) {
        const auto text = element.value_exact<std::string>();
        if (!text) return std::nullopt;
        joined += (joined.empty() ? "" : " ") + *text;
    }
    return joined;
}

Status check_known(std::string_view key) {
    std::vector<std::string_view> names{kEnforce};
    std::ranges::transform(setting_words(), std::back_inserter(names), &SettingWords::name);
    if (std::ranges::find(names, key) != names.end()) return ok();
    return Error{EX_CONFIG, fmt::format("unknown setting {}: expected one of {}", quote(key),
                                        fmt::join(names, ", "))};
}

Result<std::vector<std::string>> flags_of(const toml::table& document) {
    std::vector<std::string> flags;
    for (const auto& [key, node] : document) {
        const std::string_view name = key.str();
        TRY(check_known(name));
        const auto value = value_of(node);
        if (name == kEnforce) {
            if (!node.is_boolean())
                return Error{EX_CONFIG, fmt::format("{}: expected true or false", name)};
            if (*value == "true") flags.emplace_back("--enforce");
            continue;
        }
        if (!value)
            return Error{EX_CONFIG, fmt::format("{}: expected a string, a list of strings, true or "
                                                "false",
                                                quote(name))};
        const toml::array* list = node.as_array();
        if (list != nullptr && list->empty()) continue;
        flags.push_back(fmt::format("--{}={}", name, *value));
    }
    return flags;
}

}  // namespace

Result<Defaults> parse_settings_file(std::string_view toml) {
    const auto document = parse_toml(toml);
    if (!document) return Error{EX_CONFIG, document.error().message};
    const auto flags = TRY(flags_of(*document));
    auto defaults = parse_flags(flags);
    if (!defaults) return Error{EX_CONFIG, defaults.error().message};
    return defaults;
}

}  // namespace jail_ai
