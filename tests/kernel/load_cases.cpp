// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every program that a jail may have on this kernel, as it stands in this binary and before
// anything is asked of it: tests/mutants tells by this a mutant that the verifier turns down from
// one that a test catches.
#include <doctest/doctest.h>

#include "container.h"
#include "expect.h"
#include "jail/build.h"
#include "kernel_bpf.h"

namespace jail_ai::test {

TEST_CASE("the kernel takes the programs of a jail") {
    const TestCgroup cgroup;
    const auto opened = Cgroup::from_path(cgroup.path());
    REQUIRE(opened);
    std::vector<Guard> guards = {Guard::none};
    if (kernel_has_unix_hooks()) guards.push_back(Guard::unix_hooks);
    if (kernel_has_guard()) guards.push_back(Guard::lsm);
    for (const bool other : {false, true}) {
        for (const Guard guard : guards) {
            const Policy policy{{}, other ? Mode::audit : Mode::enforce, other, {}};
            const auto jail = Jail::load(policy, guard, *opened, {"", 0, ""});
            CHECK_MESSAGE(jail, (jail ? std::string() : jail.error().message));
        }
    }
}

// The verifier gives up after a million (Linux 5.2), and clang decides how often it has to go
// around: one that turns a search without branches into one with branches makes it a million from
// ten thousand.
TEST_CASE(
    "the verifier is content with a jail's programs after a fraction of what it would go through") {
    constexpr std::uint32_t fraction = 100'000;
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    for (const Attachment& program : jail_attachments(container.cgroup.fd())) {
        INFO(program.name);
        CHECK(verified_instructions(program.id) < fraction);
    }
}

}  // namespace jail_ai::test
