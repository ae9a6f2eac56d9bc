// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long a jail lasts and whom it holds: as long as the cgroup, whoever is in it or below it,
// whatever the one inside tries.
#include <doctest/doctest.h>
#include <sched.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>

#include "expect.h"
#include "kernel_bpf.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

// The kernel frees programs and maps from a work queue and tells nobody, hence the polling.
template <typename Gone>
bool eventually(Gone gone) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!gone()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

TEST_CASE("the jail outlives the hook") {
    Container container;
    expect_host_reached(container.init);
    const HookOutcome outcome = container.run_hook();  // returns when the hook has been reaped
    expect_jailed(outcome, container.cgroup);
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("the jail goes with its cgroup: no program and no map stays") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    std::set<std::uint32_t> programs, maps;
    for (const auto& each : jail_attachments(container.cgroup.fd())) {
        programs.insert(each.id);
        for (const std::uint32_t map : maps_of(each.id)) maps.insert(map);
    }
    CHECK(programs.size() == programs_of_a_jail());
    CHECK(maps.size() >= 2);
    for (const std::uint32_t id : programs) CHECK(program_exists(id));
    for (const std::uint32_t id : maps) CHECK(map_exists(id));
    container.init.end();
    container.cgroup.remove();
    for (const std::uint32_t id : programs) CHECK(eventually([=] { return !program_exists(id); }));
    for (const std::uint32_t id : maps) CHECK(eventually([=] { return !map_exists(id); }));
}

TEST_CASE("child cgroups are held too, others are not") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const TestCgroup below(container.cgroup, "below");
    const TestCgroup far_below(below, "below");
    const TestCgroup beside;
    const NetworkNamespace& network = Laboratory::get().network.container;
    Child grandchild({.cgroup = &far_below, .network = &network});
    Child neighbour({.cgroup = &beside, .network = &network});
    expect_host_blocked(grandchild, container.cgroup);
    expect_host_reached(neighbour);
    // Moved in, it is held; moved out, it isn't.
    container.cgroup.add(neighbour.pid());
    expect_host_blocked(neighbour, container.cgroup);
    beside.add(grandchild.pid());
    expect_host_reached(grandchild);
}

TEST_CASE("a process that changes its network, user and cgroup namespaces stays held") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const int network = Laboratory::get().network.internet.fd();
    CHECK(container.init.run([=] { return ::setns(network, CLONE_NEWNET); }) == 0);
    CHECK(container.init.run([] { return ::unshare(CLONE_NEWUSER | CLONE_NEWCGROUP); }) == 0);
    expect_host_blocked(container.init, container.cgroup);
}

struct Attacker {
    const char* name;
    int (*become)();  // 0, or errno
};

constexpr Attacker kAttackers[] = {
    {"user nobody without capabilities",
     [] {
         return ::setresgid(65534, 65534, 65534) == 0 && ::setresuid(65534, 65534, 65534) == 0
                    ? 0
                    : errno;
     }},
    {"root of a user namespace with every capability there",
     [] { return ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno; }},
};

TEST_CASE("a process without privilege over the machine can't detach the jail") {
    for (const Attacker& attacker : kAttackers) {
        SUBCASE(attacker.name) {
            guarded([&] {
                Container container;
                expect_jailed(container.run_hook(), container.cgroup);
                Child child({.network = &Laboratory::get().network.container});
                const auto become = attacker.become;
                const int refused = child.run([=] { return become(); });
                if (refused != 0) SKIP_CASE("can't become it: " + error_name(refused));
                const std::vector<Attachment> before = jail_attachments(container.cgroup.fd());
                if (before.empty()) throw std::runtime_error("nothing is attached");
                const int cgroup = container.cgroup.fd();
                for (const Attachment& each : before) {
                    INFO(each.name);
                    const std::uint32_t type = each.type, id = each.id;
                    const int detached = child.run([=] { return try_detach(cgroup, type, 0); });
                    CHECK((detached == EPERM || detached == EINVAL ||
                           (type == BPF_LSM_CGROUP && detached == ENOENT)));
                    CHECK(error_name(child.run([=] { return try_open_program(id); })) == "EPERM");
                }
                CHECK((jail_attachments(container.cgroup.fd()) == before));
                expect_host_blocked(container.init, container.cgroup);
                // The attempt itself is sound: the same call by the machine's root, with the
                // program in hand, detaches.
                const Attachment& first = before.front();
                CHECK(error_name(detach_by_id(cgroup, first.type, first.id)) == "none");
                CHECK(jail_attachments(container.cgroup.fd()).size() == before.size() - 1);
            });
        }
    }
}

}  // namespace
}  // namespace jail_ai::test
