// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What runtimes and conmon say about a container.
#include "engines/runtime_state.h"
#include "container/container_id.h"

#include <doctest/doctest.h>

using namespace jail_ai;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("runtime state: crun's and runc's") {
    const auto crun = parse_crun_status(
        R"({"pid": 119, "process-start-time": 1, "cgroup-path": "/libpod_parent/x", "rootfs": "/r", "bundle": "/b", "systemd-cgroup": false})");
    REQUIRE(crun);
    CHECK(crun->pid == 119);
    CHECK(crun->bundle == "/b");
    CHECK(crun->started == 1);
    const auto runc = parse_runc_state(
        R"({"id": "x", "init_process_pid": 7, "config": {"rootfs": "/r", "labels": ["io=1", "bundle=/b"]}})");
    REQUIRE(runc);
    CHECK(runc->pid == 7);
    CHECK(runc->bundle == "/b");
    CHECK_FALSE(runc->started);
    CHECK(parse_runc_state(R"({"init_process_pid": 7, "init_process_start": 18446744073709551615})")
              ->started == 18446744073709551615U);
    CHECK_FALSE(parse_crun_status(R"({"pid": 7, "process-start-time": "now"})")->started);
    for (const char* wrong : {"", "{}", R"({"pid": "7", "init_process_pid": 0})",
                              R"({"pid": -1, "init_process_pid": 99999999})"}) {
        CHECK_FALSE(parse_crun_status(wrong));
        CHECK_FALSE(parse_runc_state(wrong));
    }
    CHECK(parse_runc_state(R"({"init_process_pid": 7})")->bundle.empty());
}

TEST_CASE("runtime state: when a process started") {
    constexpr std::string_view kAhead = "S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ";
    CHECK(start_time("7 (sh) " + std::string(kAhead) + "33814 2523136 209") == 33814);
    CHECK(start_time("7 (a) 1 (b) ) " + std::string(kAhead) + "33814 2523136 209") == 33814);
    for (const std::string wrong : {"", "7 (sh)", "7 (sh) S 1", "7 sh S 1 2 3 4 5"})
        CHECK_FALSE(start_time(wrong));
}

TEST_CASE("runtime state: what may be a container's ID") {
    for (const char* id : {"a", "0f3", "a_b+c-d.e", "...", ".hidden"}) CHECK(is_container_id(id));
    for (const char* none : {"", ".", "..", "a/b", "a b", "a\n", "ä"})
        CHECK_FALSE(is_container_id(none));
}

TEST_CASE("runtime state: what conmon says of its container") {
    constexpr std::string_view kConmon =
        "/usr/bin/conmon\0--api-version\0001\0-c\0abcd\0-u\0abcd\0-r\0/usr/bin/crun\0-b\0/b\0-n\0web\0"sv;
    const auto monitored = monitored_by(kConmon);
    REQUIRE(monitored);
    CHECK(monitored->id == "abcd");
    CHECK(monitored->name == "web");
    CHECK_FALSE(monitored_by("/usr/bin/other\0-c\0abcd\0-n\0web\0"sv));
    for (const std::string_view nothing :
         {""sv, "conmon"sv, "conmon\0-n\0web"sv, "conmon\0-c\0abcd"sv, "conmon\0-c\0abcd\0-n"sv,
          "conmon\0-c\0abcd\0-n\0\0"sv})
        CHECK_FALSE(monitored_by(nothing));
}

TEST_CASE("runtime state: a name that no engine gives is none") {
    const auto called = [](const std::string& name) {
        return monitored_by("conmon\0-c\0abcd\0-n\0"s + name + "\0"s);
    };
    CHECK(called("a.b-c_d1"));
    CHECK(called(std::string(kMaxName, 'a')));
    CHECK_FALSE(called(std::string(kMaxName + 1, 'a')));
    for (const char* odd : {"a b", "\x1b[2J", "a\nb", "a/b", "ä"}) CHECK_FALSE(called(odd));
}

TEST_CASE("runtime state: what Docker calls a container") {
    const auto name = parse_docker_name(R"({"ID":"abcd","Name":"/web-1","State":{}})", "abcd");
    REQUIRE(name);
    CHECK(*name == "web-1");
    for (const char* nothing :
         {"", "[]", "{}", R"({"ID":"abcd"})", R"({"ID":"abcd","Name":"/"})",
          R"({"ID":"abce","Name":"/web"})", R"({"ID":"abcd","Name":"/a b"})",
          R"({"ID":"abcd","Name":7})", R"({"ID":"abcd","Name":"/\u001b[2J"})"})
        CHECK_FALSE(parse_docker_name(nothing, "abcd"));
}
