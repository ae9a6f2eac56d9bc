// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Kernels and engines that don't let the hook do its work: bpf(2) refused or too old, no privilege
// over the machine, no cgroup2. Each refusal has its exit code, leaves nothing attached, and is
// shown to come from what was taken away by giving it back.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sysexits.h>

#include "broker_run.h"
#include "expect.h"
#include "files.h"
#include "kernel_bpf.h"
#include "must.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

struct Fault {
    const char* name;
    std::function<void()> before_exec;
    int exit_code;
    const char* part;
};

void leave_cgroup2() {
    must(::unshare(CLONE_NEWNS), "make a mount namespace");  // a copy of the suite's private one
    for (std::string mount = cgroup2_mount(); !mount.empty(); mount = cgroup2_mount())
        must(::umount2(mount.c_str(), MNT_DETACH), "unmount " + mount);
}

void cover_cgroup2() {
    must(::unshare(CLONE_NEWNS), "make a mount namespace");
    must(::mount("tmpfs", cgroup2_mount().c_str(), "tmpfs", 0, nullptr), "cover cgroup2");
}

void become_nobody() {
    must(::setresgid(65534, 65534, 65534), "become group nogroup");
    must(::setresuid(65534, 65534, 65534), "become user nobody");
}

const Fault kFaults[] = {
    {"bpf(2) is not permitted", [] { refuse_bpf(EPERM); }, EX_NOPERM,
     "load BPF programs: Operation not permitted"},
    {"a kernel without bpf(2)", [] { refuse_bpf(ENOSYS); }, EX_UNAVAILABLE,
     "load BPF programs: Function not implemented"},
    {"a kernel that doesn't know the program type",
     [] { refuse_bpf_command(BPF_PROG_LOAD, EINVAL); }, EX_UNAVAILABLE,
     "load BPF programs: Invalid argument"},
    {"loading is not permitted", [] { refuse_bpf_command(BPF_PROG_LOAD, EPERM); }, EX_NOPERM,
     "load BPF programs: Operation not permitted"},
    {"a kernel that doesn't know the map type", [] { refuse_bpf_command(BPF_MAP_CREATE, EINVAL); },
     EX_UNAVAILABLE, "Invalid argument"},
    {"a kernel that doesn't know the attach type",
     [] { refuse_bpf_command(BPF_PROG_ATTACH, EINVAL); }, EX_UNAVAILABLE, "lacks the attach type"},
    {"attaching is not permitted", [] { refuse_bpf_command(BPF_PROG_ATTACH, EPERM); }, EX_NOPERM,
     "attach jail_connect4"},
    {"the kernel doesn't say what is attached", [] { refuse_bpf_command(BPF_PROG_QUERY, EPERM); },
     EX_NOPERM, "what is attached"},
    {"an ordinary user", become_nobody, EX_NOPERM, ""},
    {"no cgroup2 mount", leave_cgroup2, EX_UNAVAILABLE, "no cgroup2 file system is mounted"},
};

TEST_CASE("the hook rejects the container if it can't work") {
    for (const Fault& fault : kFaults) {
        SUBCASE(fault.name) {
            guarded([&] {
                Container container;
                HookCall call = container.call();
                call.before_exec = fault.before_exec;
                expect_refused(Laboratory::get().hook.run(call), fault.exit_code, fault.part,
                               container.cgroup);
                expect_host_reached(container.init);
                expect_jailed(container.run_hook(), container.cgroup);
            });
        }
    }
}

TEST_CASE("the hook rejects the container if a map doesn't take all the rules") {
    for (const int nth : {3, 10, 20}) {
        const std::string name = "at entry " + std::to_string(nth);
        SUBCASE(name.c_str()) {
            guarded([&] {
                Container container;
                HookCall call = container.call();
                call.failing = {BPF_MAP_UPDATE_ELEM, nth};
                expect_refused(Laboratory::get().hook.run(call), EX_OSERR,
                               "into jail_rules: Cannot allocate memory", container.cgroup);
                expect_host_reached(container.init);
                expect_jailed(container.run_hook(), container.cgroup);
            });
        }
    }
}

TEST_CASE("a cgroup2 mount that something else covers") {
    Container container;
    HookCall call = container.call();
    call.before_exec = cover_cgroup2;
    const HookOutcome outcome = Laboratory::get().hook.run(call);
    CHECK(outcome.exit_code > 0);
    expect_refused(outcome, outcome.exit_code, "open cgroup", container.cgroup);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a rootless engine: the hook is root of a user namespace only") {
    const UniqueFd rootless = make_user_namespace(65534);
    if (!rootless)
        SKIP_CASE(std::string("no user namespace for user nobody: ") + error_name(errno));
    Container container({.user_namespace = rootless.get()});
    HookCall call = container.call();
    const int user_namespace = rootless.get();
    call.before_exec = [=] { become_root_of(user_namespace); };
    expect_refused(Laboratory::get().hook.run(call), EX_UNAVAILABLE,
                   "systemctl enable --now jail-ai-hook.socket", container.cgroup);
    expect_host_reached(container.init);
    expect_jailed(container.run_hook(), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
