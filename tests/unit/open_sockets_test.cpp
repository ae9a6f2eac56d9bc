// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What createRuntime says of a config.json is open must be what is open: compared with the filter
// that libseccomp makes of it.
#include "seccomp/open_sockets.h"

#include <doctest/doctest.h>

#include "data_file.h"
#include "random_profile.h"
#include "seccomp/tighten.h"

using namespace jail_ai;
using namespace jail_ai::test;

namespace {

constexpr ReachableFamilies kAll = {SocketAccess::yes, SocketAccess::yes, SocketAccess::yes};
constexpr ReachableFamilies kNone = {SocketAccess::no, SocketAccess::no, SocketAccess::no};
constexpr ReachableFamilies kOnlyIp = {SocketAccess::no, SocketAccess::no, SocketAccess::yes};

ReachableFamilies open_in(const Profile& config) {
    return find_reachable_families(config.document);
}

Profile config_with(const std::string& profile) {
    return parsed(R"({"linux":{"seccomp":)" + profile + "}}");
}

Profile tightened(const std::string& text, const std::set<Risk>& accepted = {}) {
    const Profile config = parsed(text);
    auto outcome = tighten(config.document, config.text, accepted);
    REQUIRE_MESSAGE(outcome, outcome.error().message);
    return parsed(std::move(outcome->config));
}

bool opens(const SeccompFilter& filter, std::uint64_t family) {
    for (const std::uint64_t type : std::initializer_list<std::uint64_t>{0, 1, 2, 3, 9, 10})
        for (const std::uint64_t protocol : std::initializer_list<std::uint64_t>{0, 1, 2, 9, 16})
            if (passes(on_socket(filter, family, type, protocol))) return true;
    return false;
}

}  // namespace

TEST_CASE("open sockets: without a profile all of them") {
    for (const char* config :
         {"{}", R"({"linux":{}})", R"({"linux":null})", R"({"linux":{"seccomp":null}})"}) {
        INFO(config);
        CHECK(open_in(parsed(config)) == kAll);
    }
}

TEST_CASE("open sockets: a profile that can't be understood is none") {
    for (const char* profile :
         {R"({"defaultAction":"SCMP_ACT_NONE"})",
          R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":{}})",
          R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":7}]})",
          R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":[1]})"}) {
        INFO(profile);
        CHECK(open_in(config_with(profile)) == kAll);
    }
}

TEST_CASE("open sockets: beside a filter of crun's own the profile says nothing") {
    const std::string closed = R"("linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO"}}})";
    CHECK(open_in(parsed("{" + closed)) == kNone);
    CHECK(open_in(parsed(R"({"annotations":{"a":"b"},)" + closed)) == kNone);
    CHECK(open_in(parsed(R"({"annotations":{"run.oci.seccomp_bpf_data":"AAAA"},)" + closed)) ==
          kAll);
}

TEST_CASE("open sockets: the engines' profiles leave them open, and precreate closes them") {
    for (const char* name :
         {"config/podman-4.3-default.json", "config/podman-4.3-no-audit-write.json",
          "config/podman-4.3-privileged.json", "config/podman-4.3-unconfined.json",
          "config/podman-5.4-default.json"}) {
        INFO(name);
        const std::string text = data_file(name);
        CHECK(open_in(parsed(text)).packet != SocketAccess::no);
        CHECK(open_in(parsed(text)).vsock != SocketAccess::no);
        CHECK(open_in(tightened(text)) == kOnlyIp);
        CHECK(open_in(tightened(text, {Risk::vsock})) == open_in(parsed(text)));
    }
    const std::string by_default = data_file("config/podman-4.3-default.json");
    CHECK(open_in(tightened(by_default, {Risk::ia32})) ==
          ReachableFamilies{SocketAccess::by_ia32, SocketAccess::by_ia32, SocketAccess::yes});
}

TEST_CASE("open sockets: family by family, by io_uring, and by 32-bit system calls") {
    const auto rules = [](const std::string& text, const std::string& architectures = "") {
        return open_in(config_with(R"({"defaultAction":"SCMP_ACT_ERRNO",)" + architectures +
                                   R"("syscalls":[)" + text + "]}"));
    };
    const std::string packet =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":17,"op":"SCMP_CMP_EQ"}]})";
    const std::string ipv6 =
        R"({"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":10,"op":"SCMP_CMP_EQ"}]})";
    const std::string vsock =
        R"({"names":["socket"],"action":"SCMP_ACT_NOTIFY","args":[{"index":0,"value":40,"op":"SCMP_CMP_EQ"}]})";
    CHECK(rules("") == kNone);
    CHECK(rules(packet) ==
          ReachableFamilies{SocketAccess::yes, SocketAccess::no, SocketAccess::no});
    CHECK(rules(vsock) == ReachableFamilies{SocketAccess::no, SocketAccess::yes, SocketAccess::no});
    CHECK(rules(ipv6) == kOnlyIp);
    CHECK(rules(packet + "," + vsock + "," + ipv6) == kAll);
    CHECK(rules(R"({"names":["io_uring_setup"],"action":"SCMP_ACT_ALLOW"})") == kAll);
    CHECK(rules(R"({"names":["socketcall"],"action":"SCMP_ACT_ALLOW"})") == kNone);
    CHECK(rules(R"({"names":["socketcall"],"action":"SCMP_ACT_ALLOW"})", kX86) ==
          ReachableFamilies{SocketAccess::by_ia32, SocketAccess::by_ia32, SocketAccess::by_ia32});
    CHECK(rules(packet, kX86) ==
          ReachableFamilies{SocketAccess::yes, SocketAccess::by_ia32, SocketAccess::by_ia32});
    CHECK(rules("", kX86) == kNone);
}

TEST_CASE("open sockets: of any profile, what is said to be closed is closed") {
    unsigned closed = 0;
    for (unsigned seed = 0; seed < 8000; ++seed) {
        const std::string text = RandomProfile(seed).text();
        const ReachableFamilies found = open_in(config_with(text));
        if (found == kAll) continue;
        const auto filter = SeccompFilter::load(parsed(text).document);
        if (!filter) continue;
        INFO(seed << ' ' << text);
        if (found.vsock != SocketAccess::yes) CHECK_FALSE(opens(*filter, AF_VSOCK));
        if (found.packet != SocketAccess::yes) CHECK_FALSE(opens(*filter, AF_PACKET));
        if (found.ip != SocketAccess::yes)
            CHECK_FALSE((opens(*filter, AF_INET) || opens(*filter, AF_INET6)));
        CHECK_FALSE(passes(to_string(filter->answer("io_uring_setup", {}))));
        ++closed;
    }
    CHECK(closed > 100);
}
