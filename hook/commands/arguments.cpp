// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "commands/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/number.h"
#include "base/quote.h"
#include "commands/help.h"
#include "container/flags.h"

namespace jail_ai {
namespace {

const Option* find_option(std::span<const Option> options, std::string_view name) {
    const auto found = std::ranges::find(options, name, &Option::name);
    return found == options.end() ? nullptr : &*found;
}

// One verb's words, from the first to the last.
class Parser {
public:
    Parser(const Verb& verb, std::span<char* const> words) : verb_(verb), words_(words) {}

    Result<Arguments> run() {
        while (!words_.empty() && arguments_.program.empty()) TRY(parse_one(take()));
        TRY(check_exclusive());
        if (!verb_.becomes.empty() && arguments_.program.empty())
            return usage(fmt::format("-- {} is missing", verb_.becomes));
        arguments_.defaults = TRY(parse_flags(arguments_.flags));
        return std::move(arguments_);
    }

private:
    std::string_view take() {
        const std::string_view word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    Status parse_one(std::string_view word) {
        if (word == "--" && !verb_.becomes.empty()) {
            arguments_.program.assign(words_.begin(), words_.end());
            words_ = {};
            return ok();
        }
        if (!word.starts_with('-')) return add_word(word);
        const std::string_view name = word.substr(0, word.find('='));
        std::optional<std::string_view> value;
        if (name.size() != word.size()) value = word.substr(name.size() + 1);
        if (const Option* own = find_option(verb_.options, name)) return add_option(*own, value);
        const Option* setting =
            verb_.takes_settings ? find_option(setting_options(), name) : nullptr;
        return setting != nullptr ? add_setting(*setting, value)
                                  : usage(fmt::format("unknown option {}", quote(name)));
    }

    Status add_word(std::string_view word) {
        if (word.empty() || verb_.words.name.empty())
            return usage(fmt::format("unexpected {}{}", quote(word),
                                     find_option(verb_.options, "--container") != nullptr
                                         ? ": a container is --container=ID"
                                         : ""));
        if (!verb_.words.many && !arguments_.words.empty())
            return usage(fmt::format("unexpected {}: {} takes one {}", quote(word), verb_.name,
                                     verb_.words.name));
        arguments_.words.emplace_back(word);
        return ok();
    }

    Status add_option(const Option& option, std::optional<std::string_view> value) {
        auto its = TRY(value_of(option, value));
        if (its.empty() && !option.value.empty())
            return usage(fmt::format("{} needs a value", quote(option.name)));
        if (arguments_.has(option.name) && option.use != Use::many && !option.value.empty())
            return usage(fmt::format("option {} given twice", quote(option.name)));
        arguments_.options.emplace_back(option.name, its);
        return ok();
    }

    // Which values may be empty and which stand there twice is a matter of the setting.
    Status add_setting(const Option& option, std::optional<std::string_view> value) {
        auto its = TRY(value_of(option, value));
        arguments_.flags.push_back(option.value.empty() ? std::string(option.name)
                                                        : fmt::format("{}={}", option.name, its));
        return ok();
    }

    Result<std::string_view> value_of(const Option& option, std::optional<std::string_view> value) {
        if (option.value.empty())
            return value ? Result<std::string_view>(
                               usage(fmt::format("{} takes no value", quote(option.name))))
                         : std::string_view();
        if (value) return *value;
        if (words_.empty()) return usage(fmt::format("{} needs a value", quote(option.name)));
        return take();
    }

    Status check_exclusive() const {
        std::vector<std::string> choices;
        std::size_t there = 0;
        bool must = false;
        for (const Option& option : verb_.options) {
            if (option.use != Use::one_of && option.use != Use::must_one_of) continue;
            choices.push_back(shown(option));
            there += arguments_.has(option.name) ? 1 : 0;
            must = option.use == Use::must_one_of;
        }
        if (there > 1 || (must && there == 0))
            return usage(fmt::format("{} takes one of {}", verb_.name, fmt::join(choices, ", ")));
        return ok();
    }

    const Verb& verb_;
    std::span<char* const> words_;
    Arguments arguments_;
};

}  // namespace

const std::string* Arguments::value(std::string_view option) const {
    const auto found =
        std::ranges::find(options, option, &std::pair<std::string_view, std::string>::first);
    return found == options.end() ? nullptr : &found->second;
}

std::vector<std::string> words_of(const Verb& verb, const Arguments& arguments) {
    std::vector<std::string> words = {std::string(verb.name)};
    for (const auto& [option, value] : arguments.options)
        words.push_back(value.empty() ? std::string(option) : fmt::format("{}={}", option, value));
    words.insert(words.end(), arguments.flags.begin(), arguments.flags.end());
    words.insert(words.end(), arguments.words.begin(), arguments.words.end());
    return words;
}

Result<pid_t> parse_pid(std::string_view option, std::string_view value) {
    const auto pid = parse_number<pid_t>(value);
    if (!pid || *pid < 1 || *pid > kMaxPid)
        return usage(fmt::format("{}: {} is not a process ID", option, quote(value)));
    return *pid;
}

Result<Arguments> parse_arguments(const Verb& verb, std::span<char* const> words) {
    return Parser(verb, words).run();
}

}  // namespace jail_ai
