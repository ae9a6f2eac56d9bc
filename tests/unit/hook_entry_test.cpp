// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Where a hook is added to a config.json, and that nothing else changes.
#include "container/hook_entry.h"

#include <doctest/doctest.h>

#include "data_file.h"

using namespace jail_ai;

namespace {

const HookEntry kHook{"/bin/hook", {"hook", "createRuntime", "--a=\"b\""}};
constexpr std::string_view kText =
    R"({"path":"/bin/hook","args":["hook","createRuntime","--a=\"b\""],"env":["LC_ALL=C"],"timeout":10})";

std::string added(std::string text, const HookEntry& hook = kHook) {
    const auto config = Config::parse(std::move(text));
    REQUIRE_MESSAGE(config, config.error().message);
    const auto changed = add_create_runtime_hook(*config, hook);
    return changed ? *changed : changed.error().message;
}

std::string in_place(std::string_view before, std::string_view after) {
    return std::string(before) + std::string(kText) + std::string(after);
}

}  // namespace

TEST_CASE("hook entry: it is the last of the stage, and every other byte stays") {
    CHECK(added(R"({"a" : 1e300})") ==
          in_place(R"({"a" : 1e300,"hooks":{"createRuntime":[)", "]}}"));
    CHECK(added("{}") == in_place(R"({"hooks":{"createRuntime":[)", "]}}"));
    CHECK(added(R"({"hooks":null, "b":[] })") ==
          in_place(R"({"hooks":{"createRuntime":[)", R"(]}, "b":[] })"));
    CHECK(added(R"({"hooks":{}})") == in_place(R"({"hooks":{"createRuntime":[)", "]}}"));
    CHECK(added(R"({"hooks":{"prestart":[{"path":"/p"}],"createRuntime":null}})") ==
          in_place(R"({"hooks":{"prestart":[{"path":"/p"}],"createRuntime":[)", "]}}"));
    CHECK(added(R"({"hooks":{"createRuntime":[]}})") ==
          in_place(R"({"hooks":{"createRuntime":[)", "]}}"));
    CHECK(added(R"({"hooks":{"createRuntime":[{"path":"/o", "args":null}]}})") ==
          in_place(R"({"hooks":{"createRuntime":[{"path":"/o", "args":null},)", "]}}"));
}

TEST_CASE("hook entry: it is there once") {
    for (const std::string_view config :
         {R"({})", R"({"hooks":{"createRuntime":[{"path":"/o"}]}})"}) {
        const std::string once = added(std::string(config));
        CHECK(added(once) == once);
        CHECK(added(once, {"/bin/hook", {"hook", "createRuntime"}}) != once);
        CHECK(added(once, {"/bin/other", kHook.arguments}) != once);
    }
    const std::string engine = data_file("config/podman-4.3-default.json");
    const std::string once = added(engine);
    CHECK(once.size() > engine.size());
    CHECK(added(once) == once);
}

TEST_CASE("hook entry: what is no list of hooks is an error") {
    CHECK(added(R"({"hooks":[]})") == "'hooks' is an array, not an object");
    CHECK(added(R"({"hooks":{"createRuntime":{}}})") ==
          "hooks: 'createRuntime' is an object, not an array");
    CHECK(added(R"({"hooks":{"createRuntime":["/o"]}})") ==
          "hooks.createRuntime: holds what is not an object: fix config.json");
    CHECK(
        added(R"({"hooks":{"createRuntime":[{"path":1}]}})").starts_with("hooks.createRuntime: "));
    CHECK(added(R"({"Hooks":{}})") != added("{}"));
}
