// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Whose annotations count: an image's and a pod's container's loosen nothing.
#include "engines/annotation_authors.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "container/request.h"

using namespace jail_ai;

namespace {

const std::string kBase = "jail-ai.block-host";

Annotations ours(std::initializer_list<std::pair<const char*, const char*>> settings) {
    Annotations annotations = {{"io.container.manager", "libpod"}};
    for (const auto& [setting, value] : settings) annotations.emplace(kBase + setting, value);
    return annotations;
}

AnnotationPairs image_of(const Annotations& annotations) {
    return {annotations.begin(), annotations.end()};
}

}  // namespace

TEST_CASE(
    "annotation authors: what an image has as well loosens nothing, and tightens what it likes") {
    const Annotations loose = ours({{".allow", "host:1-65535"},
                                    {".accept", "cap_net_admin"},
                                    {".on-failure", "run"},
                                    {".dns", "auto"},
                                    {"", "audit"},
                                    {".also", "private"}});
    Annotations annotations = loose;
    const auto ignored = ignore_image_annotations(annotations, image_of(loose));
    CHECK(ignored.size() == 5);
    CHECK(annotations == ours({{".also", "private"}}));
    CHECK(ignored[1].find("annotation jail-ai.block-host.accept='cap_net_admin' has no effect: the "
                          "image has the same") == 0);

    annotations =
        ours({{"", "true"}, {".dns", "off"}, {".on-failure", "refuse"}, {".also", "gateway"}});
    const Annotations tight = annotations;
    CHECK(ignore_image_annotations(annotations, image_of(tight)).empty());
    CHECK(annotations == tight);
}

TEST_CASE("annotation authors: the user's own stay, also if the image has another value") {
    for (const char* mode : {"false", "audit", "true"}) {
        Annotations annotations = ours({{"", mode}, {".allow", "host:80"}, {".accept", "vsock"}});
        const Annotations before = annotations;
        CHECK(ignore_image_annotations(annotations, {}).empty());
        CHECK(ignore_image_annotations(
                  annotations,
                  image_of(ours({{".allow", "host:1-65535"}, {".accept", "ia32"}, {"", "maybe"}})))
                  .empty());
        CHECK(annotations == before);
    }
    // As the message says: the same list, written in another way.
    Annotations annotations = ours({{".allow", "host:80 "}});
    CHECK(ignore_image_annotations(annotations, image_of(ours({{".allow", "host:80"}}))).empty());
    CHECK(parse_settings({{kBase + ".allow", "host:80 "}}));
}

TEST_CASE("annotation authors: nothing loosens if the image is not known") {
    Annotations annotations = ours({{"", "true"}, {".allow", "host:80"}, {".also", "private"}});
    const auto ignored = ignore_loosening_annotations(annotations, "image abc: it has no manifest");
    REQUIRE(ignored.size() == 1);
    CHECK(ignored[0].find("image abc: it has no manifest: make it a flag") != std::string::npos);
    CHECK(annotations == ours({{"", "true"}, {".also", "private"}}));
}

