// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a tightened seccomp profile does, asked of the filter that libseccomp makes of it.
#include "seccomp/tighten_profile.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <linux/audit.h>

#include "data_file.h"
#include "seccomp/seccomp.h"
#include "seccomp_profile.h"

using namespace jail_ai;
using namespace jail_ai::test;

namespace {

Profile of_config(const std::string& file) {
    const std::string text = data_file("config/" + file + ".json");
    const Profile config = parsed(text);
    const auto linux_part = config.part().object("linux");
    REQUIRE(linux_part);
    const auto seccomp = (**linux_part).object("seccomp");
    REQUIRE(seccomp);
    REQUIRE(*seccomp);
    return parsed(std::string((**seccomp).text()));
}

SeccompFilter loaded(const Profile& profile) {
    auto filter = SeccompFilter::load(profile.document);
    REQUIRE_MESSAGE(filter, "libseccomp refuses: " << profile.text);
    return std::move(*filter);
}

// Families and numbers that the kernel takes for them.
std::vector<std::uint64_t> families() {
    std::vector<std::uint64_t> all;
    for (std::uint64_t family = 0; family < 70; ++family) {
        all.push_back(family);
        all.push_back(family | 1ULL << 32);
        all.push_back(family | ~0ULL << 32);
    }
    return all;
}

Profile with_rules(const std::string& otherwise, const std::string& rules,
                   const std::string& more = {}) {
    return parsed(R"({"defaultAction":")" + otherwise + "\"," + more + R"("syscalls":[)" + rules +
                  "]}");
}

const std::string kSocketPasses = R"({"names":["socket","socketpair"],"action":"SCMP_ACT_ALLOW"})";

}  // namespace

TEST_CASE("tight profile: of what podman writes, sockets of the permitted families are left") {
    for (const char* file :
         {"podman-4.3-default", "podman-4.3-no-audit-write", "podman-5.4-default"}) {
        INFO(file);
        const Profile profile = of_config(file);
        const SeccompFilter before = loaded(profile);
        const SeccompFilter after = loaded(tight(profile));
        for (const std::uint64_t family : families()) {
            for (const std::uint64_t protocol : std::initializer_list<std::uint64_t>{0, 9}) {
                INFO(family << ' ' << protocol);
                const std::string expected = is_permitted(family)
                                                 ? on_socket(before, family, SOCK_RAW, protocol)
                                                 : "errno 97";
                CHECK(on_socket(after, family, SOCK_RAW, protocol) == expected);
            }
            CHECK(on_socket(after, family, SOCK_STREAM, 0, "socketpair") ==
                  (family == AF_UNIX ? "pass" : "errno 97"));
        }
        CHECK(to_string(after.answer("io_uring_setup", {})) == "errno 38");
        for (const char* other : {"read", "connect", "futex", "keyctl", "mount"})
            CHECK(after.answer(other, {}) == before.answer(other, {}));
    }
}

TEST_CASE(
    "tight profile: NETLINK_AUDIT stays refused as podman refuses it to who lacks "
    "CAP_AUDIT_WRITE") {
    const Profile profile = tight(of_config("podman-4.3-no-audit-write"));
    const SeccompFilter filter = loaded(profile);
    CHECK(on_socket(filter, AF_NETLINK, SOCK_RAW, 9) == "errno 22");
    CHECK(on_socket(filter, AF_NETLINK, SOCK_RAW, 0) == "pass");
    unsigned rules = 0;
    for (const auto& rule : profile.document["syscalls"].GetArray())
        if (rule.HasMember("args") && rule["args"].GetArray()[0]["value"].GetUint64() == AF_NETLINK)
            ++rules;
    CHECK(rules == 2);
}

