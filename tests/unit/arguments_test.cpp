// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One parser for all verbs: what stands where, and one answer to each slip.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "commands/arguments.h"
#include "some_verbs.h"

using namespace jail_ai;
using namespace jail_ai::test;

namespace {

Result<Arguments> parse(const Verb& verb, std::vector<std::string> words) {
    return parse_arguments(verb, as_words(words));
}

}  // namespace

TEST_CASE("arguments: options stand anywhere, and a value may be a word of its own") {
    const auto fetch =
        parse(kFetch, {"web", "--json", "--key", "--a=b", "abc1", "--key=c=d", "--json"});
    REQUIRE(fetch);
    CHECK(fetch->has("--json"));
    CHECK_FALSE(fetch->has("--table"));
    CHECK(fetch->words == std::vector<std::string>{"web", "abc1"});
    std::vector<std::string> keys;
    for (const auto& [option, value] : fetch->options)
        if (option == "--key") keys.push_back(value);
    CHECK(keys == std::vector<std::string>{"--a=b", "c=d"});
    const auto put =
        parse(kPut, {"--allow", "host:1", "--pid=7", "--enforce", "--block-host=audit", "there"});
    REQUIRE(put);
    CHECK(*put->value("--pid") == "7");
    CHECK(put->flags ==
          std::vector<std::string>{"--allow=host:1", "--enforce", "--block-host=audit"});
    CHECK(put->defaults.enforced);
    CHECK(put->defaults.settings.mode == Mode::audit);
    CHECK(put->words == std::vector<std::string>{"there"});
}

TEST_CASE("arguments: each slip has one answer") {
    struct Case {
        const Verb& verb;
        std::vector<std::string> words;
        const char* message;
    };
    for (const Case& c :
         {Case{kFetch, {"--jsn"}, "unknown option '--jsn'"},
          Case{kFetch, {"-f"}, "unknown option '-f'"},
          Case{kFetch, {"--allow=host:1"}, "unknown option '--allow'"},
          Case{kFetch, {"--pid=1"}, "unknown option '--pid'"},
          Case{kPut, {"--pid=1", "--blok-host=true"}, "unknown option '--blok-host'"},
          Case{kFetch, {"--json=1"}, "'--json' takes no value"},
          Case{kFetch, {"--json="}, "'--json' takes no value"},
          Case{kPut, {"--pid=1", "--enforce=1"}, "'--enforce' takes no value"},
          Case{kFetch, {"--key"}, "'--key' needs a value"},
          Case{kFetch, {"--key="}, "'--key' needs a value"},
          Case{kPut, {"--pid=1", "--allow"}, "'--allow' needs a value"},
          Case{kPut, {"--pid=1", "--pid=1"}, "option '--pid' given twice"},
          Case{kFetch, {"--json", "--table"}, "fetch takes one of --json, --table"},
          Case{kPut, {}, "put takes one of --pid=PID, --cgroup=DIRECTORY"},
          Case{kPut, {"--pid=1", "--cgroup=/"}, "put takes one of --pid=PID, --cgroup=DIRECTORY"},
          Case{kFetch, {""}, "unexpected ''"},
          Case{kPut, {"--pid=1", "a", "b"}, "unexpected 'b': put takes one DESTINATION"}}) {
        const auto refused = parse(c.verb, c.words);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().exit_code == EX_USAGE);
        CHECK(refused.error().message == c.message);
    }
    CHECK(parse(kBecome, {"--block-host=true"}).error().message == "-- PROGRAM is missing");
    CHECK(parse(kBecome, {"--"}).error().message == "-- PROGRAM is missing");
    CHECK(parse(kBecome, {"program"}).error().message == "unexpected 'program'");
    CHECK(parse(kPut, {"--pid=1", "--", "x"}).error().message == "unknown option '--'");
    const Verb plain{.name = "plain", .run = nullptr};
    CHECK(parse(plain, {"x"}).error().message == "unexpected 'x'");
    constexpr Option kContainer[] = {{"--container", "ID", ""}};
    const Verb one_of{.name = "detach", .options = kContainer, .run = nullptr};
    CHECK(parse(one_of, {"agent"}).error().message ==
          "unexpected 'agent': a container is --container=ID");
    CHECK(parse(kPut, {"--pid=1", "--enforce"})
              .error()
              .message.starts_with("enforce needs block-host"));
    CHECK(parse(kPut, {"--pid=1", "--dns=on"}).error().exit_code == EX_USAGE);
}

TEST_CASE("arguments: what follows -- is the program's, whatever it looks like") {
    const auto become = parse(kBecome, {"--block-host=true", "--", "program", "--", "--allow", ""});
    REQUIRE(become);
    CHECK(become->program == std::vector<std::string>{"program", "--", "--allow", ""});
    CHECK(become->flags == std::vector<std::string>{"--block-host=true"});
    CHECK(become->words.empty());
}
