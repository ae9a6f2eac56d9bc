// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// podman's settings, as far as they are read here.
#include "engines/containers_conf.h"

#include <doctest/doctest.h>

namespace jail_ai {
namespace {

using Words = std::vector<std::string>;

TEST_CASE("containers.conf: hooks_dir") {
    struct Row {
        const char* text;
        std::optional<ConfiguredList> dirs;
    };
    const Row rows[] = {
        {"", std::nullopt},
        {"[engine]\n", std::nullopt},
        {"[engine]\nhooks_dir = [\"/a\", '/b']\n", ConfiguredList{{"/a", "/b"}}},
        {"[engine]\nhooks_dir=[\"/a\"]", ConfiguredList{{"/a"}}},
        {"[engine]\n  hooks_dir = []\n", ConfiguredList{}},
        {"[engine]\nhooks_dir = [\n  \"/a\", # not \"/x\"\n  \"/b\",\n]\nruntime = \"crun\"\n",
         ConfiguredList{{"/a", "/b"}}},
        {"[engine]\n#hooks_dir = [\"/a\"]\n", std::nullopt},
        {"[engine]\nhooks_directory = [\"/a\"]\n", std::nullopt},
        {"[engine]\nhooks_dir = \"/a\"\n", std::nullopt},
        {"[containers]\nhooks_dir = [\"/a\"]\n", std::nullopt},
        {"engine = 1\n", std::nullopt},
        {"[containers]\nannotations = [\"x\"]\n[engine] # ours\nhooks_dir = [\"/a\"]\n[network]\n",
         ConfiguredList{{"/a"}}},
        {"[engine]\nhooks_dir = [\"/a\"]\n[engine.runtimes]\nhooks_dir = [\"/b\"]\n",
         ConfiguredList{{"/a"}}},
        {"[engine]\nhooks_dir = [\"/a\", {append=true}]\n", ConfiguredList{{"/a"}, true}},
        {"[engine]\nhooks_dir = [{append = false}, \"/a\"]\n", ConfiguredList{{"/a"}, false}},
        {"[ engine ]\nhooks_dir = [\"/a\"]\n", ConfiguredList{{"/a"}}},
        {"engine.hooks_dir = [\"/a\"]\n", ConfiguredList{{"/a"}}},
        {"\"engine\" = { hooks_dir = ['''/a'''] }\n", ConfiguredList{{"/a"}}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto conf = parse_containers_conf(row.text);
        REQUIRE(conf);
        CHECK(conf->hooks_dir == row.dirs);
    }
}

TEST_CASE("containers.conf: options of user-mode networks") {
    const auto conf = parse_containers_conf(
        "[engine]\nnetwork_cmd_options = [\"cidr=10.6.0.0/24\"]\n[network]\npasta_options = "
        "[\"--map-gw\", \"-T\", \"4000\"]\n");
    REQUIRE(conf);
    CHECK(conf->network_cmd_options == ConfiguredList{{"cidr=10.6.0.0/24"}});
    CHECK(conf->pasta_options == ConfiguredList{{"--map-gw", "-T", "4000"}});
}

TEST_CASE("containers.conf: a later file replaces a list, or adds to it") {
    Words values{"/default"};
    take_list(std::nullopt, values);
    CHECK(values == Words{"/default"});
    take_list(ConfiguredList{{"/a"}, true}, values);
    CHECK(values == Words{"/default", "/a"});
    take_list(ConfiguredList{{"/b"}, false}, values);
    CHECK(values == Words{"/b"});
}

TEST_CASE("containers.conf: what is not TOML is an error that names the line") {
    for (const char* text :
         {"[engine", "[engine]\nhooks_dir = [\"/unclosed", "x", "a = 1\na = 2\n"}) {
        CAPTURE(text);
        const auto conf = parse_containers_conf(text);
        REQUIRE_FALSE(conf);
        CHECK(conf.error().exit_code == EX_DATAERR);
        CHECK(conf.error().message.starts_with("not TOML: line "));
    }
}

// A newer toml++ has a line for these, too.
TEST_CASE("containers.conf: so is what toml++ asserts not to meet") {
    for (const char* text : {"[&", "[$engine]\n", "[[[a]]]\n", "[engine]\na.&b = 1\n"}) {
        CAPTURE(text);
        const auto conf = parse_containers_conf(text);
        REQUIRE_FALSE(conf);
        CHECK(conf.error().exit_code == EX_DATAERR);
        CHECK(conf.error().message.starts_with("not TOML"));
    }
}

}  // namespace
}  // namespace jail_ai