TEST_CASE("tight profile: a new one allows everything else") {
    auto outcome = new_profile(false);
    REQUIRE(outcome);
    CHECK(outcome->left_open.empty());
    const SeccompFilter filter = loaded(parsed(outcome->profile));
    for (const std::uint64_t family : families()) {
        INFO(family);
        CHECK(on_socket(filter, family) == (is_permitted(family) ? "pass" : "errno 97"));
        CHECK(on_socket(filter, family, SOCK_STREAM, 0, "socketpair") ==
              (family == AF_UNIX ? "pass" : "errno 97"));
    }
    CHECK(to_string(filter.answer("io_uring_setup", {})) == "errno 38");
    for (const char* other : {"read", "connect", "futex", "keyctl", "mount"})
        CHECK(to_string(filter.answer(other, {})) == "pass");
}

TEST_CASE(
    "tight profile: what a profile refuses stays refused, and what it lets pass of the permitted "
    "families passes") {
    struct Case {
        std::string otherwise;
        std::string rules;
        std::uint64_t family;
        std::uint64_t type;
        const char* answer;
    };
    const std::string denied_vsock =
        R"({"names":["socket"],"action":"SCMP_ACT_KILL_PROCESS","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]})";
    const std::string denied_raw =
        R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":13,"args":[{"index":1,"value":3,"op":"SCMP_CMP_EQ"}]})";
    const std::string passing_if_not_raw =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":3,"op":"SCMP_CMP_NE"}]})";
    const std::string passing_if_not_vsock =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_NE"}]})";
    const std::string passing_below =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":38,"op":"SCMP_CMP_LT"}]})";
    const std::string denied_alg =
        R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":1,"args":[{"index":0,"value":38,"op":"SCMP_CMP_EQ"}]})";
    for (
        const Case& c : {
            // nothing was open
            Case{"SCMP_ACT_ERRNO", R"({"names":["read"],"action":"SCMP_ACT_ALLOW"})", AF_INET, 1,
                 "errno 1"},
            Case{"SCMP_ACT_KILL", R"({"names":["read"],"action":"SCMP_ACT_ALLOW"})", AF_VSOCK, 1,
                 "kill"},
            Case{"SCMP_ACT_KILL", R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":38})",
                 AF_UNIX, 1, "errno 38"},
            // a family that the profile refuses, and one that it lets pass
            Case{"SCMP_ACT_ERRNO", passing_if_not_vsock, AF_VSOCK, 1, "errno 1"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_vsock, AF_PACKET, 1, "errno 97"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_vsock, AF_INET, 1, "pass"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_vsock + "," + denied_vsock, AF_VSOCK, 1, "kill"},
            Case{"SCMP_ACT_ERRNO", passing_below, AF_ALG, 1, "errno 1"},
            Case{"SCMP_ACT_ERRNO", passing_below, AF_NETLINK, 1, "pass"},
            Case{"SCMP_ACT_ERRNO", passing_below, AF_PACKET, 1, "errno 97"},
            // a type, in any family
            Case{"SCMP_ACT_ERRNO", passing_if_not_raw + "," + denied_raw, AF_INET, 3, "errno 13"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_raw + "," + denied_raw, AF_INET, 1, "pass"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_raw + "," + denied_raw, AF_PACKET, 3, "errno 97"},
            Case{"SCMP_ACT_ERRNO", passing_if_not_raw + "," + denied_raw, AF_PACKET, 1, "errno 97"},
            // where everything passes that no rule is about
            Case{"SCMP_ACT_ALLOW", denied_raw, AF_INET, 3, "errno 13"},
            Case{"SCMP_ACT_ALLOW", denied_raw, AF_INET, 1, "pass"},
            Case{"SCMP_ACT_ALLOW", denied_raw, AF_VSOCK, 1, "errno 97"},
            Case{"SCMP_ACT_ALLOW", denied_raw, AF_VSOCK, 3, "errno 97"},
            Case{"SCMP_ACT_ALLOW", denied_vsock, AF_VSOCK, 1, "kill"},
            Case{"SCMP_ACT_ALLOW", denied_vsock, AF_PACKET, 1, "errno 97"},
            Case{"SCMP_ACT_ALLOW", denied_alg, AF_ALG, 1, "errno 1"},
            Case{"SCMP_ACT_ALLOW", R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":5})",
                 AF_INET, 1, "errno 5"},
            Case{
                "SCMP_ACT_ALLOW",
                R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]})",
                AF_INET, 1, "errno 1"},
            Case{"SCMP_ACT_LOG", denied_alg, AF_INET, 1, "log"},
            Case{"SCMP_ACT_LOG", denied_alg, AF_VSOCK, 1, "errno 97"},
            // who asks an agent may be let through by it
            Case{"SCMP_ACT_ERRNO", R"({"names":["socket"],"action":"SCMP_ACT_NOTIFY"})", AF_VSOCK,
                 1, "errno 97"},
            Case{"SCMP_ACT_ERRNO", R"({"names":["socket"],"action":"SCMP_ACT_NOTIFY"})", AF_INET, 1,
                 "notify"},
            // several conditions on one argument: each opens by itself
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                R"({"index":0,"value":40,"op":"SCMP_CMP_EQ"}]})",
                AF_INET, 1, "pass"},
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                R"({"index":0,"value":40,"op":"SCMP_CMP_EQ"}]})",
                AF_VSOCK, 1, "errno 97"},
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                R"({"index":0,"value":40,"op":"SCMP_CMP_EQ"}]})",
                AF_INET6, 1, "errno 1"},
            // a rule without conditions wins over those that have some
            Case{"SCMP_ACT_ERRNO", kSocketPasses + "," + denied_alg, AF_ALG, 1, "pass"},
            Case{"SCMP_ACT_ERRNO", denied_vsock + "," + kSocketPasses, AF_VSOCK, 1, "errno 97"},
            // masks
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_INET, 1, "pass"},
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_UNIX, 1, "errno 1"},
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_VSOCK, 1, "errno 97"},
            // under a mask without bits every argument is the same, and bits outside of a mask are
            // not compared
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                R"({"index":1,"value":0,"valueTwo":4294443006,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_INET, 1, "pass"},
            Case{
                "SCMP_ACT_ERRNO",
                R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"},)"
                R"({"index":1,"value":0,"valueTwo":4294443006,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_VSOCK, 1, "errno 1"},
            Case{
                "SCMP_ACT_ALLOW",
                R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":0,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_INET, 1, "kill"},
            Case{
                "SCMP_ACT_ALLOW",
                R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":1,"value":2,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_INET, 2, "kill"},
            Case{
                "SCMP_ACT_ALLOW",
                R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":1,"value":2,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}]})",
                AF_INET, 1, "pass"},
        }) {
        const Profile profile = with_rules(c.otherwise, c.rules);
        INFO(profile.text << ' ' << c.family << ' ' << c.type);
        CHECK(on_socket(loaded(tight(profile)), c.family, c.type) == c.answer);
    }
}

