// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/runtime_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/quote.h"
#include "container/json_writer.h"

namespace jail_ai {
namespace {

// Of runc, crun and youki, before the command; without hyphens.
constexpr std::array<std::string_view, 9> kGlobalWithValue = {
    "root", "log", "log-format", "log-level", "criu", "rootless", "cgroup-manager", "r", "l"};
constexpr std::array<std::string_view, 9> kGlobalWithout = {
    "debug", "systemd-cgroup", "no-pivot", "help", "version", "h", "v", "V", "?"};

// Behind it, but for those that name the bundle.
constexpr std::array<std::string_view, 12> kStartWithValue = {
    "console-socket",      "pid-file",  "pidfd-socket", "preserve-fds",
    "image-path",          "work-path", "parent-path",  "status-fd",
    "manage-cgroups-mode", "empty-ns",  "lsm-profile",  "lsm-mount-context"};

constexpr std::array<std::string_view, 3> kStarts = {"create", "run", "restore"};

template <std::size_t N>
bool is_in(const std::array<std::string_view, N>& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool is_option(std::string_view word) {
    return word.size() > 1 && word.front() == '-';
}

struct OptionWord {
    std::string_view name;  // without hyphens
    std::optional<std::string_view> value;
};

OptionWord split(std::string_view word) {
    word.remove_prefix(word.starts_with("--") ? 2 : 1);  // Go takes one hyphen for two
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return {word, std::nullopt};
    return {word.substr(0, equals), word.substr(equals + 1)};
}

// crun also has "file:PATH", and two that are no files.
std::string log_path(std::string_view value) {
    if (value.starts_with("journald:") || value.starts_with("syslog:")) return "";
    return std::string(value.starts_with("file:") ? value.substr(5) : value);
}

void note_log(RuntimeLog& log, std::string_view name, std::string_view value) {
    if (name == "log" || name == "l") log.path = log_path(value);
    if (name == "log-format") log.is_json = value == "json";
}

// getopt_long(3), which crun uses, takes an abbreviation if it begins one option alone.
bool means(std::string_view typed, std::string_view name, std::size_t shortest) {
    return typed.size() >= shortest && name.starts_with(typed);
}

Error usage(std::string why) {
    return Error{EX_USAGE, std::move(why)};
}

// One of the two, which may be there once.
class Place {
public:
    explicit Place(std::string_view name) : name_(name) {}

    Status set(std::string_view value) {
        if (is_set_ && value != value_) return usage(fmt::format("option '{}' given twice", name_));
        is_set_ = true;
        value_ = value;
        return ok();
    }
    std::string or_else(std::string_view otherwise) const {
        return std::string(value_.empty() ? otherwise : value_);
    }

private:
    std::string_view name_, value_;
    bool is_set_ = false;
};

}  // namespace

RuntimeCall parse_runtime_call(std::span<const std::string> words) {
    RuntimeCall call;
    bool follows_unknown = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string_view word = words[at];
        if (word == "--") {
            follows_unknown = false;
            continue;
        }
        if (!is_option(word)) {
            if (is_in(kStarts, word)) {
                call.start = words.subspan(at);
                return call;
            }
            if (!follows_unknown) return call;
            follows_unknown = false;  // it may be the value of that
            continue;
        }
        const OptionWord option = split(word);
        const bool takes_value = is_in(kGlobalWithValue, option.name);
        if (option.value) {
            note_log(call.log, option.name, *option.value);
        } else if (takes_value && at + 1 < words.size()) {
            note_log(call.log, option.name, words[++at]);
        }
        follows_unknown = !option.value && !takes_value && !is_in(kGlobalWithout, option.name);
    }
    return call;
}

Result<BundlePlace> find_bundle(std::span<const std::string> start) {
    Place bundle("--bundle"), config("--config");
    for (std::size_t at = 1; at < start.size(); ++at) {
        const std::string_view word = start[at];
        if (word == "--") break;
        if (!is_option(word)) continue;
        const bool is_short = !word.starts_with("--");
        if (is_short && word.size() > 2)
            return usage(
                fmt::format("{}: runtimes differ in what they make of it: write one "
                            "option a word, with two hyphens",
                            quote(word)));
        auto [name, value] = split(word);
        const bool is_bundle = is_short ? name == "b" : means(name, "bundle", 1);
        const bool is_config = is_short ? name == "f" : means(name, "config", 4);
        const bool takes_value = is_bundle || is_config || is_in(kStartWithValue, name);
        if (takes_value && !value) {
            if (++at == start.size()) return usage(fmt::format("{} needs a value", quote(word)));
            value = start[at];
        }
        if (is_bundle) TRY(bundle.set(*value));
        if (is_config) TRY(config.set(*value));
    }
    return BundlePlace{bundle.or_else("."), config.or_else("config.json")};
}

std::string log_line(const RuntimeLog& log, std::string_view message, std::string_view time) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    if (!log.is_json) {
        put_text(writer, message);
        return fmt::format("time=\"{}\" level=error msg={}", time, line_of(buffer));
    }
    writer.StartObject();
    put(writer, "level", "error");
    put(writer, "msg", message);
    put(writer, "time", time);
    writer.EndObject();
    return line_of(buffer);
}

}  // namespace jail_ai
