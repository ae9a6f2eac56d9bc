// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Where podman looks for hooks, and what it finds there.
#include "engines/hooks_dirs.h"

#include <doctest/doctest.h>

namespace jail_ai {
namespace {

using Dirs = std::vector<std::string>;

TEST_CASE("a hook's JSON") {
    const auto ours = parse_hook_json(
        R"({"version":"1.0.0","hook":{"path":"/x/jail-ai-hook","args":["a","b","c"]},"stages":["createRuntime"]})");
    REQUIRE(ours);
    CHECK(ours->path == "/x/jail-ai-hook");
    CHECK(ours->stages == Dirs{"createRuntime"});
    CHECK(ours->is_ours);
    CHECK(ours->verb == "b");
    CHECK(ours->flags == Dirs{"c"});
    const auto renamed = parse_hook_json(
        R"({"hook":{"path":"/x/wrapper","args":["jail-ai-hook","createRuntime"]}})");
    REQUIRE(renamed);
    CHECK(renamed->is_ours);
    CHECK(renamed->stages.empty());
    const auto other =
        parse_hook_json(R"({"hook":{"path":"/x/jail-ai-hook.old"},"stages":["prestart"]})");
    REQUIRE(other);
    CHECK_FALSE(other->is_ours);
}

TEST_CASE("a hook's JSON in the form before 1.0.0") {
    for (const char* text : {R"({"hook":"/x/other","stages":["prestart"],"cmds":["."]})",
                             R"({"version":"0.1.0","hook":"/x/other"})"}) {
        const auto json = parse_hook_json(text);
        REQUIRE(json);
        CHECK(json->path == "/x/other");
        CHECK_FALSE(json->is_ours);
        CHECK(called_for(json->when) == CalledFor::unknown);
    }
}

TEST_CASE("for whom a hook is called") {
    struct Row {
        const char* when;
        CalledFor called_for;
    };
    const Row rows[] = {
        {R"({"annotations": {"^jail-ai\\.": ".*"}})", CalledFor::all_that_ask},
        {R"json({"annotations": {"^[Jj][Aa][Ii][Ll][-_. ]?[Aa][Ii]([^A-Za-z]|[Bb][Ll][Oo][Cc][Kk]|$)": ".*"}})json",
         CalledFor::all_that_ask},
        {R"({"annotations": {"^jail-ai[.]": ""}})", CalledFor::all_that_ask},
        {R"({"annotations": {"": ""}})", CalledFor::all_that_ask},
        {R"({"always": true})", CalledFor::all},
        {R"({"always": true, "annotations": {"^jail-ai\\.": ".*"}})", CalledFor::all_that_ask},
        {R"({"annotations": {"^jail-ai\\.block-host$": "^true$"}})", CalledFor::known_words},
        {R"({"annotations": {"^jail-ai\\.block-host$": ".*"}})", CalledFor::known_words},
        {R"({"annotations": {"^jail-ai\\.": ".+"}})", CalledFor::known_words},
        {R"({"annotations": {"^jail-ai\\.": ".*"}, "commands": ["/bin/sh"]})", CalledFor::some},
        {R"({"annotations": {"^jail-ai\\.": ".*"}, "hasBindMounts": true})", CalledFor::some},
        {R"({"always": true, "hasBindMounts": false})", CalledFor::some},
        {R"({"commands": ["sh"]})", CalledFor::some},
        {R"({"annotations": {"^jail_ai\\.": ".*"}})", CalledFor::none},
        {R"({"annotations": {"^jail-ai\\.block-host$": "^yes$"}})", CalledFor::none},
        {R"({"annotations": {"^jail-ai\\.": ".*", "^other$": ".*"}})", CalledFor::none},
        {R"({"annotations": {"^jail-ai\\.": ".*"}, "always": false})", CalledFor::none},
        {R"({"always": true, "annotations": {"^other$": ".*"}})", CalledFor::none},
        {R"({})", CalledFor::none},
        {R"({"annotations": {"^jail-ai\\.(": ".*"}})", CalledFor::unknown},
    };
    for (const Row& row : rows) {
        CAPTURE(row.when);
        const auto json =
            parse_hook_json(std::string(R"({"hook":{"path":"/x"},"when":)") + row.when + "}");
        REQUIRE(json);
        CHECK(called_for(json->when) == row.called_for);
    }
    CHECK(called_for(
              {.always = {}, .annotations = {{std::string(5000, 'a'), ""}}, .limited = false}) ==
          CalledFor::unknown);
    CHECK(called_for(parse_hook_json(R"({"hook":{"path":"/x"}})")->when) == CalledFor::none);
}

TEST_CASE("a hook's expression takes no more memory and time than a text of its length may") {
    std::string nested = "z";
    for (int level = 0; level < 40; ++level) nested = "(" + nested + ")+";
    std::string repeated = "z";
    for (int level = 0; level < 6; ++level) repeated = "(" + repeated + "){99}";
    std::string anything;
    for (int level = 0; level < 100; ++level) anything += "(.*)*";
    for (const std::string& expression :
         {"^jail-z" + std::string(40, '+'), nested, repeated, anything + "$z"}) {
        CAPTURE(expression);
        const auto whom = called_for({.annotations = {{expression, ".*"}}});
        const bool is_told = whom == CalledFor::none || whom == CalledFor::unknown;
        CHECK(is_told);
    }
}

TEST_CASE("what is no hook's JSON") {
    for (const char* text :
         {"", "{", "[]", "{}", R"({"version":"1.0.0","hook":"/x"})",
          R"({"version":"2.0.0","hook":{"path":"/x"}})", R"({"hook":{}})", R"({"hook":{"path":1}})",
          R"({"hook":{"path":"/x"},"stages":"y"})", R"({"hook":{"path":"/x"},"when":[]})",
          R"({"hook":{"path":"/x"},"when":{"annotations":[]}})"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_hook_json(text));
    }
}

}  // namespace
}  // namespace jail_ai