TEST_CASE("tight profile: if nothing is open, nothing changes") {
    for (
        const char* rules :
        {"",
         R"({"names":["socket"],"action":"SCMP_ACT_KILL"},{"names":["io_uring_setup","socketcall","socketpair"],"action":"SCMP_ACT_TRAP"})",
         R"({"names":["socket"],"action":"SCMP_ACT_TRAP","args":[{"index":1,"value":3,"op":"SCMP_CMP_GE"}]})"}) {
        const Profile profile = with_rules("SCMP_ACT_ERRNO", rules);
        CHECK(tight(profile).text == profile.text);
    }
    const Profile none = parsed(R"({"defaultAction":"SCMP_ACT_KILL"})");
    CHECK(tight(none).text == none.text);
}

TEST_CASE("tight profile: ambiguous rules are rejected") {
    const auto rule = [](const char* action, const char* args) {
        return fmt::format(R"({{"names":["socket"],"action":"{}","args":[{}]}})", action, args);
    };
    const std::string if_stream = rule(
        "SCMP_ACT_ALLOW",
        R"({"index":0,"value":2,"op":"SCMP_CMP_EQ"},{"index":1,"value":1,"op":"SCMP_CMP_EQ"})");
    for (const std::string& rules : {
             // they overlap
             rule("SCMP_ACT_ALLOW", R"({"index":0,"value":40,"op":"SCMP_CMP_NE"})") + "," +
                 rule("SCMP_ACT_KILL", R"({"index":1,"value":3,"op":"SCMP_CMP_EQ"})"),
             rule("SCMP_ACT_ALLOW", R"({"index":0,"value":2,"op":"SCMP_CMP_EQ"})") + "," +
                 rule("SCMP_ACT_LOG", R"({"index":0,"value":2,"op":"SCMP_CMP_EQ"})"),
             if_stream + "," +
                 rule("SCMP_ACT_KILL",
                      R"({"index":1,"value":1,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"})"),
             // libseccomp makes something else of them, or never comes back
             if_stream + "," +
                 rule("SCMP_ACT_ALLOW", R"({"index":2,"value":3,"op":"SCMP_CMP_EQ"})"),
             rule("SCMP_ACT_ALLOW", R"({"index":1,"value":3,"op":"SCMP_CMP_LE"})") + "," +
                 rule("SCMP_ACT_ALLOW", R"({"index":1,"value":9,"op":"SCMP_CMP_NE"})"),
         }) {
        INFO(rules);
        const auto outcome = tighten_profile(with_rules("SCMP_ACT_ERRNO", rules).part(), false);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().exit_code == EX_CONFIG);
        CHECK(outcome.error().message.starts_with("socket: the rules for sockets of family"));
    }
    std::string many;
    for (std::size_t i = 0; i <= kMaxSyscallRules; ++i)
        many += (i == 0 ? "" : ",") +
                rule("SCMP_ACT_ALLOW",
                     fmt::format(R"({{"index":0,"value":{},"op":"SCMP_CMP_EQ"}})", i).c_str());
    const auto outcome = tighten_profile(with_rules("SCMP_ACT_ERRNO", many).part(), false);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().message == "more than 256 rules for socket");
}

