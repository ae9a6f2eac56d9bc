// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/state.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "container/json.h"

namespace jail_ai {
namespace {

Result<const rapidjson::Value*> required(Result<const rapidjson::Value*> member,
                                         std::string_view key) {
    if (member && *member == nullptr)
        return Error{EX_DATAERR, fmt::format("key {} is missing", quote(key))};
    return member;
}

Result<pid_t> parse_pid(const rapidjson::Value& state) {
    auto pid = TRY(required(find_member(state, "pid"), "pid"));
    const rapidjson::Value& value = *pid;
    if (!value.IsNumber())
        return Error{EX_DATAERR, fmt::format("'pid' is {}, not a number", kind_of(value))};
    if (!value.IsInt64() || value.GetInt64() < 1 || value.GetInt64() > kMaxPid)
        return Error{EX_DATAERR, fmt::format("'pid' is not a whole number from 1 to {}", kMaxPid)};
    return static_cast<pid_t>(value.GetInt64());
}

}  // namespace

Result<Annotations> read_annotations(const rapidjson::Value& object) {
    auto found = TRY(find_object(object, "annotations"));
    Annotations annotations;
    if (found == nullptr) return annotations;
    for (const auto& member : found->GetObject()) {
        const std::string_view key = string_of(member.name);
        if (!member.value.IsString())
            return Error{EX_DATAERR, fmt::format("annotation {} is {}, not a string", quote(key),
                                                 kind_of(member.value))};
        if (!annotations.emplace(key, string_of(member.value)).second)
            return Error{EX_DATAERR, fmt::format("duplicate annotation {}", quote(key))};
    }
    return annotations;
}

Result<ContainerState> parse_state(std::string_view json) {
    const auto document = TRY(parse_json_object(json));
    return parse_state(document);
}

Result<ContainerState> parse_state(const rapidjson::Value& object) {
    auto id = TRY(required(find_string(object, "id"), "id"));
    if (id->GetStringLength() == 0) return Error{EX_DATAERR, "'id' is empty"};
    auto pid = TRY(parse_pid(object));
    auto bundle = TRY(required(find_string(object, "bundle"), "bundle"));
    const std::string_view path = string_of(*bundle);
    if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos)
        return Error{EX_DATAERR, fmt::format("'bundle' is {}, not an absolute path", quote(path))};
    auto annotations = TRY(read_annotations(object));
    return ContainerState{std::string(string_of(*id)), pid, std::string(path),
                          std::move(annotations)};
}

}  // namespace jail_ai
