// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is read of config.json.
#include "container/bundle.h"

#include <doctest/doctest.h>

using namespace jail_ai;

TEST_CASE("bundle: mounts, capabilities of all sets and namespaces") {
    const auto bundle = parse_bundle(R"({
        "ociVersion": "1.0.2", "unknown": {"deep": [1, 2.5, null]},
        "process": {"capabilities": {"bounding": ["CAP_KILL", "CAP_NET_ADMIN"], "ambient": ["cap_bpf"], "permitted": []}},
        "mounts": [{"destination": "/etc/hosts", "source": "/first"}, {"destination": "/proc", "type": "proc"},
                   {"destination": "/etc/hosts", "type": "bind", "source": "/second", "options": ["rbind", "ro"]}],
        "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/x"}]}})");
    REQUIRE(bundle);
    CHECK(bundle->capabilities == std::set<std::string>{"CAP_KILL", "CAP_NET_ADMIN", "CAP_BPF"});
    CHECK(bundle->namespaces == std::set<std::string>{"pid", "network"});
    CHECK(bundle->joined == std::set<std::string>{"network"});
    REQUIRE(bundle->mounts.size() == 3);
    CHECK(*bundle->mounted_at("/etc/hosts") == "/second");
    CHECK(bundle->mounted_at("/etc/resolv.conf") == nullptr);
    CHECK(bundle->mounts[2].is_bind());
    CHECK(bundle->mounts[2].has_option("ro"));
    CHECK_FALSE(bundle->mounts[1].is_bind());
}

TEST_CASE("bundle: everything may be missing") {
    const auto bundle = parse_bundle("{}");
    REQUIRE(bundle);
    CHECK(bundle->mounts.empty());
    CHECK(bundle->capabilities.empty());
}

TEST_CASE("bundle: what has the wrong type is named") {
    struct Case {
        const char* json;
        const char* message;
    };
    for (const Case& c :
         {Case{R"({"mounts":{}})", "'mounts' is an object, not an array"}, Case{R"({"mounts":[{},7]})", "mounts[1]: a number, not an object"},
          Case{R"({"mounts":[{"source":[]}]})", "mounts[0]: 'source' is an array, not a string"},
          Case{R"({"mounts":[{"options":["ro",null]}]})", "mounts[0]: options[1] is null, not a string"},
          Case{R"({"process":[]})", "'process' is an array, not an object"},
          Case{R"({"process":{"capabilities":{"bounding":"CAP_BPF"}}})", "process.capabilities: 'bounding' is a string, not an array"},
          Case{R"({"linux":{"namespaces":["pid"]}})", "linux.namespaces holds a string, not an object"},
          Case{R"({"mounts":[],"mounts":[]})", "'mounts' stands there twice"}}) {
        INFO(c.json);
        const auto bundle = parse_bundle(c.json);
        REQUIRE_FALSE(bundle);
        CHECK(bundle.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(bundle.error().message.find(c.message) != std::string::npos, bundle.error().message);
    }
}
