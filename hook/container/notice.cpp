// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/notice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>
#include <vector>

#include "container/bundle.h"
#include "container/json.h"
#include "container/json_part.h"
#include "container/mountinfo.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMostListed = 16;

// As they were written.
std::string texts_of(const auto& elements) {
    std::vector<std::string_view> shown;
    for (const auto& element : elements) {
        if (shown.size() == kMostListed) break;
        shown.push_back(element.text);
    }
    return fmt::format("{}{}", fmt::join(shown, ", "),
                       elements.size() > shown.size()
                           ? fmt::format(" and {} more", elements.size() - shown.size())
                           : "");
}

std::string allowed_text(const Request& request) {
    const bool dns = request.dns == Dns::automatic;
    if (request.allow.empty())
        return dns ? "Nothing is allowed there but DNS." : "Nothing is allowed there.";
    return fmt::format("Allowed there: {}{}.", dns ? "DNS, " : "", texts_of(request.allow));
}

// By another name in most images, where it is a link.
constexpr std::string_view kOldRun = "/var/run";

bool is_around(const std::string& place) {
    return is_at_or_below(kNoticeFile, place) || place == kOldRun;
}

// Can the runtime make the file, and find nothing of another's where it does?
bool has_room(const Bundle& bundle, RootFiles root) {
    bool can_make = root == RootFiles::writable;
    for (const Mount& mount : bundle.mounts) {
        const std::string place = plain_path(mount.destination);
        if (place == kNoticeFile) return false;
        if (!is_around(place)) continue;
        if (mount.type != "tmpfs" || mount.is_read_only()) return false;
        can_make |= is_at_or_below(kNoticeFile, place);
    }
    return can_make;
}

// The process whose environment gets the variable; nothing if config.json has none, or if the
// variable is set.
Result<std::optional<JsonPart>> process_without_variable(const JsonPart& config) {
    auto process = TRY(config.object("process"));
    if (!process) return process;
    auto env = TRY(process->array("env").context("process"));
    if (!env) return process;
    const std::string start = fmt::format("{}=", kNoticeVariable);
    for (const JsonPart& each : env->elements())
        if (each.value().IsString() && string_of(each.value()).starts_with(start))
            return std::optional<JsonPart>();
    return process;
}

std::string bind_of(std::string_view file) {
    return fmt::format(
        R"({{"destination":{},"type":"bind","source":{},"options":["bind","ro","nosuid","nodev","noexec","rprivate"]}})",
        json_string(kNoticeFile), json_string(file));
}

// Adds an element to an array that may be missing.
Status add_to(const JsonPart& object, std::string_view key, const std::string& element,
              JsonEdits& edits) {
    auto array = TRY(object.array(key));
    if (array)
        edits.append(*array, element);
    else
        edits.set_member(object, key, json_array({element}));
    return ok();
}

}  // namespace

std::string notice_text(const Request& request, bool has_file) {
    std::string text = fmt::format(
        "This container cannot connect to the machine that it runs on: calls fail with {} ({}), "
        "and trying again does not help. {}",
        name_of(kDenialErrors, request.denial_error), ::strerror(errno_of(request.denial_error)),
        allowed_text(request));
    if (!request.also.empty()) text += fmt::format(" Also denied: {}.", texts_of(request.also));
    text += fmt::format(
        " To change that, ask the person who runs the container (annotation "
        "{}=ADDRESS:PORT).",
        kAllowPorts);
    if (has_file) text += fmt::format(" More: {}", kNoticeFile);
    return text;
}

Result<std::string> add_notice(const rapidjson::Document& config, std::string_view text,
                               const Request& request, std::string_view file, RootFiles root) {
    assert(request.mode == Mode::enforce);
    JsonEdits edits(text);
    const JsonPart whole(config, text);
    const auto bundle = TRY(parse_bundle(config));
    const bool has_file = !file.empty() && has_room(bundle, root);
    const auto process = TRY(process_without_variable(whole));
    if (process) {
        const std::string variable =
            fmt::format("{}={}", kNoticeVariable, notice_text(request, has_file));
        TRY(add_to(*process, "env", json_string(variable), edits));
    }
    if (has_file) TRY(add_to(whole, "mounts", bind_of(file), edits));
    return edits.apply();
}

}  // namespace jail_ai
