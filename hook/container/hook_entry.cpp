// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "container/hook_entry.h"

#include <algorithm>
#include <optional>

#include "container/json_part.h"
#include "container/json_writer.h"

namespace jail_ai {
namespace {

constexpr std::string_view kHooks = "hooks", kStage = "createRuntime";

std::string text_of(const HookEntry& hook) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer(buffer);
    writer.StartObject();
    put(writer, "path", hook.path);
    put_all(writer, "args", hook.arguments);
    put_all(writer, "env", std::vector<std::string_view>{"LC_ALL=C"});
    put(writer, "timeout", kHookTimeoutSeconds);
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

Result<bool> is_same(const JsonPart& entry, const HookEntry& hook) {
    if (!entry.value().IsObject())
        return Error{EX_DATAERR, "holds what is not an object: fix config.json"};
    const auto path = TRY(string_or_empty(entry.value(), "path"));
    const auto arguments = TRY(entry.array("args"));
    if (path != hook.path || !arguments) return false;
    return std::ranges::equal(arguments->elements(), hook.arguments,
                              [](const JsonPart& one, const std::string& other) {
                                  return one.value().IsString() && string_of(one.value()) == other;
                              });
}

}  // namespace

Result<std::string> add_create_runtime_hook(const Config& config, const HookEntry& hook) {
    const JsonPart whole(config.json(), config.text());
    JsonEdits edits(config.text());
    const auto hooks = TRY(whole.object(kHooks));
    std::optional<JsonPart> stage;
    if (hooks) stage = TRY(hooks->array(kStage).context(kHooks));
    std::vector<std::string> entries;
    if (stage) {
        for (const JsonPart& entry : stage->elements()) {
            if (TRY(is_same(entry, hook).context("hooks.createRuntime"))) return config.text();
            entries.emplace_back(entry.text());
        }
    }
    entries.push_back(text_of(hook));
    std::string list = json_array(entries);
    if (stage)
        edits.replace(*stage, std::move(list));
    else if (hooks)
        edits.set_member(*hooks, kStage, std::move(list));
    else
        edits.set_member(whole, kHooks, "{\"" + std::string(kStage) + "\":" + list + "}");
    return edits.apply();
}

}  // namespace jail_ai
