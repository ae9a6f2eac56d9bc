// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See arguments.h.
#include "commands/arguments.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/quoted.h"

namespace jail_ai {
namespace {

Error usage(std::string why) {
    return Error{EX_USAGE, std::move(why)};
}

}  // namespace

Result<Defaults> parse_arguments(std::span<char* const> arguments) {
    std::vector<Written> written;
    Defaults defaults;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        if (word == "--enforce") {
            defaults.enforced = true;
            continue;
        }
        if (!word.starts_with("--")) return usage(fmt::format("unexpected {}", quoted(word)));
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos && i + 1 == arguments.size()) return usage(fmt::format("{} needs a value", quoted(word)));
        const std::string_view value = equals == std::string_view::npos ? arguments[++i] : word.substr(equals + 1);
        written.emplace_back(word.substr(0, equals), value);
    }
    auto settings = parse_settings(written);
    if (!settings) return usage(settings.error().message);
    if (defaults.enforced && settings->on_failure == OnFailure::run) return usage("--enforce and --on-failure=run contradict each other");
    if (defaults.enforced && !settings->mode) return usage("--enforce needs --block-host, or there is nothing to enforce");
    defaults.settings = std::move(*settings);
    return defaults;
}

}  // namespace jail_ai
