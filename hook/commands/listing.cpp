// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/quote.h"
#include "commands/help.h"
#include "container/settings.h"
#include "policy/reason.h"

namespace jail_ai {
namespace {

// A line each.
std::string lines(const std::vector<std::string_view>& names) {
    return fmt::format("{}\n", fmt::join(names, "\n"));
}

// As annotations name them; --enforce is none.
std::string annotations() {
    std::string text;
    for (const SettingWords& setting : setting_words())
        text += fmt::format("{}\n", annotation_key(setting.name));
    return text;
}

std::string in_one_line(std::string lines) {
    lines.pop_back();
    std::ranges::replace(lines, '\n', ' ');
    return lines;
}

// "LIST private link-local gateway", "auto off", "PID"; "-" for none.
std::string value_of(const Option& option) {
    if (option.value.empty()) return "-";
    if (option.name == "--annotation")
        return fmt::format("{} {}", option.value, in_one_line(annotations()));
    std::string value(option.value);
    std::ranges::replace(value, '|', ' ');
    return option.offers.empty() ? value : fmt::format("{} {}", value, option.offers);
}

std::string options(const Verb& verb) {
    std::string text;
    const auto add = [&](const Option& option) {
        text += fmt::format("{}\t{}\t{}\n", option.name, value_of(option), option.help);
    };
    std::ranges::for_each(verb.options, add);
    if (verb.takes_settings) std::ranges::for_each(setting_options(), add);
    add({"--help", "", "what it takes"});
    if (!verb.words.name.empty()) text += fmt::format("{}\t-\t-\n", verb.words.name);
    return text;
}

}  // namespace

Result<std::string> list(std::span<const Verb* const> verbs, std::span<char* const> words) {
    const std::string_view what = words.empty() ? "" : words.front();
    std::string text;
    if (what == "risks") return lines(names_of(kRisks));
    if (what == "reasons") return lines(names_of(kReasons));
    if (what == "annotations") return annotations();
    if (what == "verbs")
        for (const Verb* verb : verbs) text += fmt::format("{}\t{}\n", verb->name, verb->summary);
    if (what == "synopsis")
        for (const Verb* verb : verbs) text += synopsis_of(*verb);
    if (what == "settings")
        for (const Option& option : setting_options()) text += fmt::format("{}\n", option.name);
    if (what == "options" && words.size() > 1) {
        const auto verb = std::ranges::find(verbs, std::string_view(words[1]), &Verb::name);
        if (verb != verbs.end()) text = options(**verb);
    }
    if (text.empty()) return Error{EX_USAGE, fmt::format("there is no list of {}", quote(what))};
    return text;
}

}  // namespace jail_ai
