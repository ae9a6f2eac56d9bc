// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which containers ask something of the hook, of all those that engines call it for.
#include "container/asking.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "container/json.h"
#include "container/request.h"
#include "engines/hooks_dirs.h"
#include "request_of.h"
#include "verify/facts.h"

using namespace jail_ai;

namespace {

std::string message_of(const Annotations& annotations) {
    const auto settings = parse_annotations(annotations);
    return settings ? "no error" : settings.error().message;
}

bool asks(const std::string& text) {
    const auto document = parse_json_object(text);
    REQUIRE(document);
    return asks_something(*document);
}

// All of those that have to be of one opinion.
bool is_asked_by(const std::string& key) {
    const std::string text = R"({"annotations":{"a":"b",")" + key + R"(":"true"}})";
    const bool is_asked = is_meant_for_hook(key);
    CHECK(asks(text) == is_asked);
    CHECK(asks_something(Annotations{{key, "true"}}) == is_asked);
    if (is_asked) CHECK(may_ask(text));
    return is_asked;
}

}  // namespace

TEST_CASE("asking: a near miss of a key asks, and is rejected with the right one") {
    struct Row {
        const char* key;
        const char* right;  // nothing if no key is near
    };
    const Row near[] = {
        {"Jail-AI.block-host", "jail-ai.block-host"},
        {"JAIL-AI.BLOCK-HOST", "jail-ai.block-host"},
        {"jail-ai.Block-Host", "jail-ai.block-host"},
        {"jailai.block-host", "jail-ai.block-host"},
        {"jail_ai.block_host", "jail-ai.block-host"},
        {"jail-ai-block-host", "jail-ai.block-host"},
        {"jail.ai.block.host", "jail-ai.block-host"},
        {"jail-ai/block-host", "jail-ai.block-host"},
        {"jailaiblockhost", "jail-ai.block-host"},
        {"jail-ai.blockhost", "jail-ai.block-host"},
        {"Jail-AI.block-host.allow", "jail-ai.block-host.allow"},
        {"jail-ai.block-host-accept", "jail-ai.block-host.accept"},
        {"jail-ai.block-host.onfailure", "jail-ai.block-host.on-failure"},
        {"jail-ai.block-host/container1", "jail-ai.block-host"},
        {"jail-ai.block-host.allow/web", "jail-ai.block-host.allow"},
        {"jail-ai/host", nullptr},
        {"Jail-AI.block", nullptr},
        {"jail-ai-host", nullptr},
        {"jail-ai.", nullptr},
    };
    const char* const others[] = {"jail-ail.block-host",
                                  "x-jail-ai.block-host",
                                  "jailer.block-host",
                                  "jail",
                                  "jail-a.i",
                                  "ai.jail",
                                  "jails-ai.block-host",
                                  "jail-aid",
                                  "block-host",
                                  ""};
    for (const Row& row : near) {
        const char* key = row.key;
        const char* right = row.right;
        CAPTURE(key);
        CHECK(is_asked_by(key));
        const std::string message = message_of({{"jail-ai.block-host", "true"}, {key, "true"}});
        const std::string unknown = std::string("unknown annotation '") + key + "'";
        if (right != nullptr) CHECK(message == unknown + ": write " + right);
        CHECK(message.starts_with(unknown));
    }
    for (const char* key : {"jail-ai", "Jail_AI", "jail-ai.block-host", "jail-ai.block-host.dns"}) {
        CAPTURE(key);
        CHECK(is_asked_by(key));
    }
    for (const char* key : others) {
        CAPTURE(key);
        CHECK_FALSE(is_asked_by(key));
        CHECK(message_of({{key, "true"}}) == "no error");
    }
    CHECK(requested_mode({{"Jail-AI.block-host", "true"}}, {}) == RequestedMode::unclear);
    CHECK(request_of({{"jail-ai", "true"}})
              .error()
              .message.find("no annotation jail-ai.block-host: set it") == 0);
}

TEST_CASE("asking: what any reader sees counts") {
    for (const char* text : {
             R"({"annotations":{"a":"b"},"annotations":{"jail-ai.x":"y"}})",
             R"({"annotations":{"jail-ai.x":"y"},"annotations":{"a":"b"}})",
             R"({"Annotations":{"jail-ai.x":"y"}})",
             R"({"annotation\u017f":{"jail-ai.x":"y"}})",
             R"({"annotations\u0000b":{"jail-ai.x":"y"}})",
             R"({"annotations":{"jail-ai\u0000b":"y"}})",
             R"({"annotations":{"jail-ai.x":1}})",
             R"({"annotations":{"jail-ai.x":"y","jail-ai.x":"z"}})",
             R"({"annotations":{"\u006aail-ai.x":"y"}})",
             R"({"annotations":{"\u004A\u0041\u0049\u004C-ai.x":"y"}})",
             R"({"annotations":{"j\u0061il-ai.x":"y"}})",
             R"({"annotations":{"ja\u0069\u006C-ai.x":"y"}})",
         }) {
        CAPTURE(text);
        CHECK(may_ask(text));
        CHECK(asks(text));
    }
}

TEST_CASE("asking: nothing else is") {
    for (const char* text : {
             R"({})",
             R"({"annotations":null})",
             R"({"annotations":["jail-ai.x"]})",
             R"({"annotations":{"a":"jail-ai.x"}})",
             R"({"annotations":{"a":{"jail-ai.x":"y"}}})",
             R"({"process":{"annotations":{"jail-ai.x":"y"}}})",
             R"({"hostname":"jail-ai.x","hostname":"jail-ai.x"})",
         }) {
        CAPTURE(text);
        CHECK_FALSE(asks(text));
    }
    for (const char* text : {"", "not JSON", "{\"annotations\":{\"a\":\"b\",\"a\":\"c\"}}",
                             R"({"process":{"args":["sh","-c","a \u0026\u0026 b \u003e c"]}})"}) {
        CAPTURE(text);
        CHECK_FALSE(may_ask(text));
    }
}

TEST_CASE(
    "asking: engines call the hook for every container, and it leaves those that ask nothing") {
    for (const char* name : {"jail-ai-hook.json", "jail-ai-hook-precreate.json"}) {
        std::ifstream file(std::string(HOOKS_D) + "/" + name);
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        const auto json = parse_hook_json(text);
        REQUIRE(json);
        CHECK(called_for(json->when) == CalledFor::all);
        REQUIRE(!json->flags.empty());
        CHECK(json->flags.front() == "--if-asked");
    }
}
