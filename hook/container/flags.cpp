// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/flags.h"

#include <fmt/format.h>

#include "base/quote.h"

namespace jail_ai {
namespace {

Error usage(std::string why) {
    return Error{EX_USAGE, std::move(why)};
}

}  // namespace

Result<Defaults> parse_flags(const std::vector<std::string>& words) {
    std::vector<RawSetting> written;
    Defaults defaults;
    for (const std::string& word : words) {
        if (word == "--enforce") {
            defaults.enforced = true;
            continue;
        }
        const std::size_t equals = word.find('=');
        if (!word.starts_with("--")) return usage(fmt::format("unexpected {}", quote(word)));
        if (equals == std::string::npos) return usage(fmt::format("{} needs a value", quote(word)));
        written.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    auto settings = parse_settings(written);
    if (!settings) return usage(settings.error().message);
    defaults.settings = std::move(*settings);
    if (const auto checked = check_enforced(defaults); !checked)
        return usage(checked.error().message);
    return defaults;
}

}  // namespace jail_ai
