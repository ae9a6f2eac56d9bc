// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Each capability that the hook keeps is in use: the same container is refused without it. And
// without the right to shed the bounding set it still confines itself.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include "expect.h"
#include "files.h"
#include "must.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

HookOutcome run_without(const Container& container, int capability) {
    HookCall call = container.call();
    // execve(2) gives root what the bounding set has.
    call.before_exec = [capability] {
        must(::prctl(PR_CAPBSET_DROP, capability), "drop a capability");
    };
    return Laboratory::get().hook.run(call);
}

TEST_CASE("without CAP_SYS_ADMIN: what is attached can't be looked at") {
    const Container container;
    expect_refused(run_without(container, CAP_SYS_ADMIN), EX_NOPERM, "Operation not permitted",
                   container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("without CAP_SYS_PTRACE: the container's process can't be looked at") {
    const Container container;
    expect_refused(run_without(container, CAP_SYS_PTRACE), EX_NOPERM,
                   "read link 'exe': Permission denied", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE(
    "without CAP_DAC_READ_SEARCH: a mount source in another user's directory can't be looked at") {
    const Container container;
    const std::string home = Laboratory::get().dev.make_directory();
    make_directory(home + "/work");
    must(::chmod(home.c_str(), 0700), "close a directory");
    must(::chown(home.c_str(), 4711, 4711), "give a directory away");
    const std::string path = container.state.bundle + "/config.json";
    std::string config = read_file(path);
    constexpr std::string_view kNoMounts = R"("mounts":[])";
    REQUIRE(config.find(kNoMounts) != std::string::npos);
    config.replace(config.find(kNoMounts), kNoMounts.size(),
                   R"("mounts":[{"destination":"/work","type":"bind","source":")" + home +
                       R"(/work","options":["rbind"]}])");
    create_file(path, config);
    HookCall call = container.call();
    call.before_exec = [] {
        must(::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE), "drop a capability");
        must(::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH), "drop a capability");
    };
    expect_refused(Laboratory::get().hook.run(call), EX_NOPERM, "Permission denied",
                   container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE(
    "without CAP_NET_ADMIN: what is attached can't be asked for, where CAP_SYS_ADMIN doesn't "
    "include it") {
    const Container container;
    const HookOutcome outcome = run_without(container, CAP_NET_ADMIN);
    if (outcome.exit_code == EX_OK) SKIP_CASE("on this kernel CAP_SYS_ADMIN is enough");
    expect_refused(outcome, EX_NOPERM, "Operation not permitted", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("without CAP_SETPCAP the bounding set stays, and the container is jailed") {
    const Container container;
    expect_jailed(run_without(container, CAP_SETPCAP), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
