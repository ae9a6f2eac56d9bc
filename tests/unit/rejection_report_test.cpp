// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What "why" reads out of logs in which other programs write, too.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "commands/rejection_report.h"

using namespace jail_ai;

TEST_CASE("rejections: lines of syslog's file, by rsyslog's two forms") {
    const auto found = rejections(lines_of_syslog(
        "2026-11-29T14:05:01.123456+00:00 host jail-ai-hook[12]: rejected: container a4ca59db61fb "
        "(agent): it has CAP_SYS_ADMIN: drop it\n"
        "Nov 29 14:05:02 host jail-ai-hook[13]: rejected: state of the container: not JSON\n"
        "Nov 29 14:05:03 host jail-ai-hook[14]: container b4ca59db61fb: STARTS UNPROTECTED, as "
        "on-failure=run asks: no answer\n"
        "Nov 29 14:05:04 host jail-ai-hook[15]: container c4ca59db61fb: jailed: denies 37 "
        "prefixes\n"
        "Nov 29 14:05:05 host sshd[16]: rejected: container d4ca59db61fb: no\n"
        "Nov 29 14:05:06 host jail-ai-hook[17]: rejected: container x y: cut\n"
        "Nov 29 14:05:07 host jail-ai-hook[18"));
    REQUIRE(found.size() == 4);
    CHECK(found[0].time == "2026-11-29T14:05:01.123456+00:00");
    CHECK(found[0].container.id == "a4ca59db61fb");
    CHECK(found[0].container.name == "agent");
    CHECK(found[0].reason == "it has CAP_SYS_ADMIN: drop it");
    CHECK_FALSE(found[0].started);
    CHECK_FALSE(found[0].uid);
    CHECK(found[1].time == "Nov 29 14:05:02");
    CHECK(found[1].container.id.empty());
    CHECK(found[1].reason == "state of the container: not JSON");
    CHECK(found[2].container.id == "b4ca59db61fb");
    CHECK(found[2].started);
    CHECK(found[3].container.id.empty());
    CHECK(found[3].reason == "container x y: cut");
}

TEST_CASE("rejections: entries of the journal, with whoever wrote them") {
    const auto found = rejections(lines_of_journal(
        R"({"__REALTIME_TIMESTAMP":"1795961101000000","_UID":"1000","MESSAGE":"rejected: container a4ca59db61fb: no"})"
        "\n"
        R"({"__REALTIME_TIMESTAMP":"x","MESSAGE":"rejected: container b4ca59db61fb: no"})"
        "\n"
        R"({"__REALTIME_TIMESTAMP":"1","_UID":"0","MESSAGE":[114,101]})"
        "\n"
        "no JSON\n"
        R"({"__REALTIME_TIMESTAMP":"1","_UID":"0","MESSAGE":"container c4ca59db61fb: jailed"})"
        "\n"));
    REQUIRE(found.size() == 2);
    CHECK(found[0].time == "2026-11-29T14:05:01Z");
    CHECK(found[0].uid == 1000U);
    CHECK(found[1].time.empty());
    CHECK_FALSE(found[1].uid);
}

TEST_CASE("rejections: a container is meant by its ID, by the beginning of that, or by name") {
    const LoggedContainer one{"a4ca59db61fb", "agent"};
    for (const char* word :
         {"a4ca", "a4ca59db61fb",
          "a4ca59db61fb94e1a4ca59db61fb94e1a4ca59db61fb94e1a4ca59db61fb94e1", "agent"})
        CHECK(is_meant(one, word));
    for (const char* word : {"age", "4ca", "a4ca59db61fc94e1"}) CHECK_FALSE(is_meant(one, word));
    CHECK_FALSE(is_meant(LoggedContainer{}, "a4ca"));
}

TEST_CASE("rejections: a line for people holds nothing that a terminal obeys") {
    const Rejection one{"now", {"a4ca59db61fb", "agent"}, "bad \x1b[31m: drop it", false, 1000};
    CHECK(rejection_to_people(one) ==
          "now (uid 1000) a4ca59db61fb (agent): bad \\x1b[31m: drop it\n");
    CHECK(
        rejection_to_machines(one) ==
        R"({"time":"now","container":"a4ca59db61fb","name":"agent","started":false,"message":"bad \u001B[31m: drop it","uid":1000})"
        "\n");
}

TEST_CASE("ended jails: what was denied there, out of the same logs") {
    const auto found = ended_jails(lines_of_syslog(
        "Nov 29 14:05:01 host jail-ai-hook[12]: container a4ca59db61fb (agent): ended: denied 3: "
        "local 3; 10.88.0.1:5432/tcp (local), 3 times\n"
        "Nov 29 14:05:02 host jail-ai-hook[12]: container b4ca59db61fb: denied 10.88.0.1:1/tcp\n"
        "Nov 29 14:05:03 host jail-ai-hook[12]: rejected: container c4ca59db61fb: ended: no\n"
        "Nov 29 14:05:04 host conmon[12]: container d4ca59db61fb: ended: denied 1\n"
        "Nov 29 14:05:05 host jail-ai-hook[12]: ended: denied 1\n"));
    REQUIRE(found.size() == 1);
    CHECK(ended_to_people(found[0]) ==
          "Nov 29 14:05:01 a4ca59db61fb (agent): denied 3: local 3; 10.88.0.1:5432/tcp (local), 3 "
          "times\n");
    CHECK(
        ended_to_machines(found[0]) ==
        R"({"time":"Nov 29 14:05:01","container":"a4ca59db61fb","name":"agent","message":"denied 3: local 3; 10.88.0.1:5432/tcp (local), 3 times"})"
        "\n");
}
