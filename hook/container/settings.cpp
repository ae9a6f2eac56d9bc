// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every setting is a row of one table. What annotations and flags may say, how several sources
// join, what --enforce forbids, what is kept with a jail, and what help, completions and tests
// list: all read the rows, and none knows a setting by name.
#include "container/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "container/also_sets.h"
#include "container/setting_values.h"

namespace jail_ai {
namespace {

enum class Order { tight_first, loose_first };
enum class Kept { yes, no };

// A setting, and what is done with its value.
struct Setting {
    std::string_view name;
    std::string_view help;       // {} stands for the words
    std::string_view loosening;  // what annotations do that loosen it: "they open DNS"; empty if
                                 // more of it is always tighter
    Kept kept;                   // with a jail, since its policy is made of it
    bool is_list;                // several sources add up; else the last one holds
    std::string_view tightest;   // value; empty if each loosens

    std::vector<std::string_view> (*words)();
    Status (*parse)(std::string_view value, Settings& into);
    void (*join)(const Settings& more, Settings& into);
    // Does `asked` loosen the floor? By which word, if it is a list; else by an empty one.
    std::optional<std::string> (*loosens)(const Settings& floor, const Settings& asked);
    void (*settle)(const Settings& all, Request& into);
    std::vector<std::string> (*values)(const Request& request);  // as they are parsed
};

// A setting that takes one of the table's words; the first is the default if no source says
// anything.
template <auto said, auto settled, const auto& table, Order order>
constexpr Setting one_of(std::string_view name, std::string_view help, std::string_view loosening,
                         Kept kept = Kept::yes) {
    return {name,
            help,
            loosening,
            kept,
            false,
            order == Order::tight_first ? table.front().name : table.back().name,
            [] { return names_of(table); },
            [](std::string_view value, Settings& into) -> Status {
                into.*said = TRY(choose<table>(value));
                return ok();
            },
            [](const Settings& more, Settings& into) {
                if (more.*said) into.*said = more.*said;
            },
            [](const Settings& floor, const Settings& asked) -> std::optional<std::string> {
                const auto* const most =
                    find_row(table, (floor.*said).value_or(table.front().value));
                const auto* const wanted = find_row(table, (asked.*said).value_or(most->value));
                if (order == Order::tight_first ? wanted <= most : wanted >= most)
                    return std::nullopt;
                return std::string();
            },
            [](const Settings& all, Request& into) {
                into.*settled = (all.*said).value_or(table.front().value);
            },
            [](const Request& request) {
                return std::vector{std::string(name_of(table, request.*settled))};
            }};
}

// An element of a list, as it is written.
std::string text_of(const auto& element) {
    return element.text;
}
std::string text_of(Risk risk) {
    return std::string(risk_name(risk));
}

// What a user wrote is quoted, a name of ours isn't.
std::string shown(const auto& element) {
    return quote(element.text);
}
std::string shown(Risk risk) {
    return text_of(risk);
}

// A setting that takes a list of what `parse_word` reads, the table's words among that.
template <auto said, auto settled, auto parse_word, const auto& table>
constexpr Setting list_of(std::string_view name, std::string_view help,
                          std::string_view loosening) {
    return {name,
            help,
            loosening,
            Kept::yes,
            true,
            {},
            [] { return names_of(table); },
            [](std::string_view value, Settings& into) {
                return for_each_word(value, [&](std::string_view word) -> Status {
                    auto element = TRY(parse_word(word));
                    (into.*said).insert((into.*said).end(), std::move(element));
                    return ok();
                });
            },
            [](const Settings& more, Settings& into) {
                for (const auto& element : more.*said)
                    (into.*said).insert((into.*said).end(), element);
            },
            [](const Settings& floor, const Settings& asked) -> std::optional<std::string> {
                for (const auto& element : asked.*said)
                    if (std::ranges::find(floor.*said, element) == (floor.*said).end())
                        return shown(element);
                return std::nullopt;
            },
            [](const Settings& all, Request& into) { into.*settled = all.*said; },
            [](const Request& request) {
                std::vector<std::string> values;
                for (const auto& element : request.*settled) values.push_back(text_of(element));
                return values;
            }};
}

constexpr std::array<Named<int>, 0> kNoWords;

// The first is the one that the others complete.
constexpr std::array kSettings = {
    one_of<&Settings::mode, &Request::mode, kModes, Order::tight_first>(
        "block-host", "deny the host; only count what would be denied; do nothing",
        "they ask for less than the block"),
    list_of<&Settings::allow, &Request::allow, parse_exception, kNoWords>(
        "allow", "ports to allow: host:11434 10.88.0.1:5432-5433 [fd00::1]:53/udp", "they allow"),
    list_of<&Settings::also, &Request::also, parse_addition, kAlsoSets>(
        "also", "more to deny: addresses, prefixes, {}", ""),
    one_of<&Settings::dns, &Request::dns, kDns, Order::loose_first>(
        "dns", "allow DNS to its resolvers, also on denied addresses; or not", "they open DNS"),
    one_of<&Settings::on_failure, &Request::on_failure, kOnFailure, Order::tight_first>(
        "on-failure", "reject what can't be protected, or start it unprotected",
        "they let the container run unprotected", Kept::no),
    one_of<&Settings::denial_error, &Request::denial_error, kDenialErrors, Order::tight_first>(
        "errno", "what denied calls fail with: {}", ""),
    one_of<&Settings::notice, &Request::notice, kNotices, Order::tight_first>(
        "notice", "give the container a text about what is denied, or not", "", Kept::no),
    list_of<&Settings::accepted, &Request::accepted, choose<kRisks>, kRisks>(
        "accept", "accepted risks: cap_net_raw, host-pid …", "they accept"),
};
constexpr const Setting& kBlock = kSettings.front();

const Setting* find_setting(std::string_view key) {
    constexpr std::string_view kFlag = "--";
    if (key == kBlockHost) return &kBlock;
    if (const Setting* named = find_named(kSettings, key)) return named;
    if (key.starts_with(kFlag)) return find_named(kSettings, key.substr(kFlag.size()));
    if (!key.starts_with(kBlockHost) || !key.substr(kBlockHost.size()).starts_with('.'))
        return nullptr;
    const Setting* found = find_named(kSettings, key.substr(kBlockHost.size() + 1));
    return found == &kBlock ? nullptr : found;
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A key without what people get wrong in it: letters and digits alone, in lower case.
std::string simplified(std::string_view key) {
    std::string simple;
    for (const char c : key) {
        if (is_letter(c)) simple += static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9') simple += c;
    }
    return simple;
}

// "jail-ai" without a setting behind it, which only counts as the absence of one.
bool is_bare_name(std::string_view key) {
    return is_letter(key.back()) && simplified(key) == simplified(kAnnotationPrefix);
}

Error unknown_key(std::string_view key) {
    const auto names = names_of(kSettings);
    const std::string others = fmt::format("{}", fmt::join(names.begin() + 1, names.end(), ", "));
    if (key.starts_with("--"))
        return {EX_DATAERR, fmt::format("unknown option {}; known are {} and {}", quote(key),
                                        kBlock.name, others)};
    // podman kube generate puts a container's name behind it, which podman kube play leaves there.
    const std::string_view before_slash = key.substr(0, key.rfind('/'));
    for (const std::string_view name : names)
        if (const std::string right = simplified(annotation_key(name));
            right == simplified(key) || right == simplified(before_slash))
            return {EX_DATAERR, fmt::format("unknown annotation {}: write {}", quote(key),
                                            annotation_key(name))};
    return {EX_DATAERR,
            fmt::format("unknown annotation {0}: expected {1}, or {1}.NAME with NAME one of {2}",
                        quote(key), kBlockHost, others)};
}

// `who` asks: "the annotations".
Status check_floor(const Settings& floor, const Settings& asked, std::string_view who) {
    for (const Setting& setting : kSettings) {
        const auto word = setting.loosening.empty() ? std::nullopt : setting.loosens(floor, asked);
        if (word)
            return Error{
                EX_DATAERR,
                fmt::format("{} loosen what is enforced on this machine: {}{}{}: leave that "
                            "out, or have root change what is enforced "
                            "(/etc/jail-ai-hook.conf, or flags of the hook or the broker)",
                            who, setting.loosening, word->empty() ? "" : " ", *word)};
    }
    return ok();
}

Settings joined(Settings first, const Settings& second) {
    for (const Setting& setting : kSettings) setting.join(second, first);
    return first;
}

// Words that half a line has no room for are left to the manual.
std::string help_of(const Setting& setting) {
    constexpr std::size_t kRoom = 66;
    auto words = setting.words();
    const auto with_words = [&](std::string_view rest) {
        return fmt::format(fmt::runtime(setting.help), fmt::join(words, ", ")) + std::string(rest);
    };
    std::string text = with_words("");
    while (text.size() > kRoom && words.size() > 1 && setting.help.ends_with("{}")) {
        words.pop_back();
        text = with_words(" …");
    }
    return text;
}

}  // namespace

Result<Settings> parse_settings(const std::vector<RawSetting>& written) {
    Settings settings;
    for (const auto& [key, value] : written) {
        const Setting* setting = find_setting(key);
        if (setting == nullptr) return unknown_key(key);
        TRY(setting->parse(value, settings).context(key));
    }
    return settings;
}

Status check_enforced(const Defaults& defaults) {
    if (!defaults.enforced) return ok();
    if (defaults.settings.on_failure == OnFailure::run)
        return Error{EX_DATAERR, "enforce and on-failure=run contradict each other"};
    if (!defaults.settings.mode)
        return Error{EX_DATAERR, "enforce needs block-host, or there is nothing to enforce"};
    return ok();
}

bool is_meant_for_hook(std::string_view key) {
    constexpr std::string_view kSeparators = "-_. ";
    const auto take = [&](std::string_view word) {
        const bool is_there = simplified(key.substr(0, word.size())) == word;
        if (is_there) key.remove_prefix(word.size());
        return is_there;
    };
    if (!take("jail")) return false;
    if (!key.empty() && kSeparators.find(key.front()) != std::string_view::npos)
        key.remove_prefix(1);
    if (!take("ai")) return false;
    return key.empty() || !is_letter(key.front()) || take("block");
}

Result<Settings> parse_annotations(const Annotations& annotations) {
    std::vector<RawSetting> written;
    for (const auto& [key, value] : annotations)
        if (is_meant_for_hook(key) && !is_bare_name(key)) written.emplace_back(key, value);
    return parse_settings(written);
}

Result<Defaults> join_defaults(const Defaults& floor, const Defaults& asked) {
    if (floor.enforced) TRY(check_floor(floor.settings, asked.settings, "the hook's flags"));
    return Defaults{joined(floor.settings, asked.settings), floor.enforced || asked.enforced};
}

Result<Request> join_settings(const Defaults& defaults, const Settings& asked) {
    if (defaults.enforced) TRY(check_floor(defaults.settings, asked, "the annotations"));
    const Settings all = joined(defaults.settings, asked);
    if (!all.mode)
        return Error{EX_DATAERR,
                     fmt::format("no annotation {}: set it to 'true' or 'false'", kBlockHost)};
    Request request{};
    for (const Setting& setting : kSettings) setting.settle(all, request);
    return request;
}

Result<Request> join_or_block(const Defaults& defaults, const Annotations& annotations) {
    auto asked = TRY(parse_annotations(annotations));
    if (!asked.mode && !defaults.settings.mode) asked.mode = Mode::enforce;
    return join_settings(defaults, asked);
}

std::vector<SettingWords> setting_words() {
    std::vector<SettingWords> all;
    for (const Setting& setting : kSettings)
        all.push_back({setting.name, setting.words(), setting.is_list, help_of(setting)});
    return all;
}

std::string annotation_key(std::string_view setting) {
    return setting == kBlock.name ? std::string(kBlockHost)
                                  : fmt::format("{}.{}", kBlockHost, setting);
}

std::vector<RawSetting> policy_settings(const Request& request) {
    std::vector<RawSetting> all;
    for (const Setting& setting : kSettings) {
        if (setting.kept == Kept::no) continue;
        for (std::string& value : setting.values(request))
            all.emplace_back(annotation_key(setting.name), std::move(value));
    }
    return all;
}

bool may_loosen(std::string_view key, std::string_view value) {
    const Setting* setting = key.starts_with(kAnnotationPrefix) ? find_setting(key) : nullptr;
    return setting != nullptr && !setting->loosening.empty() &&
           (setting->is_list || value != setting->tightest);
}

}  // namespace jail_ai
