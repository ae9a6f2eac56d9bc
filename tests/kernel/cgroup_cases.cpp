// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Walks through cgroups: too deep is an error and never a silent end, wherever one is made; what
// goes meanwhile is none.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <vector>

#include "container.h"
#include "expect.h"
#include "jail/connections.h"
#include "system/cgroup_walk.h"

namespace jail_ai::test {
namespace {

constexpr std::string_view kTooDeep = "nested deeper than 64 levels";

// One in the other, below a cgroup.
struct Nest {
    Nest(const TestCgroup& top, std::size_t levels) {
        for (std::size_t i = 0; i < levels; ++i)
            cgroups.push_back(std::make_unique<TestCgroup>(i == 0 ? top : *cgroups.back(), "d"));
    }
    ~Nest() {
        while (!cgroups.empty()) cgroups.pop_back();
    }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;

    std::vector<std::unique_ptr<TestCgroup>> cgroups;
};

template <typename T>
void expect_too_deep(const Result<T>& result) {
    REQUIRE_FALSE(result);
    INFO(result.error().message);
    CHECK(result.error().exit_code == EX_CONFIG);
    CHECK(result.error().message.find(kTooDeep) != std::string::npos);
}

Result<Walk> go_on(int /*fd*/, const std::string& /*below*/) {
    return Walk::on;
}

TEST_CASE("a walk down comes to the bound, and fails behind it") {
    const TestCgroup top;
    const Nest nest(top, kMaxCgroupDepth);
    CHECK(walk_down(top.fd(), go_on));
    const TestCgroup deeper(*nest.cgroups.back(), "d");
    expect_too_deep(walk_down(top.fd(), go_on));
    // What has found what it looked for needs no more.
    CHECK(walk_down(top.fd(), [](int, const std::string& below) -> Result<Walk> {
        return below.size() > 64 ? Walk::done : Walk::on;
    }));
}

TEST_CASE("a walk up comes to the bound, and fails behind it") {
    const TestCgroup top;
    const auto above = cgroup_and_above(top.fd());
    REQUIRE(above);
    REQUIRE(above->size() < kMaxCgroupDepth);
    const Nest nest(top, kMaxCgroupDepth + 1 - above->size());
    const auto all = cgroup_and_above(nest.cgroups.back()->fd());
    REQUIRE(all);
    CHECK(all->size() == kMaxCgroupDepth + 1);  // the root is level 0
    const TestCgroup deeper(*nest.cgroups.back(), "d");
    expect_too_deep(cgroup_and_above(deeper.fd()));
    const Child inside({.cgroup = &deeper});
    const auto process = Process::open(inside.pid());
    REQUIRE(process);
    expect_too_deep(cgroups_of(*process));
}

TEST_CASE(
    "createRuntime: what is nested too deep in the container's cgroup may hold anything: refused") {
    const Container container;
    const Nest nest(container.cgroup, kMaxCgroupDepth + 1);
    expect_refused(container.run_hook(), EX_CONFIG, std::string(kTooDeep), container.cgroup);
}

TEST_CASE("connections from before: cgroups nested too deep may have some, and that is reported") {
    const Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const Nest nest(container.cgroup, kMaxCgroupDepth + 1);
    expect_too_deep(end_blocked_connections(container.cgroup.fd()));
}

// A user may nest as deep as may be, and is not to keep the administrator from looking at the
// others.
TEST_CASE("the walk through all of the machine's cgroups comes to the deepest") {
    const TestCgroup top;
    const Nest nest(top, 2 * kMaxCgroupDepth);
    const TestCgroup beside;
    std::set<std::string> seen;
    REQUIRE(for_each_cgroup([&](int /*fd*/, const std::string& path) {
        CHECK(seen.insert(path).second);
        return ok();
    }));
    const std::size_t mount = cgroup2_mount().size();
    CHECK(seen.contains("/"));
    CHECK(seen.contains(nest.cgroups.back()->path().substr(mount)));
    CHECK(seen.contains(beside.path().substr(mount)));
}

TEST_CASE("a cgroup that goes during a walk is left out, at whichever call") {
    TestCgroup top;
    for (const char* name : {"/a", "/a/x", "/a/x/y", "/b", "/c"})
        REQUIRE(::mkdir((top.path() + name).c_str(), 0755) == 0);
    std::set<std::string> seen;
    CHECK(walk_down(top.fd(), [&](int, const std::string& below) -> Result<Walk> {
        seen.insert(below);
        if (below == "/a/x/y") {  // the walk stands in it, and in what is above it
            for (const char* name : {"/a/x/y", "/a/x", "/a"})
                REQUIRE(::rmdir((top.path() + name).c_str()) == 0);
            return Error{EX_OSERR, "the kernel has no answers about it"};
        }
        return Walk::on;
    }));
    CHECK(seen == std::set<std::string>{"", "/a", "/a/x", "/a/x/y", "/b", "/c"});
    // One that nobody has looked at yet.
    seen.clear();
    CHECK(walk_down(top.fd(), [&](int, const std::string& below) -> Result<Walk> {
        seen.insert(below);
        if (!below.empty())
            REQUIRE(::rmdir((top.path() + (below == "/b" ? "/c" : "/b")).c_str()) == 0);
        return Walk::on;
    }));
    CHECK(seen.size() == 2);
}

TEST_CASE("what fails in a cgroup that is there ends the walk") {
    const TestCgroup top;
    const TestCgroup below(top, "below");
    const auto walked = walk_down(top.fd(), [](int, const std::string& path) -> Result<Walk> {
        if (path.empty()) return Walk::on;
        return Error{EX_OSERR, "no answer"};
    });
    REQUIRE_FALSE(walked);
    CHECK(walked.error().message == "no answer");
}

}  // namespace
}  // namespace jail_ai::test
