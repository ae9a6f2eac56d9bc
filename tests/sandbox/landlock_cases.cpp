// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phase 5: Landlock, seen from behind it. The filter would kill for most of what Landlock denies,
// so this asks for what the filter lets pass: to read.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confined.h"
#include "protocol_reporter.h"

#define NEED_LANDLOCK()                                                                          \
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0) \
    SKIP_CASE("no Landlock on this kernel")

namespace jail_ai::test {
namespace {

const Deed read_a_file = [] {
    return static_cast<long>(::open("/dev/null", O_RDONLY | O_CLOEXEC));
};
const Deed list_the_root = [] {
    return static_cast<long>(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
};
const Deed read_of_the_kernel = [] {
    return static_cast<long>(::open("/proc/self/status", O_RDONLY | O_CLOEXEC));
};
const Deed look_into_another = [] {
    struct stat info {};
    return static_cast<long>(::stat("/proc/1/ns/net", &info));
};

TEST_CASE("precreate reads what the kernel says and no other file") {
    NEED_LANDLOCK();
    CHECK(confined(Role::precreate, read_of_the_kernel) == "does");
    CHECK(confined(Role::precreate, read_a_file) == "EACCES");
    CHECK(confined(Role::precreate, list_the_root) == "EACCES");
    CHECK(unconfined(read_a_file) == "does");
    CHECK(unconfined(list_the_root) == "does");
}

TEST_CASE("a role that reads other processes is not behind Landlock, which denies that") {
    for (const Role role : {Role::create_runtime, Role::ask_broker, Role::broker}) {
        CAPTURE(name_of(role));
        CHECK(confined(role, look_into_another) == "does");
        CHECK(confined(role, read_a_file) == "does");
    }
    NEED_LANDLOCK();
    CHECK(confined(Role::precreate, look_into_another) == "EACCES");
}

}  // namespace
}  // namespace jail_ai::test
