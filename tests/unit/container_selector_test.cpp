// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which containers the words behind a verb mean.
#include "commands/container_selector.h"

#include <doctest/doctest.h>

#include <array>

#include "commands/selected_jails.h"

using namespace jail_ai;

namespace {

const std::vector<RunningContainer> kRunning = {
    {"abc1", "web"}, {"abc2", "abc"}, {"ffff", "web"}, {"web9", "other"}};

ContainerSelector meant(std::vector<std::string> words) {
    return {std::move(words), kRunning};
}

}  // namespace

TEST_CASE("container selector: all, without a word") {
    CHECK(meant({}).all());
    CHECK(meant({}).has("abc1"));
    CHECK(meant({}).has(""));
    CHECK(meant({}).first_unknown({}) == nullptr);
}

TEST_CASE("container selector: an ID, its beginning, or a name") {
    CHECK(meant({"abc1"}).has("abc1"));
    CHECK_FALSE(meant({"abc1"}).has("abc2"));
    CHECK(meant({"ab"}).has("abc1"));
    CHECK(meant({"ab"}).has("abc2"));
    CHECK(meant({"other"}).has("web9"));
    CHECK_FALSE(meant({"othe"}).has("web9"));
    CHECK(meant({"abc1", "other"}).has("web9"));
}

TEST_CASE("container selector: the same name of several users") {
    CHECK(meant({"web"}).has("abc1"));
    CHECK(meant({"web"}).has("ffff"));
}

TEST_CASE("container selector: a name hides no ID that begins so, and no ID another") {
    CHECK(meant({"web"}).has("web9"));
    CHECK(meant({"abc"}).has("abc1"));
    CHECK(meant({"abc"}).has("abc2"));
    CHECK(meant({"abc1"}).has("abc12"));
}

TEST_CASE("container selector: a word that selects none is reported") {
    const auto ids = std::to_array<std::string_view>({"abc1", ""});
    CHECK(meant({"abc1", "web"}).first_unknown(ids) == nullptr);
    const ContainerSelector with_unknown = meant({"abc1", "other", "nobody"});
    REQUIRE(with_unknown.first_unknown(ids) != nullptr);
    CHECK(*with_unknown.first_unknown(ids) == "other");
    const auto checked = check_jailed(meant({"nobody"}), ids);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().exit_code == EX_NOINPUT);
    CHECK(checked.error().message ==
          "container 'nobody' has no jail on this machine: jail-ai-hook status lists the jails");
}

TEST_CASE(
    "container selector: the jail of another version is that of the container in its cgroup") {
    JailSnapshot jail;
    jail.cgroup = "/machine.slice/libpod-1.scope/container";
    const std::vector<RunningContainer> running = {
        {.id = "abc1", .name = "web", .cgroup = "/machine.slice/libpod-10.scope/container"},
        {.id = "abc2", .name = "agent", .cgroup = "/machine.slice/libpod-1.scope/container/init"}};
    const auto found = select_jails({jail}, running, {"agent"});
    REQUIRE(found);
    REQUIRE(found->size() == 1);
    CHECK(found->front().container_id() == "abc2");
    CHECK(found->front().name == "agent");
    CHECK(select_jails({jail}, running, {"abc2"}));
    CHECK_FALSE(select_jails({jail}, running, {"web"}));
}