TEST_CASE("annotation authors: a manifest is read as podman reads it") {
    const auto pairs = [](std::string_view text) {
        return parse_manifest_annotations(text).value();
    };
    const AnnotationPairs one = {{"a", "1"}};
    CHECK(pairs(R"({"schemaVersion":2})").empty());
    CHECK(pairs(R"({"annotations":null})").empty());
    CHECK(pairs(R"({"annotations":{"a":"1","b":2}})") == one);
    for (const char* name :
         {"Annotations", "ANNOTATIONS", "annotation\xc5\xbf", "\\u0061nnotations"})
        CHECK_MESSAGE(pairs(std::string(R"({")") + name + R"(":{"a":"1"}})") == one, name);
    CHECK(pairs(R"({"annotations":{"a":"1","a":"2"},"Annotations":{"b":"3"}})") ==
          AnnotationPairs{{"a", "1"}, {"a", "2"}, {"b", "3"}});
    CHECK(pairs(R"({"config":{"annotations":{"a":"1"}}})").empty());
    for (const char* text :
         {"", "[]", "{", R"({"annotations":[]})", R"({"annotations":{"a":"1"}} x)"})
        CHECK_MESSAGE(!parse_manifest_annotations(text), text);
}

TEST_CASE("annotation authors: which engine may have merged the image's annotations") {
    const auto may = [](const char* version) {
        return may_have_image_annotations(std::string(R"({"ociVersion":")") + version + "\"}")
            .value();
    };
    for (const char* version : {"1.0.2-dev", "1.0.0", "1.0.2-dev+dev", "1.1.0-rc.1", "1.1.0",
                                "0.9.0", "", "1", "1.", "one", "1.x.0", "1.20"})
        CHECK_MESSAGE(may(version), version);
    for (const char* version : {"1.2.0", "1.2.1", "1.3.0", "1.10.0-rc.1", "2.0.0"})
        CHECK_MESSAGE(!may(version), version);
    CHECK(may_have_image_annotations("{}").value());
    CHECK_FALSE(may_have_image_annotations("x"));
    CHECK_FALSE(may_have_image_annotations(R"({"ociVersion":1.2})"));
}

TEST_CASE("annotation authors: a container's image, by containers/storage") {
    const char* list =
        R"([{"id":"c1","names":["x"],"image":"e4a3","layer":"l"},{"id":"c2","image":""},{"id":"c3"}])";
    CHECK(find_image_id(list, "c1").value() == "e4a3");
    CHECK(find_image_id(list, "c2").value() == "");
    CHECK(find_image_id(list, "c3").value() == "");
    CHECK_FALSE(find_image_id(list, "c4").value());
    CHECK_FALSE(find_image_id("[]", "c1").value());
    for (const char* wrong : {"", "{}", "[", "[1]", R"([{"id":"c1","image":"../x"}])",
                              R"([{"id":"c1","image":1}])", R"([] , "containers": [])"})
        CHECK_MESSAGE(!find_image_id(wrong, "c1"), wrong);
    for (const char* name : {"manifest", "manifest-sha256:00",
                             "=bWFuaWZlc3Qtc2hhMjU2Ojc1NzhiM2QxMWU0NzQ1MGYwMmNkYzQ2NTJlZjBhZTVhNjZm"
                             "ZWViY2NkZDQ3YTBhOTlkMWU4YjUzNDg5MWI4NDI="})
        CHECK_MESSAGE(is_manifest_name(name), name);
    for (const char* name : {".", "..", "=c2lnbmF0dXJlLTc1", "manifests", ""})
        CHECK_MESSAGE(!is_manifest_name(name), name);
}

TEST_CASE("annotation authors: the pod's word holds for its containers") {
    struct Row {
        const char* name;
        Annotations pod, container, kept;
        std::size_t ignored;
    };
    const Row rows[] = {
        {"nobody asks", {}, ours({}), ours({}), 0},
        {"the container alone",
         {},
         ours({{"", "true"}, {".allow", "host:80"}}),
         ours({{"", "true"}, {".allow", "host:80"}}),
         0},
        {"no word of the container's", ours({{"", "true"}, {".allow", "host:80"}}),
         ours({{"", "true"}, {".allow", "host:80"}}), ours({{"", "true"}, {".allow", "host:80"}}),
         0},
        {"false against true", ours({{"", "true"}}), ours({{"", "false"}}), ours({{"", "true"}}),
         1},
        {"audit against true", ours({{"", "true"}}), ours({{"", "audit"}}), ours({{"", "true"}}),
         1},
        {"false against audit", ours({{"", "audit"}}), ours({{"", "false"}}), ours({{"", "audit"}}),
         1},
        {"true against audit", ours({{"", "audit"}}), ours({{"", "true"}}), ours({{"", "true"}}),
         0},
        {"true against false", ours({{"", "false"}}), ours({{"", "true"}, {".allow", "host:80"}}),
         ours({{"", "true"}, {".allow", "host:80"}}), 0},
        {"more exceptions", ours({{"", "true"}, {".allow", "host:80"}}),
         ours({{"", "true"}, {".allow", "host:80 host:81"}}),
         ours({{"", "true"}, {".allow", "host:80"}}), 1},
        {"exceptions of its own", ours({{"", "true"}}),
         ours({{"", "true"}, {".allow", "host:81"}, {".accept", "vsock"}, {".on-failure", "run"}}),
         ours({{"", "true"}}), 3},
        {"DNS off against auto", ours({{"", "true"}, {".dns", "off"}}),
         ours({{"", "true"}, {".dns", "auto"}}), ours({{"", "true"}, {".dns", "off"}}), 1},
        {"DNS auto against off", ours({{"", "true"}, {".dns", "auto"}}),
         ours({{"", "true"}, {".dns", "off"}}), ours({{"", "true"}, {".dns", "off"}}), 0},
        {"other blocks are added", ours({{"", "true"}, {".also", "private"}}),
         ours({{"", "true"}, {".also", "gateway"}}),
         ours({{"", "true"}, {".also", "private gateway"}}), 0},
        {"what the container's list lacks", ours({{"", "true"}, {".also", "private"}}), ours({}),
         ours({{"", "true"}, {".also", "private"}}), 0},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        Annotations annotations = row.container;
        CHECK(hold_to_pod(annotations, row.pod).size() == row.ignored);
        CHECK(annotations == row.kept);
    }
}

TEST_CASE("annotation authors: which containers are in a pod of CRI-O") {
    const Annotations pod = {{"io.container.manager", "cri-o"},
                             {"io.kubernetes.cri-o.SandboxID", "s"}};
    CHECK(find_sandbox_id(pod, "c") == "s");
    CHECK_FALSE(find_sandbox_id(pod, "s"));
    CHECK_FALSE(find_sandbox_id(
        {{"io.container.manager", "libpod"}, {"io.kubernetes.cri-o.SandboxID", "s"}}, "c"));
    CHECK_FALSE(find_sandbox_id({{"io.container.manager", "cri-o"}}, "c"));
    CHECK(is_sandbox_of_pod(pod, "s"));
    CHECK_FALSE(is_sandbox_of_pod(pod, "c"));
    CHECK_FALSE(is_sandbox_of_pod({{"io.kubernetes.cri-o.SandboxID", "s"}}, "s"));
    CHECK_FALSE(is_sandbox_of_pod({}, ""));
}
