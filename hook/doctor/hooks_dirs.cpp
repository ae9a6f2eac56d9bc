// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See hooks_dirs.h.
#include "doctor/hooks_dirs.h"

#include <algorithm>

#include "container/json.h"

namespace jail_ai {
namespace {

constexpr std::string_view kOurName = "jail-ai-hook";

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char one) { return one == ' ' || one == '\t' || one == '\r'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// The strings up to the closing bracket.
std::vector<std::string> read_list(std::string_view text) {
    std::vector<std::string> list;
    for (std::size_t at = 0; at < text.size() && text[at] != ']';) {
        if (text[at] == '#') {
            at = std::min(text.find('\n', at), text.size());
        } else if (text[at] == '"' || text[at] == '\'') {
            const std::size_t end = std::min(text.find(text[at], at + 1), text.size());
            list.emplace_back(text.substr(at + 1, end - at - 1));
            at = std::min(end + 1, text.size());
        } else {
            ++at;
        }
    }
    return list;
}

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::optional<std::vector<std::string>> hooks_dirs_of(std::string_view containers_conf) {
    bool in_engine = false;
    std::optional<std::vector<std::string>> dirs;
    for (std::string_view rest = containers_conf; !rest.empty();) {
        const std::string_view line = trimmed(rest.substr(0, rest.find('\n')));
        if (line.starts_with('[')) {
            in_engine = line.starts_with("[engine]");
        } else if (in_engine && line.starts_with("hooks_dir") && trimmed(line.substr(9)).starts_with('=')) {
            const std::size_t open = rest.find('[');
            if (open != std::string_view::npos) dirs = read_list(rest.substr(open + 1));
        }
        rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    }
    return dirs;
}

Result<HookJson> parse_hook_json(std::string_view text) {
    auto document = parse_json_object(text);
    if (!document) return std::move(document).error();
    auto hook = find_object(*document, "hook");
    if (!hook) return std::move(hook).error();
    if (*hook == nullptr) return Error{EX_DATAERR, "there is no hook in it"};
    auto path = find_string(**hook, "path");
    if (!path) return std::move(path).error();
    if (*path == nullptr) return Error{EX_DATAERR, "the hook has no path"};
    HookJson json{std::string(string_of(**path)), {}, false};
    json.is_ours = last_part(json.path) == kOurName;
    auto arguments = find_array(**hook, "args");
    if (!arguments) return std::move(arguments).error();
    if (*arguments != nullptr && !(*arguments)->Empty() && (**arguments)[0].IsString())
        json.is_ours = json.is_ours || last_part(string_of((**arguments)[0])) == kOurName;
    auto stages = find_array(*document, "stages");
    if (!stages) return std::move(stages).error();
    if (*stages != nullptr)
        for (const rapidjson::Value& stage : (*stages)->GetArray())
            if (stage.IsString()) json.stages.emplace_back(string_of(stage));
    return json;
}

}  // namespace jail_ai
