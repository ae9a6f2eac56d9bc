// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Which mounts of a namespace can be reached, and which a runtime has added.
#include "container/mountinfo.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace jail_ai;

namespace {

constexpr const char* kHost =
    "68 59 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
    "75 68 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
    "84 68 0:41 / /run rw,relatime shared:3 - tmpfs tmpfs rw\n";

// What a runtime has made of it: a root, with a proc, a bind, and a cgroup file system.
const std::string kContainer =
    std::string(kHost) +
    "90 84 0:41 /c/root /run/c/root rw,relatime - tmpfs tmpfs rw\n"
    "91 90 0:47 / /run/c/root/proc rw,relatime - proc proc rw\n"
    "92 90 0:41 /podman /run/c/root/a\\040b ro,relatime master:3 - tmpfs tmpfs rw\n"
    "94 90 0:38 /jail /run/c/root/sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";

std::string points(const std::vector<MountEntry>& mounts) {
    std::vector<std::string> sorted;
    for (const MountEntry& mount : mounts) sorted.push_back(mount.mount_point);
    std::sort(sorted.begin(), sorted.end());
    std::string all;
    for (const std::string& point : sorted) all += point + ",";
    return all;
}

std::string visible(const std::string& table, const char* directory = "/") {
    return points(visible_mounts(parse_mountinfo(table), directory));
}

}  // namespace

TEST_CASE("mountinfo: each field, with escapes, and what isn't a line") {
    const auto all =
        parse_mountinfo(kContainer + "\nnonsense\n1 2 3 - x y z\nx 1 0:1 / /a rw - proc proc rw\n");
    REQUIRE(all.size() == 7);
    CHECK(all[5] == MountEntry{92, 90, "0:41", "/podman", "/run/c/root/a b", true, "tmpfs"});
    CHECK_FALSE(all[4].read_only);
    CHECK_FALSE(parse_mountinfo("1 2 0:1 / /a rw,ro - proc proc ro\n")[0].read_only);
}

TEST_CASE("mountinfo: a container's root and what is below it") {
    CHECK(visible(kContainer, "/run/c/root") ==
          "/run/c/root,/run/c/root/a b,/run/c/root/proc,/run/c/root/sys/fs/cgroup,");
    CHECK(visible(kContainer, "/run/c") == "");
    CHECK(visible(kHost) == "/,/run,/sys/fs/cgroup,");
    CHECK(visible("", "/") == "");
}

TEST_CASE("mountinfo: what a mount covers isn't seen, what lies on top is") {
    const std::string root = "1 0 0:1 / / rw - ext4 x rw\n";
    CHECK(visible(root + "2 1 0:2 / /a/b rw - tmpfs x rw\n3 1 0:3 / /a rw - tmpfs x rw\n") ==
          "/,/a,");
    CHECK(visible(root + "2 1 0:2 / /a/b rw - tmpfs x rw\n3 1 0:3 / /a/bc rw - tmpfs x rw\n") ==
          "/,/a/b,/a/bc,");
    CHECK(visible(root + "2 1 0:2 / /a rw - tmpfs x rw\n3 2 0:3 / /a/b rw - tmpfs x rw\n4 2 0:4 / "
                         "/a rw - tmpfs x rw\n") == "/,/a,");
    // On the root itself, as under a container that has entered it.
    CHECK(visible(root + "2 1 0:2 / / rw - tmpfs x rw\n3 2 0:3 / /a rw - tmpfs x rw\n4 1 0:4 / "
                         "/lost rw - tmpfs x rw\n") == "/,/a,");
    // Two on one directory of the same parent: nobody can say which is in front.
    CHECK(visible(root + "2 1 0:2 / /a rw - tmpfs x rw\n3 1 0:3 / /a rw - tmpfs x rw\n") ==
          "/,/a,/a,");
    // Whatever numbers a table has, it comes to an end.
    CHECK(visible("1 2 0:1 / / rw - ext4 x rw\n2 1 0:1 / /a rw - ext4 x rw\n") == "/,/a,");
}

TEST_CASE("mountinfo: added is what the other namespace doesn't have, also a second of the same") {
    CHECK(points(added_mounts(parse_mountinfo(kContainer), parse_mountinfo(kHost))) ==
          "/run/c/root,/run/c/root/a b,/run/c/root/proc,/run/c/root/sys/fs/cgroup,");
    const auto one = parse_mountinfo("1 0 0:1 / /merged rw - overlay x rw\n");
    const auto two = parse_mountinfo(
        "7 0 0:1 / /merged rw - overlay x rw\n8 7 0:1 / /merged rw - overlay x rw\n");
    CHECK(added_mounts(two, one).size() == 1);
    CHECK(added_mounts(one, two).empty());
}

TEST_CASE("mountinfo: the host's path of a part of a file system") {
    const auto host = parse_mountinfo(kHost);
    CHECK(path_of_part(host, "0:41", "/podman") == "/run/podman");
    CHECK(path_of_part(host, "0:41", "/") == "/run");
    CHECK(path_of_part(host, "254:0", "/srv/x") == "/srv/x");
    CHECK(path_of_part(host, "254:0", "/") == "/");
    CHECK(path_of_part(host, "9:9", "/x") == "/x");
    CHECK(path_of_part(parse_mountinfo("1 0 8:1 /sub /mnt rw - ext4 x rw\n"), "8:1", "/sub/a") ==
          "/mnt/a");
}