TEST_CASE("tight profile: what the runtimes could not read is rejected") {
    struct Case {
        const char* rule;
        const char* message;
    };
    for (
        const Case& c :
        {Case{R"({"names":["socket"]})", "'action' is missing"},
         Case{R"({"names":"socket","action":"SCMP_ACT_ALLOW"})", "'names' is a string"},
         Case{R"({"names":["socket",1],"action":"SCMP_ACT_ALLOW"})", "'names' holds a number"},
         Case{R"({"names":["socket"],"action":"allow"})", "'allow' is not an action"},
         Case{R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":-1})",
              "'errnoRet' is not a whole number"},
         Case{R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":{}})", "'args' is an object"},
         Case{R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[1]})",
              "'args': a number, not an object"},
         Case{
             R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":6,"op":"SCMP_CMP_EQ"}]})",
             "arguments 0 to 5"},
         Case{
             R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":1.5,"op":"SCMP_CMP_EQ"}]})",
             "'value' is not a whole"},
         Case{
             R"({"names":["socket"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":1,"op":"EQ"}]})",
             "'EQ' is not a comparison"}}) {
        INFO(c.rule);
        const auto outcome = tighten_profile(with_rules("SCMP_ACT_ALLOW", c.rule).part(), false);
        REQUIRE_FALSE(outcome);
        CHECK(outcome.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(outcome.error().message.find(c.message) != std::string::npos,
                      outcome.error().message);
    }
}

