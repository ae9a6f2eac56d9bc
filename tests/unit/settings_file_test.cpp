// SPDX-License-Identifier: Apache-2.0 OR MIT
#include <doctest/doctest.h>

#include <string>

#include "container/settings_file.h"
#include "verify/facts.h"

namespace jail_ai {
namespace {

std::string error_of(std::string_view toml) {
    const auto defaults = parse_settings_file(toml);
    return defaults ? "" : defaults.error().message;
}

TEST_CASE("settings file: the flags by their names, as TOML") {
    const auto defaults = parse_settings_file(R"(# for every container
block-host = true
allow = ["host:11434", "10.88.0.1:5432-5433"]
also = "private link-local"
dns = "off"
accept = []
enforce = true
)");
    REQUIRE(defaults);
    CHECK(defaults->settings.mode == Mode::enforce);
    CHECK(defaults->settings.allow.size() == 2);
    CHECK(defaults->settings.also.size() == 2);
    CHECK(defaults->settings.dns == Dns::off);
    CHECK(defaults->enforced);
}

TEST_CASE("settings file: an empty one says nothing") {
    const auto defaults = parse_settings_file("# nothing\n");
    REQUIRE(defaults);
    CHECK_FALSE(defaults->settings.mode.has_value());
    CHECK_FALSE(defaults->enforced);
    CHECK(parse_settings_file("enforce = false")->enforced == false);
    CHECK(parse_settings_file("block-host = \"audit\"")->settings.mode == Mode::audit);
    CHECK(parse_settings_file("block-host = false")->settings.mode == Mode::off);
}

TEST_CASE("settings file: each mistake is named") {
    CHECK(error_of("block-host").starts_with("not TOML: line 1"));
    CHECK(error_of("block-host: true").ends_with("expected '=', saw ':'"));
    CHECK(error_of("block-host = 1").find("line 1: block-host: expected a string") == 0);
    CHECK(error_of("\nblock_host = true")
              .find("line 2: unknown setting 'block_host': expected one of enforce, "
                    "block-host, allow, ") == 0);
    CHECK(error_of("[jail]\nblock-host = true").find("line 1: unknown setting 'jail'") == 0);
    CHECK(error_of("# as it should be\n\nblock-host = \"maybe\"") ==
          "line 3: block-host: 'maybe': expected one of true, audit, false");
    CHECK(error_of("block-host = true\nallow = [\n  \"host:1\",\n  \"host\"\n]")
              .find("line 2: allow: 'host': ") == 0);
    CHECK(error_of("allow = [1]").find("line 1: allow: expected a string") == 0);
    CHECK(error_of("enforce = \"yes\"") == "line 1: enforce: expected true or false");
    CHECK(error_of("enforce = true").find("enforce needs block-host") == 0);
    CHECK(error_of("block-host = true\nenforce = true\non-failure = \"run\"")
              .find("contradict each other") != std::string::npos);
    CHECK(error_of("block-host = true\nblock-host = false").find("not TOML: line 2") == 0);
    CHECK(parse_settings_file("x = 1").error().exit_code == EX_CONFIG);
}

TEST_CASE("verify: what the machine's settings ask for of containers") {
    const auto asked = [](std::string_view toml, const Annotations& annotations) {
        return requested_mode(annotations, parse_settings_file(toml).value());
    };
    const Annotations off = {{"jail-ai.block-host", "false"}};
    CHECK(asked("", {}) == RequestedMode::nothing);
    CHECK(asked("block-host = true", {}) == RequestedMode::enforce);
    CHECK(asked("block-host = \"audit\"", {}) == RequestedMode::audit);
    CHECK(asked("block-host = true", off) == RequestedMode::off);
    CHECK(asked("block-host = true\nenforce = true", off) == RequestedMode::unclear);
}

}  // namespace
}  // namespace jail_ai
