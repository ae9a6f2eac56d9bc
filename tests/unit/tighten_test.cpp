// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Where a proposed config.json is changed and how it looks then. What the changed seccomp profile
// does is in tighten_profile_test.cpp.
#include "seccomp/tighten.h"

#include <doctest/doctest.h>

#include "container/json.h"
#include "container/json_part.h"
#include "data_file.h"

using namespace jail_ai;

namespace {

Result<Tightened> tightened(std::string_view text, const std::set<Risk>& accepted = {}) {
    const auto config = parse_json_object(text);
    REQUIRE_MESSAGE(config, config.error().message);
    return tighten(*config, text, accepted);
}

// With the families accepted, for what is to be said of the rest.
std::string without_net_raw(std::string_view text) {
    const auto tight = tightened(text, {Risk::vsock});
    REQUIRE_MESSAGE(tight, tight.error().message);
    return tight->config;
}

std::string without_families(std::string_view text) {
    const auto tight = tightened(text, {Risk::cap_net_raw});
    REQUIRE_MESSAGE(tight, tight.error().message);
    return tight->config;
}

// The part between `before` and `after`, and the rest with "…" in its place.
std::pair<std::string, std::string> cut(std::string text, std::string_view before,
                                        std::string_view after) {
    const std::size_t begin = text.find(before);
    REQUIRE(begin != std::string::npos);
    const std::size_t from = begin + before.size();
    const std::size_t to = text.rfind(after);
    REQUIRE(to != std::string::npos);
    REQUIRE(to >= from);
    std::string part = text.substr(from, to - from);
    return {part, text.replace(from, to - from, "…")};
}

}  // namespace

TEST_CASE(
    "tighten: CAP_NET_RAW goes out of all five sets, however it is written, and nothing else "
    "does") {
    CHECK(
        without_net_raw(
            R"({"process":{"capabilities":{"bounding":["CAP_CHOWN", "CAP_NET_RAW" ,"CAP_KILL"],"effective":["CAP_NET_RAW"],
        "inheritable":["cap_net_raw","CAP_NET_RAW"],"permitted":["\u0043AP_NET_RAW","CAP_NET_ADMIN"],"ambient":[],"other":["CAP_NET_RAW"]}}})") ==
        R"({"process":{"capabilities":{"bounding":["CAP_CHOWN","CAP_KILL"],"effective":[],
        "inheritable":[],"permitted":["CAP_NET_ADMIN"],"ambient":[],"other":["CAP_NET_RAW"]}}})");
}

TEST_CASE("tighten: what has no CAP_NET_RAW comes back as it was, byte for byte") {
    for (
        const char* text :
        {"{}", " { } \n", R"({"process":null})", R"({"process":{"capabilities":null}})",
         R"({"process":{"args":["CAP_NET_RAW"]}})",
         R"({"process":{"capabilities":{"bounding":null,"effective":["CAP_CHOWN" , "CAP_KILL"]}}})",
         "{\"a\": 1e300, \"b\": -0.0, \"c\": 18446744073709551616, \"d\": 1.0E+2, "
         "\"e\":\t\"\\u0000\\/\\ud83d\\ude00é\", \"\": [ ] }\n",
         "\xef\xbb\xbf{}"}) {
        INFO(text);
        CHECK(without_net_raw(text) == text);
    }
}

TEST_CASE("tighten: what is accepted by name stays, and is reported") {
    const std::string text = data_file("config/podman-4.3-default.json");
    const auto all = tightened(text, {Risk::cap_net_raw, Risk::vsock});
    REQUIRE(all);
    CHECK(all->config == text);
    CHECK(all->taken.empty());
    CHECK(all->left_open ==
          std::vector<std::string>{"CAP_NET_RAW, as accepted by cap_net_raw",
                                   "vsock and every other socket family, as accepted by vsock"});

    const auto families = tightened(text, {Risk::vsock});
    REQUIRE(families);
    CHECK(families->taken == std::vector<std::string>{"CAP_NET_RAW"});
    CHECK(families->config.find("CAP_NET_RAW") == std::string::npos);
    CHECK(cut(families->config, R"("seccomp":)", "}}").first ==
          cut(text, R"("seccomp":)", "}}").first);

    const auto raw = tightened(text, {Risk::cap_net_raw});
    REQUIRE(raw);
    CHECK(raw->taken == std::vector<std::string>{
                            "sockets of other families than unix, inet, inet6, netlink and alg"});
    CHECK(cut(raw->config, R"("seccomp":)", "}}").second ==
          cut(text, R"("seccomp":)", "}}").second);

    const auto ia32 = tightened(text, {Risk::ia32});
    REQUIRE(ia32);
    CHECK(ia32->config.find("SCMP_ARCH_X86\"") != std::string::npos);
    CHECK(ia32->left_open ==
          std::vector<std::string>{"vsock, by 32-bit system calls, as accepted by ia32"});

    const auto other = tightened(text, {Risk::cap_bpf, Risk::host_pid});
    REQUIRE(other);
    CHECK(other->taken.size() == 2);
    CHECK(other->config.find("SCMP_ARCH_X86\"") == std::string::npos);
    CHECK(other->left_open.empty());
}