TEST_CASE(
    "tight profile: io_uring is denied, as it would be by the profile or by a kernel without it") {
    const std::string all =
        R"({"names":["io_uring_setup","io_uring_enter"],"action":"SCMP_ACT_ALLOW"})";
    const auto on_setup = [](const Profile& profile) {
        return to_string(loaded(tight(profile)).answer("io_uring_setup", {}));
    };
    CHECK(on_setup(with_rules("SCMP_ACT_ERRNO", all)) == "errno 1");
    CHECK(on_setup(with_rules("SCMP_ACT_ERRNO", kSocketPasses)) == "errno 1");
    CHECK(on_setup(with_rules("SCMP_ACT_ERRNO",
                              R"({"names":["io_uring_setup"],"action":"SCMP_ACT_KILL"})")) ==
          "kill");
    CHECK(on_setup(with_rules("SCMP_ACT_ALLOW", kSocketPasses)) == "errno 38");
    CHECK(on_setup(with_rules("SCMP_ACT_ALLOW",
                              R"({"names":["io_uring_setup"],"action":"SCMP_ACT_KILL"})")) ==
          "kill");
    CHECK(
        on_setup(with_rules(
            "SCMP_ACT_ALLOW",
            R"({"names":["io_uring_setup"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":9,"op":"SCMP_CMP_GT"}]})")) ==
        "errno 38");
    CHECK(
        to_string(loaded(tight(with_rules("SCMP_ACT_ERRNO", all))).answer("io_uring_enter", {})) ==
        "pass");
}

TEST_CASE(
    "tight profile: ia32 accepted, a new profile is none, and one that lets everything pass stays "
    "as it is") {
    const auto outcome = new_profile(true);
    REQUIRE(outcome);
    CHECK(outcome->profile.empty());
    CHECK(outcome->left_open.size() == 1);
    const Profile open =
        with_rules("SCMP_ACT_ALLOW", R"({"names":["keyctl"],"action":"SCMP_ACT_ERRNO"})", kX86);
    CHECK(tight(open, true).text == open.text);
    const Profile native =
        with_rules("SCMP_ACT_ALLOW", R"({"names":["keyctl"],"action":"SCMP_ACT_ERRNO"})");
    CHECK(on_socket(loaded(tight(native, true)), AF_VSOCK) == "errno 97");
}

#ifdef __x86_64__
TEST_CASE("tight profile: 32-bit system calls on x86 end the program, unless ia32 is accepted") {
    constexpr int kSocketcall = 102;
    constexpr int kSocket = 359;
    const auto by = [](const SeccompFilter& filter, int number, std::uint64_t first) {
        return to_string(filter.answer(AUDIT_ARCH_I386, number, {first, 0xffff0000, 0, 0, 0, 0}));
    };
    for (const char* file :
         {"podman-4.3-default", "podman-4.3-no-audit-write", "podman-5.4-default"}) {
        INFO(file);
        const Profile profile = of_config(file);
        const SeccompFilter without = loaded(tight(profile));
        CHECK(by(without, kSocketcall, 1) == "kill");
        CHECK(by(without, kSocket, AF_INET) == "kill");
        CHECK(by(without, 3, 0) == "kill");
        const SeccompFilter with = loaded(tight(profile, true));
        CHECK(by(with, kSocketcall, 1) == "pass");
        CHECK(by(with, kSocket, AF_INET) == "pass");
        CHECK(by(with, kSocket, AF_VSOCK) == "errno 97");
        CHECK(by(with, 3, 0) == "pass");
        CHECK(on_socket(with, AF_VSOCK) == "errno 97");
        CHECK(on_socket(with, AF_INET) == "pass");
    }
    auto fresh = new_profile(false);
    REQUIRE(fresh);
    CHECK(by(loaded(parsed(fresh->profile)), kSocketcall, 1) == "kill");
}

TEST_CASE(
    "tight profile: ia32 accepted, a profile without a rule for socketcall is one that libseccomp "
    "takes") {
    const std::string denied =
        R"({"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":22,"args":[{"index":0,"value":16,"op":"SCMP_CMP_EQ"},)"
        R"({"index":2,"value":9,"op":"SCMP_CMP_EQ"}]})";
    const std::string passing =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":9,"op":"SCMP_CMP_NE"}]})";
    const SeccompFilter filter =
        loaded(tight(with_rules("SCMP_ACT_ERRNO", denied + "," + passing, kX86), true));
    CHECK(on_socket(filter, AF_INET) == "pass");
    CHECK(on_socket(filter, AF_VSOCK) == "errno 1");
    CHECK(on_socket(filter, AF_NETLINK, SOCK_RAW, 9) == "errno 1");
}
#endif
