// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every program that a jail may have on this kernel, as it stands in this binary and before anything is asked of it: tests/mutants tells by this a
// mutant that the verifier turns down from one that a test catches.
#include <doctest/doctest.h>

#include "expect.h"
#include "jail/build.h"
#include "kernel_bpf.h"

namespace jail_ai::test {

TEST_CASE("the kernel takes the programs of a jail") {
    const TestCgroup cgroup;
    const auto opened = Cgroup::at(cgroup.path());
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

}  // namespace jail_ai::test