TEST_CASE("tighten: a new profile goes where there is none, and the rest stays where it was") {
    struct Case {
        const char* before;
        const char* after;  // with "…" for the profile
    };
    for (const Case& c :
         {Case{R"({})", R"({"linux":{"seccomp":…}})"},
          Case{R"( {"a" : 1 } )", R"( {"a" : 1 ,"linux":{"seccomp":…}} )"},
          Case{R"({"linux":{}})", R"({"linux":{"seccomp":…}})"},
          Case{R"({"linux":{"b":[{}] }})", R"({"linux":{"b":[{}] ,"seccomp":…}})"},
          Case{R"({"linux": null,"z":{}})", R"({"linux": {"seccomp":…},"z":{}})"},
          Case{R"({"linux":{"seccomp": null , "z":"}"}})", R"({"linux":{"seccomp": … , "z":"}"}})"},
          Case{R"({"a":"\"linux\":{}\\","linux":{"x":"}"}})",
               R"({"a":"\"linux\":{}\\","linux":{"x":"}","seccomp":…}})"}}) {
        INFO(c.before);
        std::string after = without_families(c.before);
        const std::size_t begin = after.find(R"({"defaultAction":)");
        REQUIRE(begin != std::string::npos);
        const std::size_t end = after.find("]}]}", begin) + 4;
        after.replace(begin, end - begin, "…");
        CHECK(after == c.after);
    }
}

TEST_CASE(
    "tighten: in a profile, rules that are about other system calls stay as they were written, in "
    "their order") {
    const std::string after = without_families(
        R"({"linux":{"seccomp":{ "defaultAction":"SCMP_ACT_ERRNO", "unknown": [1e300],
        "architectures":["SCMP_ARCH_X86_64", "SCMP_ARCH_X86","SCMP_ARCH_X32"],
        "syscalls":[ {"names":["read", "socket","write"],"action":"SCMP_ACT_ALLOW","comment":"x"},{"names":["socketcall"],"action":"SCMP_ACT_ALLOW"},
          {"action": "SCMP_ACT_ALLOW" , "names":[ "futex" ], "args":[]},{"names":["io_uring_setup", "io_uring_enter"],"action":"SCMP_ACT_LOG"}]}}})");
    CHECK(after.starts_with(
        R"({"linux":{"seccomp":{ "defaultAction":"SCMP_ACT_ERRNO", "unknown": [1e300],
        "architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW","comment":"x"},{"action": "SCMP_ACT_ALLOW" , "names":[ "futex" ], "args":[]},)"
        R"({"names":["io_uring_enter"],"action":"SCMP_ACT_LOG"},{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":97,)"
        R"("args":[{"index":0,"value":0,"op":"SCMP_CMP_EQ"}]},{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[)"));
    CHECK(after.ends_with(R"("args":[{"index":0,"value":45,"op":"SCMP_CMP_GT"}]}]}}})"));
}

TEST_CASE("tighten: twice is once") {
    for (const char* file :
         {"podman-4.3-default", "podman-4.3-no-audit-write", "podman-4.3-unconfined",
          "podman-4.3-privileged", "podman-5.4-default"}) {
        INFO(file);
        const auto once = tightened(data_file(std::string("config/") + file + ".json"));
        REQUIRE(once);
        CHECK(once->taken.size() >= 1);
        const auto twice = tightened(once->config);
        REQUIRE(twice);
        CHECK(twice->config == once->config);
        CHECK(twice->taken.empty());
    }
}

TEST_CASE("tighten: what has the wrong type is named") {
    struct Case {
        const char* json;
        const char* message;
    };
    for (const Case& c :
         {Case{R"({"process":[]})", "'process' is an array, not an object"},
          Case{R"({"process":{"capabilities":[]}})",
               "process: 'capabilities' is an array, not an object"},
          Case{R"({"process":{"capabilities":{"ambient":"CAP_NET_RAW"}}})",
               "process.capabilities: 'ambient' is a string, not an array"},
          Case{R"({"process":{"capabilities":{"ambient":["CAP_KILL",13]}}})",
               "process.capabilities.ambient: it holds a number, not a string"},
          Case{R"({"linux":"x"})", "'linux' is a string, not an object"},
          Case{R"({"linux":{"seccomp":7}})", "linux: 'seccomp' is a number, not an object"},
          Case{R"({"linux":{"seccomp":{}}})", "linux.seccomp: 'defaultAction' is missing"},
          Case{R"({"linux":{"seccomp":{"defaultAction":"ALLOW"}}})", "'ALLOW' is not an action"},
          Case{R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":{}}}})",
               "'architectures' is an object"},
          Case{R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":[1]}}})",
               "'architectures' holds a number"},
          Case{R"({"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":["socket"]}}})",
               "syscalls[0]: a string, not an object"}}) {
        INFO(c.json);
        const auto tight = tightened(c.json);
        REQUIRE_FALSE(tight);
        CHECK(tight.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(tight.error().message.find(c.message) != std::string::npos,
                      tight.error().message);
    }
}

TEST_CASE("tighten: a key that stands anywhere twice is found") {
    for (const char* json : {R"({"a":1,"b":{"c":[{"d":1,"e":2,"d":3}]}})", R"({"a":1,"\u0061":2})",
                             R"({"x":{"linux":{},"linux":{}}})"}) {
        INFO(json);
        const auto config = parse_json_object(json);
        REQUIRE(config);
        const auto unique = check_unambiguous(*config);
        REQUIRE_FALSE(unique);
        CHECK(unique.error().exit_code == EX_DATAERR);
        CHECK(unique.error().message.find("duplicate key") != std::string::npos);
    }
    const auto config = parse_json_object(R"({"a":{"a":[{"a":1},{"a":2}]},"A":0})");
    REQUIRE(config);
    CHECK(check_unambiguous(*config));
}
