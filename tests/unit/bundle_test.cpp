// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is read of config.json.
#include "container/bundle.h"

#include <doctest/doctest.h>

#include "container/json.h"

using namespace jail_ai;

namespace {

Result<Bundle> bundle_of(std::string_view text) {
    const auto config = TRY(parse_json_object(text));
    return parse_bundle(config);
}

}  // namespace

TEST_CASE("bundle: whether Kubernetes runs it, by its annotations") {
    const auto of_pod = [](std::string_view text) { return bundle_of(text)->of_pod; };
    CHECK(of_pod(R"({"annotations":{"a":"b","io.kubernetes.cri-o.SandboxID":"x"}})"));
    CHECK(of_pod(
        R"({"annotations":{"io.container.manager":"cri-o","io.kubernetes.cri-o.TTY":"x"}})"));
    CHECK_FALSE(of_pod(R"({"annotations":{"io.podman.annotations.autoremove":"FALSE"}})"));
    CHECK_FALSE(of_pod(R"({"annotations":{"io.container.manager":"libpod",
                                          "io.kubernetes.cri-o.TTY":"false"}})"));
    CHECK_FALSE(of_pod(R"({"annotations":null})"));
    CHECK_FALSE(of_pod("{}"));
}

TEST_CASE("bundle: mounts, capabilities of all sets and namespaces") {
    const auto bundle = bundle_of(R"({
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
    const auto bundle = bundle_of("{}");
    REQUIRE(bundle);
    CHECK(bundle->mounts.empty());
    CHECK(bundle->capabilities.empty());
}

TEST_CASE("bundle: null is missing, as runtimes take it") {
    const auto bundle =
        bundle_of(R"({"process":{"capabilities":{"bounding":null,"permitted":["CAP_CHOWN"]}},
        "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":null},{"destination":"/tmp","type":"tmpfs","source":null},
                  {"destination":"/x","type":null,"source":"/y","options":["rbind"]}],
        "linux":{"namespaces":[{"type":"pid","path":null}]}})");
    REQUIRE_MESSAGE(bundle, bundle.error().message);
    CHECK(bundle->capabilities == std::set<std::string>{"CAP_CHOWN"});
    REQUIRE(bundle->mounts.size() == 3);
    CHECK(bundle->mounts[0].options.empty());
    CHECK(bundle->mounts[1].source.empty());
    CHECK(bundle->mounts[2].is_bind());
    CHECK(bundle->joined.empty());
    for (const char* config :
         {R"({"process":{"capabilities":null}})", R"({"process":null,"mounts":null,"linux":null})",
          R"({"linux":{"namespaces":null}})"})
        CHECK(bundle_of(config));
}

TEST_CASE("bundle: read-only is what every runtime takes for it") {
    const auto read_only = [](std::vector<std::string> options) {
        return Mount{"/a", "/b", "bind", std::move(options)}.is_read_only();
    };
    CHECK(read_only({"rbind", "ro"}));
    CHECK_FALSE(read_only({"rbind"}));
    CHECK_FALSE(read_only({"rbind", "RO"}));
    CHECK_FALSE(read_only({"rbind", "ro", "rw"}));
    CHECK_FALSE(read_only({"rbind", "rw", "ro"}));
}

TEST_CASE("bundle: text that crun and runc read in another way is rejected") {
    struct Case {
        const char* json;
        const char* message;
    };
    const auto with_capability = [](const std::string& name) {
        return R"({"process":{"capabilities":{"bounding":[")" + name + R"("]}}})";
    };
    for (const char* name : {"12", "0xc", "CAP_NET_ADMIN+ep", "CAP_NET_ADMIN ", " CAP_NET_ADMIN",
                             "CAP_NET_ADMIN2", "NET_ADMIN", "ALL", ""}) {
        INFO(name);
        const auto bundle = bundle_of(with_capability(name));
        REQUIRE_FALSE(bundle);
        CHECK(bundle.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(bundle.error().message.find("is not a capability") != std::string::npos,
                      bundle.error().message);
    }
    for (const Case& c :
         {Case{R"({"process":{"capabilities":{"bounding":["CAP_NET_ADMIN\u0000x"]}}})",
               "'CAP_NET_ADMIN\\x00x' holds a NUL"},
          Case{R"({"process":{"capabilities\u0000x":{"bounding":["CAP_NET_ADMIN"]}}})",
               "'capabilities\\x00x' holds a NUL"},
          Case{R"({"mounts":[{"options":["rbind\u0000x"]}]})", "'rbind\\x00x' holds a NUL"},
          Case{R"({"mounts":[{"type":"cgroup2\u0000x"}]})", "'cgroup2\\x00x' holds a NUL"},
          Case{R"({"linux":{"seccomp":{"syscalls":[{"names":["socket\u0000"]}]}}})",
               "'socket\\x00' holds a NUL"},
          Case{R"({"Process":{"capabilities":{"bounding":["CAP_NET_ADMIN"]}}})",
               "key 'Process' is 'process' to some runtimes"},
          Case{R"({"process":{},"PROCESS":{}})", "key 'PROCESS' is 'process' to some runtimes"},
          Case{"{\"proce\xc5\xbf\xc5\xbf\":{}}", "is 'process' to some runtimes"},
          Case{R"({"process":{"Capabilities":{"bounding":["CAP_NET_ADMIN"]}}})",
               "key 'Capabilities' is 'capabilities' to some runtimes"},
          Case{R"({"mounts":[{"Options":["rbind"]}]})",
               "key 'Options' is 'options' to some runtimes"},
          Case{R"({"linux":{"namespaces":[{"Path":"/x"}]}})",
               "key 'Path' is 'path' to some runtimes"},
          Case{R"({"a":{"b":1,"b":2}})", "duplicate key 'b'"}}) {
        INFO(c.json);
        const auto bundle = bundle_of(c.json);
        REQUIRE_FALSE(bundle);
        CHECK(bundle.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(bundle.error().message.find(c.message) != std::string::npos,
                      bundle.error().message);
    }
}

TEST_CASE("bundle: what has the wrong type is named") {
    struct Case {
        const char* json;
        const char* message;
    };
    for (const Case& c :
         {Case{R"({"mounts":{}})", "'mounts' is an object, not an array"},
          Case{R"({"mounts":[{},7]})", "mounts[1]: a number, not an object"},
          Case{R"({"mounts":[{"source":[]}]})", "mounts[0]: 'source' is an array, not a string"},
          Case{R"({"mounts":[{"options":["ro",null]}]})",
               "mounts[0]: options[1] is null, not a string"},
          Case{R"({"process":[]})", "'process' is an array, not an object"},
          Case{R"({"process":{"capabilities":{"bounding":"CAP_BPF"}}})",
               "process.capabilities: 'bounding' is a string, not an array"},
          Case{R"({"linux":{"namespaces":["pid"]}})",
               "linux.namespaces holds a string, not an object"},
          Case{R"({"mounts":[],"mounts":[]})", "duplicate key 'mounts'"}}) {
        INFO(c.json);
        const auto bundle = bundle_of(c.json);
        REQUIRE_FALSE(bundle);
        CHECK(bundle.error().exit_code == EX_DATAERR);
        CHECK_MESSAGE(bundle.error().message.find(c.message) != std::string::npos,
                      bundle.error().message);
    }
}
