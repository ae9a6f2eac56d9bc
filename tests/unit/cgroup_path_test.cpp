// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// From /proc/PID/cgroup and mountinfo to a place that can be opened.
#include "container/cgroup_path.h"

#include "container/mountinfo.h"

#include "data_file.h"

using namespace jail_ai;

TEST_CASE("cgroup path: the 0:: line is found among those of version 1") {
    CHECK(*parse_cgroup_path(data_file("cgroup/unified")) ==
          "/user.slice/user-0.slice/session-18.scope");
    CHECK(*parse_cgroup_path(data_file("cgroup/hybrid")) == "/libpod_parent/libpod-3d6a");
    CHECK(*parse_cgroup_path("0::/\n") == "/");
    CHECK(*parse_cgroup_path("0::/a b\n") == "/a b");
}

TEST_CASE("cgroup path: none, or a removed one, is an error") {
    CHECK(parse_cgroup_path("4:memory:/x\n").error().exit_code == EX_UNAVAILABLE);
    CHECK(parse_cgroup_path("").error().exit_code == EX_UNAVAILABLE);
    CHECK(parse_cgroup_path("10::/x\n").error().exit_code == EX_UNAVAILABLE);
    const auto removed = parse_cgroup_path("0::/x (deleted)\n");
    REQUIRE_FALSE(removed);
    CHECK(removed.error().message == "cgroup '/x (deleted)' has been removed");
}

TEST_CASE("cgroup place: the real mount, also on hybrid machines") {
    const auto place =
        place_cgroup(data_file("cgroup/mountinfo-hybrid"), "/libpod_parent/libpod-3d6a");
    REQUIRE(place);
    CHECK(place->mount_point == "/sys/fs/cgroup/unified");
    CHECK(place->path == "libpod_parent/libpod-3d6a");
}

TEST_CASE("cgroup place: a mount of a subtree serves what lies in it") {
    const std::string views = data_file("cgroup/mountinfo-views");
    const auto inside = place_cgroup(views, "/a/b/c");
    REQUIRE(inside);
    CHECK(inside->mount_point == "/mnt/only b");
    CHECK(inside->path == "c");
    CHECK(place_cgroup(views, "/a/b")->path == ".");
    CHECK(place_cgroup(views, "/a/bc").error().message == "no cgroup2 mount shows cgroup '/a/bc'");
    const auto whole = place_cgroup(views + data_file("cgroup/mountinfo-hybrid"), "/a/b/c");
    CHECK(whole->mount_point == "/sys/fs/cgroup/unified");
}

TEST_CASE("cgroup place: a path out of the namespace, and no mount at all") {
    CHECK(place_cgroup(data_file("cgroup/mountinfo-hybrid"), "/../x").error().message ==
          "cgroup '/../x' lies outside of the hook's cgroup namespace");
    CHECK(place_cgroup("31 23 0:28 / /sys rw - tmpfs tmpfs rw\n", "/x").error().exit_code ==
          EX_UNAVAILABLE);
    CHECK(place_cgroup("garbage\n - cgroup2\n", "/x").error().exit_code == EX_UNAVAILABLE);
}

TEST_CASE("cgroup mounts: of every version") {
    CHECK(find_cgroup_mounts(data_file("cgroup/mountinfo-hybrid")) ==
          std::vector<std::string>{"/sys/fs/cgroup/memory", "/sys/fs/cgroup/systemd",
                                   "/sys/fs/cgroup/unified"});
}

TEST_CASE("cgroup path: at or below is by whole names") {
    CHECK(is_at_or_below("/a/b", "/a/b"));
    CHECK(is_at_or_below("/a/b/c", "/a/b"));
    CHECK(is_at_or_below("/a", "/"));
    CHECK_FALSE(is_at_or_below("/a/bc", "/a/b"));
    CHECK_FALSE(is_at_or_below("/a", "/a/b"));
}

TEST_CASE("cgroup path: what runs there is called by its unit") {
    CHECK(unit_or_cgroup("/system.slice/agent.service/agent") == "agent.service");
    CHECK(unit_or_cgroup("/machine.slice/systemd-nspawn@agent.service/payload") ==
          "systemd-nspawn@agent.service");
    CHECK(unit_or_cgroup("/user.slice/user-0.slice/session-18.scope") == "session-18.scope");
    CHECK(unit_or_cgroup("/user@1000.service/app.slice/agent.service/a/b") == "agent.service");
    CHECK(unit_or_cgroup("/tests/container") == "container");
    CHECK(unit_or_cgroup("alone") == "alone");
}
