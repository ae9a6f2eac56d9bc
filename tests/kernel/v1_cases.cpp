// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A kernel on which cgroup v1 takes sockets away from cgroup v2 (system/blinding_hierarchy.h), by
// the real thing. What it does to the kernel stays until that boots again: only for the emulated
// machines of tests/vm, after everything else.
#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <string>

#include "attempt.h"
#include "expect.h"
#include "files.h"
#include "jail/acting.h"
#include "kernel_bpf.h"
#include "must.h"
#include "netns.h"
#include "protocol_reporter.h"
#include "system/cgroup_v1.h"
#include "system/prober.h"

namespace jail_ai::test {
namespace {

std::string try_host(Container& container) {
    const Destination host = destination("10.77.0.1", kPort);
    return error_name(
        container.init.run([=] { return attempt(Way::tcp_connect, host, fresh_token()); }));
}

// The kernel takes down groups and hierarchies in its own time, and no hierarchy that has a group
// when it is unmounted.
template <typename Condition>
void await(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < deadline) ::sched_yield();
}

// Is the root the only group of net_prio's hierarchy (cgroups(7), /proc/cgroups)?
bool has_no_group() {
    std::istringstream lines(read_file("/proc/cgroups"));
    std::string name;
    int hierarchy = 0, groups = 0, enabled = 0;
    lines.ignore(256, '\n');
    while (lines >> name >> hierarchy >> groups >> enabled)
        if (name == "net_prio") return groups == 1;
    return true;
}

TEST_CASE(
    "once net_prio has been used nothing is jailed any more: refused, and running jails are found "
    "out") {
    if (kernel_is_at_least(5, 15))
        SKIP_CASE("cgroup v1 takes no socket from cgroup v2 here (Linux 5.15)");
    Container before, mounted, after;  // before the prober, whose descriptor they would inherit
    {
        const Visit visit(Laboratory::get().network.host);  // whose loopback device is up
        REQUIRE(static_cast<bool>(Prober::start([] { return ok(); })));
    }
    expect_jailed(before.run_hook(), before.cgroup);
    const Status acted = prove_attached(before.cgroup.fd());
    CHECK_MESSAGE(acted, acted.error().message);
    CHECK(try_host(before) == "EPERM");

    const std::string hierarchy = Laboratory::get().dev.make_directory();
    must(::mount("none", hierarchy.c_str(), "cgroup", 0, "net_prio"), "mount net_prio");
    expect_refused(mounted.run_hook(), EX_UNAVAILABLE,
                   "can't be relied on: net_prio of cgroup v1 is mounted", mounted.cgroup);
    CHECK(try_host(before) == "EPERM");

    const std::string group = hierarchy + "/group";
    make_directory(group);
    write_file(group + "/cgroup.procs", std::to_string(::getpid()));
    CHECK(try_host(before) == "none");
    const Status acts = prove_attached(before.cgroup.fd());
    REQUIRE_FALSE(acts);
    CHECK(acts.error().exit_code == EX_UNAVAILABLE);
    CHECK(acts.error().message.find("connect(2), IPv4 is not denied by them") != std::string::npos);

    // The hierarchy gone, only the probe can tell.
    write_file(hierarchy + "/cgroup.procs", std::to_string(::getpid()));
    must(::rmdir(group.c_str()), "remove a group");
    await(has_no_group);
    must(::umount(hierarchy.c_str()), "unmount net_prio");
    await([] { return static_cast<bool>(check_cgroup_v1()); });
    REQUIRE(static_cast<bool>(check_cgroup_v1()));
    expect_refused(
        after.run_hook(), EX_UNAVAILABLE,
        "the block does not act: the programs are attached, and connect(2), IPv4 is not denied",
        after.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
