// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/runtime_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/quote.h"
#include "container/container_id.h"
#include "container/json.h"
#include "container/state.h"

namespace jail_ai {
namespace {

Result<pid_t> pid_at(const rapidjson::Value& object, std::string_view key) {
    auto found = TRY(find_member(object, key));
    if (found == nullptr || !found->IsInt() || found->GetInt() < 1 || found->GetInt() > kMaxPid)
        return Error{EX_DATAERR, fmt::format("{} is not a process", quote(key))};
    return static_cast<pid_t>(found->GetInt());
}

Result<std::optional<std::uint64_t>> ticks_at(const rapidjson::Value& object,
                                              std::string_view key) {
    auto found = TRY(find_member(object, key));
    if (found == nullptr || !found->IsUint64()) return std::optional<std::uint64_t>();
    return std::optional<std::uint64_t>(found->GetUint64());
}

constexpr std::size_t kStartTimeField = 22;

}  // namespace

Result<RunningContainer> parse_crun_status(std::string_view json) {
    auto document = TRY(parse_json_object(json));
    auto pid = TRY(pid_at(document, "pid"));
    auto bundle = TRY(string_or_empty(document, "bundle"));
    auto started = TRY(ticks_at(document, "process-start-time"));
    return RunningContainer{.pid = pid, .started = started, .bundle = std::move(bundle)};
}

Result<RunningContainer> parse_runc_state(std::string_view json) {
    constexpr std::string_view kBundle = "bundle=";
    auto document = TRY(parse_json_object(json));
    auto pid = TRY(pid_at(document, "init_process_pid"));
    auto started = TRY(ticks_at(document, "init_process_start"));
    RunningContainer state{.pid = pid, .started = started};
    auto config = TRY(find_object(document, "config"));
    if (config == nullptr) return state;
    auto labels = TRY(find_array(*config, "labels"));
    if (labels == nullptr) return state;
    for (const auto& label : labels->GetArray())
        if (label.IsString() && string_of(label).starts_with(kBundle))
            state.bundle = string_of(label).substr(kBundle.size());
    return state;
}

std::optional<std::uint64_t> start_time(std::string_view stat) {
    const std::size_t name_ends = stat.rfind(") ");
    if (name_ends == std::string_view::npos) return std::nullopt;
    std::string_view rest = stat.substr(name_ends + 2);  // from the third field on
    for (std::size_t field = 3; field < kStartTimeField; ++field) {
        const std::size_t blank = rest.find(' ');
        if (blank == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(blank + 1);
    }
    std::uint64_t ticks = 0;
    if (std::from_chars(rest.data(), rest.data() + rest.size(), ticks).ec != std::errc())
        return std::nullopt;
    return ticks;
}

std::optional<Monitored> monitored_by(std::string_view cmdline) {
    std::vector<std::string_view> words;
    while (!cmdline.empty()) {
        words.push_back(cmdline.substr(0, cmdline.find('\0')));
        cmdline.remove_prefix(std::min(words.back().size() + 1, cmdline.size()));
    }
    const auto value_of = [&](std::string_view option) {
        for (std::size_t i = 1; i + 1 < words.size(); ++i)
            if (words[i] == option) return words[i + 1];
        return std::string_view();
    };
    if (words.empty() || words.front().substr(words.front().rfind('/') + 1) != "conmon")
        return std::nullopt;
    const Monitored monitored{value_of("-c"), value_of("-n")};
    if (monitored.id.empty() || monitored.name.size() > kMaxName ||
        !is_container_id(monitored.name))
        return std::nullopt;
    return monitored;
}

Result<std::string> parse_docker_name(std::string_view json, std::string_view id) {
    const auto document = TRY(parse_json_object(json));
    const auto its = TRY(string_or_empty(document, "ID"));
    const auto name = TRY(string_or_empty(document, "Name"));  // "/web"
    if (its != id) return Error{EX_DATAERR, "another container's"};
    if (name.empty() || name.size() > kMaxName || !is_container_id(name.substr(1)))
        return Error{EX_DATAERR, "it has no name"};
    return name.substr(1);
}

}  // namespace jail_ai
