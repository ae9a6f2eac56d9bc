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

// Adds what a key of the file says.
Status add(std::string_view name, const toml::node& node, std::vector<RawSetting>& written,
           Defaults& into) {
    TRY(check_known(name));
    if (name == kEnforce) {
        const auto is_enforced = node.value_exact<bool>();
        if (!is_enforced) return Error{EX_CONFIG, fmt::format("{}: expected true or false", name)};
        into.enforced = *is_enforced;
        return ok();
    }
    const auto value = value_of(node);
    if (!value)
        return Error{EX_CONFIG, fmt::format("{}: expected a string, a list of strings, true or "
                                            "false",
                                            name)};
    const toml::array* list = node.as_array();
    if (list != nullptr && list->empty()) return ok();
    RawSetting setting{name, *value};
    TRY(parse_settings({setting}));  // by itself, while its line is known
    written.push_back(std::move(setting));
    return ok();
}

Result<Defaults> defaults_of(const toml::table& document) {
    std::vector<RawSetting> written;
    Defaults defaults;
    for (const auto& [key, node] : document)
        TRY(add(key.str(), node, written, defaults)
                .context(fmt::format("line {}", key.source().begin.line)));
    defaults.settings = TRY(parse_settings(written));
    TRY(check_enforced(defaults));
    return defaults;
}

}  // namespace

Result<Defaults> parse_settings_file(std::string_view toml) {
    const auto document = parse_toml(toml);
    if (!document) return Error{EX_CONFIG, document.error().message};
    auto defaults = defaults_of(*document);
    if (!defaults) return Error{EX_CONFIG, defaults.error().message};
    return defaults;
}

}  // namespace jail_ai
