// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a runtime is asked to do, by the words of Docker, containerd, BuildKit, podman and CRI-O,
// and by such as none of them writes. A call that starts a container must be seen as that.
#include "engines/runtime_call.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "container/json.h"

using namespace jail_ai;

namespace {

using Words = std::vector<std::string>;

// "DIRECTORY CONFIG LOG[ json]", "goes on", or what is wrong with it.
std::string read_call(const Words& words) {
    const RuntimeCall call = parse_runtime_call(words);
    if (call.start.empty()) return "goes on";
    const auto place = find_bundle(call.start);
    if (!place) return place.error().message;
    return fmt::format("{} {} {}{}", place->directory, place->config,
                       call.log.path.empty() ? "-" : call.log.path,
                       call.log.is_json ? " json" : "");
}

}  // namespace

TEST_CASE("runtime call: as engines write it") {
    struct Case {
        Words words;
        const char* is;
    };
    for (const Case& c :
         {Case{{"--root", "/run/docker/runtime-runc/moby", "--log", "/run/b/log.json",
                "--log-format", "json", "--systemd-cgroup", "create", "--bundle", "/run/b",
                "--pid-file", "/run/b/init.pid", "--console-socket", "/tmp/s", "4a4a"},
               "/run/b config.json /run/b/log.json json"},
          Case{{"--log", "/r/runc-log.json", "--log-format", "json", "run", "--bundle", "/r/x",
                "--keep", "x"},
               "/r/x config.json /r/runc-log.json json"},
          Case{{"--root=/run/crun", "--log-format=json", "--log=/l", "--systemd-cgroup", "create",
                "-b", "/b", "--no-pivot", "id"},
               "/b config.json /l json"},
          Case{{"restore", "--bundle=/b", "--image-path", "--bundle", "--work-path", "/w", "id"},
               "/b config.json -"},
          Case{{"run", "id"}, ". config.json -"},
          Case{{"run", "--config", "other.json", "--bundle", "/b", "id"}, "/b other.json -"},
          Case{{"run", "-f", "/etc/other.json", "id"}, ". /etc/other.json -"}}) {
        CAPTURE(fmt::format("{}", fmt::join(c.words, " ")));
        CHECK(read_call(c.words) == c.is);
    }
}

TEST_CASE("runtime call: what starts no container goes on to the runtime") {
    for (const Words& words :
         {Words{}, Words{"--version"}, Words{"-v"}, Words{"state", "create"},
          Words{"--root", "create", "kill", "id", "9"}, Words{"--root=/r", "delete", "run"},
          Words{"--debug", "exec", "--process", "/p", "id"}, Words{"features"},
          Words{"start", "id"}, Words{"--log", "run", "state", "id"},
          Words{"--unknown=run", "state", "id"}, Words{"--unknown", "1", "kill", "id"},
          Words{"--log"}}) {
        CAPTURE(fmt::format("{}", fmt::join(words, " ")));
        CHECK(read_call(words) == "goes on");
    }
}

TEST_CASE("runtime call: no option hides a start") {
    for (const Words& before :
         {Words{}, Words{"--"}, Words{"--debug"}, Words{"-debug"}, Words{"--root", "create"},
          Words{"-root", "run"}, Words{"--unknown"}, Words{"--unknown", "value"},
          Words{"--unknown", "state"}, Words{"--unknown=state"}, Words{"-u"}, Words{"-u", "1"},
          Words{"--unknown", "--other", "value"}, Words{"--rootless=auto", "--debug"}})
        for (const char* command : {"create", "run", "restore"}) {
            Words words = before;
            words.insert(words.end(), {command, "--bundle", "/b", "id"});
            CAPTURE(fmt::format("{}", fmt::join(words, " ")));
            CHECK(read_call(words) == "/b config.json -");
        }
}

TEST_CASE("runtime call: the bundle in each spelling") {
    for (const Words& spelling :
         {Words{"-b", "/b"}, Words{"--bundle", "/b"}, Words{"--bundle=/b"}, Words{"--bun", "/b"},
          Words{"--b=/b"}, Words{"--bundle", "/b", "--bundle=/b"},
          Words{"--pid-file", "--bundle", "-b", "/b"}, Words{"--unknown", "--bundle", "/b"},
          Words{"--unknown", "1", "-b", "/b"}, Words{"--detach", "-b", "/b"}}) {
        Words words{"create"};
        words.insert(words.end(), spelling.begin(), spelling.end());
        for (const Words& after : {Words{"id"}, Words{}, Words{"--", "id", "--bundle", "/c"}}) {
            Words all = words;
            all.insert(all.end(), after.begin(), after.end());
            CAPTURE(fmt::format("{}", fmt::join(all, " ")));
            CHECK(read_call(all) == "/b config.json -");
        }
    }
    CHECK(read_call({"create", "id", "--bundle", "/b"}) == "/b config.json -");
}

TEST_CASE("runtime call: what runc and crun read differently is rejected") {
    CHECK(read_call({"create", "-b", "/b", "--bundle=/c", "id"}) ==
          "option '--bundle' given twice");
    CHECK(read_call({"create", "-f", "a", "--config=b", "id"}) == "option '--config' given twice");
    CHECK(read_call({"create", "id", "--bundle"}) == "'--bundle' needs a value");
    for (const char* word : {"-bundle", "-b=/b", "-b/b", "-db", "-no-pivot"})
        CHECK(read_call({"create", word, "/b", "id"})
                  .starts_with(fmt::format("'{}': runtimes differ", word)));
}

TEST_CASE("runtime call: a failure is logged as the runtime does") {
    const std::string time = "2026-01-02T03:04:05Z";
    const std::string json = log_line({"/l", true}, "it says \"no\"\n", time);
    const auto parsed = parse_json_object(json);
    REQUIRE(parsed);
    CHECK(*string_or_empty(*parsed, "level") == "error");
    CHECK(*string_or_empty(*parsed, "msg") == "it says \"no\"\n");
    CHECK(*string_or_empty(*parsed, "time") == time);
    CHECK(json.ends_with("}\n"));
    CHECK(log_line({"/l", false}, "it says \"no\"", time) ==
          "time=\"2026-01-02T03:04:05Z\" level=error msg=\"it says \\\"no\\\"\"\n");
    for (const auto& [value, path] :
         {std::pair{"file:/l", "/l"}, std::pair{"journald:x", ""}, std::pair{"syslog:x", ""}})
        CHECK(parse_runtime_call(Words{"--log", value, "run"}).log.path == path);
}
