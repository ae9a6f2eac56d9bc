// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Container states that say nothing the hook could act on. Whatever stands on standard input, the
// hook either jails what it was asked to jail or refuses in one line.
#include <doctest/doctest.h>
#include <sysexits.h>

#include <functional>

#include "expect.h"

namespace jail_ai::test {
namespace {

struct BadState {
    const char* name;
    std::function<std::string(State)> write;
    const char* part;
};

std::string without(State state, const std::string& key) {
    std::string json = state.json();
    const std::size_t at = json.find("\"" + key + "\":");
    json.replace(at, key.size() + 2, "\"x-" + key + "\"");
    return json;
}

std::string with_annotations(State state, const char* annotations) {
    state.annotations = annotations;
    return state.json();
}

std::string with_pid(State state, const char* pid) {
    state.pid = pid;
    return state.json();
}

const BadState kBadStates[] = {
    {"nothing", [](const State&) { return std::string(); }, "empty, not a JSON object"},
    {"blanks", [](const State&) { return std::string(" \n\n"); }, "empty, not a JSON object"},
    {"no JSON", [](const State&) { return std::string("jail me"); }, "not JSON"},
    {"an array", [](const State& state) { return "[" + state.json() + "]"; },
     "an array, not an object"},
    {"null", [](const State&) { return std::string("null"); }, "null, not an object"},
    {"cut short",
     [](const State& state) { return state.json().substr(0, state.json().size() - 1); },
     "not JSON"},
    {"something behind it", [](const State& state) { return state.json() + "{}"; }, "not JSON"},
    {"a NUL behind it",
     [](const State& state) { return state.json() + std::string(1, '\0') + "x"; }, "not JSON"},
    {"bytes that are no UTF-8",
     [](State state) {
         state.id = "\xff\xfe";
         return state.json();
     },
     "not JSON"},
    {"65 levels deep",
     [](State state) {
         return with_annotations(state, (std::string(65, '[') + std::string(65, ']')).c_str());
     },
     "nested deeper"},
    {"a million levels deep", [](const State&) { return std::string(1'000'000, '['); },
     "nested deeper"},
    {"larger than any state", [](State state) { return state.json() + std::string(5u << 20, ' '); },
     "read the state of the container"},

    {"no id", [](State state) { return without(state, "id"); }, "'id' is missing"},
    {"an empty id",
     [](State state) {
         state.id = "";
         return state.json();
     },
     "'id' is empty"},
    {"no pid", [](State state) { return without(state, "pid"); }, "'pid' is missing"},
    {"a pid in quotes",
     [](State state) { return with_pid(state, ("\"" + state.pid + "\"").c_str()); },
     "'pid' is a string, not a number"},
    {"pid null", [](State state) { return with_pid(state, "null"); },
     "'pid' is null, not a number"},
    {"pid 0", [](State state) { return with_pid(state, "0"); }, "'pid' is not a whole number"},
    {"a negative pid", [](State state) { return with_pid(state, "-1"); },
     "'pid' is not a whole number"},
    {"a broken pid", [](State state) { return with_pid(state, (state.pid + ".5").c_str()); },
     "'pid' is not a whole number"},
    {"a pid larger than any", [](State state) { return with_pid(state, "4194305"); },
     "'pid' is not a whole number"},
    {"a pid that wraps around to the right one",
     [](State state) {
         return with_pid(state, std::to_string(4294967296 + std::stol(state.pid)).c_str());
     },
     "'pid' is not a whole number"},
    {"two pids", [](State state) { return with_pid(state, (state.pid + R"(,"pid":1)").c_str()); },
     "duplicate key 'pid'"},
    {"no bundle", [](State state) { return without(state, "bundle"); }, "'bundle' is missing"},
    {"a relative bundle",
     [](State state) {
         state.bundle = ".";
         return state.json();
     },
     "not an absolute path"},
    {"a bundle with a NUL in it",
     [](State state) {
         state.bundle += "\\u0000/x";
         return state.json();
     },
     "not an absolute path"},
    {"no annotations", [](State state) { return without(state, "annotations"); },
     "no annotation jail-ai.block-host"},
    {"null for annotations", [](State state) { return with_annotations(state, "null"); },
     "no annotation jail-ai.block-host"},
    {"annotations in an array", [](State state) { return with_annotations(state, "[]"); },
     "'annotations' is an array"},
    {"none of ours", [](State state) { return with_annotations(state, R"({"a":"b"})"); },
     "no annotation jail-ai.block-host"},
    {"True",
     [](State state) { return with_annotations(state, R"({"jail-ai.block-host":"True"})"); },
     "'True': expected one of"},
    {"true and a blank",
     [](State state) { return with_annotations(state, R"({"jail-ai.block-host":"true "})"); },
     "'true ': expected one of"},
    {"an empty value",
     [](State state) { return with_annotations(state, R"({"jail-ai.block-host":""})"); },
     "'': expected one of"},
    {"a boolean",
     [](State state) { return with_annotations(state, R"({"jail-ai.block-host":true})"); },
     "is a boolean, not a string"},
    {"both true and false",
     [](State state) {
         return with_annotations(state,
                                 R"({"jail-ai.block-host":"true","jail-ai.block-host":"false"})");
     },
     "duplicate annotation"},
    {"a key of ours that we don't know",
     [](State state) {
         return with_annotations(state,
                                 R"({"jail-ai.block-host":"true","jail-ai.block-hosts":"true"})");
     },
     "unknown annotation 'jail-ai.block-hosts'"},
    {"our prefix alone",
     [](State state) {
         return with_annotations(state, R"({"jail-ai.block-host":"true","jail-ai.":"x"})");
     },
     "unknown annotation 'jail-ai.'"},
    {"a value that would make a second line",
     [](State state) {
         return with_annotations(
             state, R"({"jail-ai.block-host":"true\nJan  1 00:00:00 root: all is well"})");
     },
     "expected one of"},
    {"an id that would make a second line",
     [](State state) {
         state.id = R"(x\n<0>kernel: all is well\u001b[2J)";
         return with_annotations(state, "{}");
     },
     "no annotation jail-ai.block-host"},
};

TEST_CASE("a state that the hook rejects") {
    for (const BadState& bad : kBadStates) {
        SUBCASE(bad.name) {
            guarded([&] {
                Container container;
                HookCall call = container.call();
                call.state = bad.write(container.state);
                const HookOutcome outcome = Laboratory::get().hook.run(call);
                expect_refused(outcome, EX_DATAERR, bad.part, container.cgroup);
                CHECK(outcome.err.find('\033') == std::string::npos);
                expect_jailed(container.run_hook(), container.cgroup);
            });
        }
    }
}

TEST_CASE("a state as large as podman makes them is taken") {
    Container container;
    State state = container.state;
    state.annotations = R"({"a":")" + std::string(200'000, 'x') +
                        R"(","jail-ai.block-host":"true","":"","z":"\u0000"})";
    HookCall call = container.call();
    call.state = state.json();
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
}

TEST_CASE("keys and a status that the hook doesn't know are taken") {
    Container container;
    HookCall call = container.call();
    std::string json = container.state.json();
    const std::string created = "\"created\"";
    json.replace(json.find(created), created.size(),
                 R"("creating","new":{"in":["2030",null,1e9]})");
    call.state = json;
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
