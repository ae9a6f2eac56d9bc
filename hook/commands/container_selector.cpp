// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/container_selector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/quote.h"

namespace jail_ai {

bool ContainerSelector::means(const std::string& word, std::string_view id) const {
    return id.starts_with(word) || std::ranges::any_of(named_, [&](const RunningContainer& each) {
               return each.name == word && each.id == id;
           });
}

bool ContainerSelector::has(std::string_view id) const {
    return all() ||
           std::ranges::any_of(words_, [&](const std::string& word) { return means(word, id); });
}

const std::string* ContainerSelector::first_unknown(std::span<const std::string_view> ids) const {
    const auto found = std::ranges::find_if(words_, [&](const std::string& word) {
        return std::ranges::none_of(ids, [&](std::string_view id) { return means(word, id); });
    });
    return found == words_.end() ? nullptr : &*found;
}

Status check_jailed(const ContainerSelector& meant, std::span<const std::string_view> ids) {
    if (const std::string* unknown = meant.first_unknown(ids))
        return Error{
            EX_NOINPUT,
            fmt::format(
                "container {} has no jail on this machine: jail-ai-hook status lists the jails",
                quote(*unknown))};
    return ok();
}

}  // namespace jail_ai
