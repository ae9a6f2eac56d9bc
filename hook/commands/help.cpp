// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "container/settings.h"

namespace jail_ai {
namespace {

// The texts that the options of settings refer to.
struct SettingTexts {
    std::string name, value, offers, help;
};

constexpr std::size_t kMostValue = 20;  // columns; the words of a longer choice are in the help

std::vector<SettingTexts> setting_texts() {
    std::vector<SettingTexts> texts;
    for (SettingWords& setting : setting_words()) {
        const auto join = [&](std::string_view by) {
            return fmt::format("{}", fmt::join(setting.words, by));
        };
        const std::string choice = join("|");
        const bool is_short = !setting.is_list && choice.size() <= kMostValue;
        texts.push_back({fmt::format("--{}", setting.name),
                         is_short          ? choice
                         : setting.is_list ? "LIST"
                                           : "WORD",
                         is_short ? "" : join(" "), std::move(setting.help)});
    }
    return texts;
}

// How a synopsis is written.
struct Notation {
    std::string_view open, close;            // around what may be left out
    std::string_view must_open, must_close;  // around a choice
    std::string_view repeat;
    std::string_view end_of_options;
    std::string (*option)(const Option& option);
    std::string (*word)(std::string_view word);
};

std::string mdoc_word(std::string_view word) {
    std::string small(word);
    std::ranges::transform(small, small.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    });
    return "Ar " + small;
}

std::string mdoc_option(const Option& option) {
    const std::string name = fmt::format("Fl {}", option.name.substr(1));
    return option.value.empty() ? name
                                : fmt::format("{} Ns = Ns {}", name, mdoc_word(option.value));
}

constexpr Notation kPlain = {
    "[", "]", "(", ")", "…", "--", shown, [](std::string_view word) { return std::string(word); }};
constexpr Notation kMdoc = {"Oo ", " Oc", "Po ", " Pc", " ...", "Fl -", mdoc_option, mdoc_word};

bool is_choice(const Option& option) {
    return option.use == Use::one_of || option.use == Use::must_one_of;
}

// What may follow the verb, in its parts.
std::vector<std::string> parts_of(const Verb& verb, const Notation& in) {
    std::vector<std::string> parts;
    const auto add_optional = [&](std::string_view text, bool many) {
        parts.push_back(fmt::format("{}{}{}{}", in.open, text, in.close, many ? in.repeat : ""));
    };
    for (auto at = verb.options.begin(); at != verb.options.end();) {
        const auto end =
            is_choice(*at) ? std::find_if_not(at, verb.options.end(), is_choice) : std::next(at);
        std::vector<std::string> choices;
        std::transform(at, end, std::back_inserter(choices), in.option);
        const std::string text = fmt::format("{}", fmt::join(choices, " | "));
        if (at->use == Use::must_one_of)
            parts.push_back(fmt::format("{}{}{}", in.must_open, text, in.must_close));
        else
            add_optional(text, at->use == Use::many);
        at = end;
    }
    if (verb.takes_settings) add_optional(in.word("SETTING"), true);
    if (!verb.words.name.empty()) add_optional(in.word(verb.words.name), verb.words.many);
    if (!verb.becomes.empty()) {
        parts.push_back(fmt::format("{} {}", in.end_of_options, in.word(verb.becomes)));
        add_optional(in.word("ARGUMENT"), true);
    }
    return parts;
}

std::string usage_of(const Verb& verb) {
    std::string text = fmt::format("usage: jail-ai-hook {}", verb.name);
    std::size_t columns = text.size();
    for (const std::string& part : parts_of(verb, kPlain)) {
        const bool fits = columns + 1 + part.size() <= kHelpColumns;
        text += fits ? " " : "\n         ";
        text += part;
        columns = (fits ? columns + 1 : 9) + part.size();
    }
    return text + "\n";
}

// The line of the list of verbs, as a sentence: what is said about a verb goes on from there. That
// of a verb that people don't call says by whom it is called.
std::string summary_sentence(const Verb& verb) {
    if (verb.called_by != CalledBy::people) return {};
    std::string text = fmt::format("{}.\n", verb.summary);
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

std::string about(const Verb& verb) {
    std::string text = verb.only_root_may.empty() ? "" : "As root.";
    if (!verb.about.empty()) text += fmt::format("{}{}", text.empty() ? "" : " ", verb.about);
    if (verb.shows_own_to_users)
        text +=
            fmt::format("{}Root sees all of the machine; another user their own, by the broker.",
                        text.empty() ? "" : "\n");
    if (verb.words.name == kContainers.name)
        text += fmt::format("{}{} is an ID, the beginning of one, or a name.",
                            verb.about.empty() && !verb.shows_own_to_users ? " " : "\n",
                            kContainers.name);
    return summary_sentence(verb) + text + "\n";
}

std::size_t width_of(std::span<const Option> options) {
    std::size_t width = 0;
    for (const Option& option : options) width = std::max(width, shown(option).size());
    return width;
}

std::string table_of(std::span<const Option> options, std::size_t width) {
    std::string text;
    for (const Option& option : options)
        text += fmt::format("  {:{}}  {}\n", shown(option), width, option.help);
    return text;
}

}  // namespace

std::span<const Option> setting_options() {
    static const std::vector<SettingTexts> texts = setting_texts();
    static const std::vector<Option> options = [] {
        std::vector<Option> all;
        for (const auto& [name, value, offers, help] : texts)
            all.push_back({name, value, help, Use::once, offers});
        all.push_back(
            {"--enforce", "", "annotations may tighten these settings, never loosen them"});
        return all;
    }();
    return options;
}

std::string shown(const Option& option) {
    return fmt::format("{}{}{}", option.name, option.value.empty() ? "" : "=", option.value);
}

std::string help_of(const Verb& verb) {
    const std::size_t width =
        std::max(width_of(verb.options), verb.takes_settings ? width_of(setting_options()) : 0);
    std::string text = fmt::format("{}\n{}", usage_of(verb), about(verb));
    if (!verb.options.empty()) text += "\n" + table_of(verb.options, width);
    if (verb.takes_settings)
        text +=
            "\nSettings, which a container's annotations complete (jail-ai-hook(5) has the "
            "grammar):\n" +
            table_of(setting_options(), width);
    return text;
}

std::string help(std::span<const Verb* const> verbs) {
    std::string text =
        "usage: jail-ai-hook VERB [ARGUMENT]…        jail-ai-hook VERB --help shows what it "
        "takes\n\n";
    for (const Verb* verb : verbs) text += fmt::format("  {:13}  {}\n", verb->name, verb->summary);
    std::vector<std::string> suffixes;
    for (const SettingWords& setting : setting_words())
        if (annotation_key(setting.name) != kBlockHost)
            suffixes.push_back(fmt::format(".{}", setting.name));
    return text + fmt::format(
                      "  --version      print the version\n"
                      "  --help         print this\n"
                      "\n"
                      "A container asks by the annotation {}=true (audit: count; false), and for "
                      "more\nby that key with {}.\n"
                      "Anything else under jail-ai. is rejected, and so is a container that can't "
                      "be protected.\n"
                      "Manual: jail-ai-hook(8), and jail-ai-hook(5) for annotations and the JSON "
                      "of engines.\n",
                      kBlockHost, fmt::join(suffixes, ", "));
}

std::string synopsis_of(const Verb& verb) {
    return fmt::format(".It Cm {} {}\n", verb.name, fmt::join(parts_of(verb, kMdoc), " "));
}

bool asks_for_help(const Verb& verb, std::span<char* const> words) {
    const auto asking = verb.called_by != CalledBy::people
                            ? words.first(std::min<std::size_t>(words.size(), 1))
                            : words;
    return std::ranges::any_of(asking, is_help);
}

std::string wrong_verb(std::string_view word, std::span<const Verb* const> verbs) {
    if (!word.empty())
        return fmt::format("unknown verb {}: jail-ai-hook --help lists the verbs", quote(word));
    std::vector<std::string_view> names;
    std::ranges::transform(verbs, std::back_inserter(names), &Verb::name);
    return fmt::format("no verb: jail-ai-hook {} | --version | --help", fmt::join(names, " | "));
}

}  // namespace jail_ai
