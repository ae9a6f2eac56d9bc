// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// When there is a guard: where the kernel has one to give, always and whole.
#include <sched.h>
#include <sys/mount.h>
#include <sysexits.h>

#include <algorithm>
#include <iterator>

#include "must.h"
#include "rig.h"
#include "sockets.h"

namespace jail_ai::test {
namespace {

constexpr const char* kNames[] = {"jail_socket", "jail_receive", "jail_unix_conn", "jail_unix_send",
                                  "jail_bpf"};

std::vector<std::string> guard_names(const TestCgroup& cgroup) {
    std::vector<std::string> names;
    for (const auto& each : attachments(cgroup.fd()))
        if (each.type == BPF_LSM_CGROUP) names.push_back(each.name);
    return names;
}

int open_packet_socket() {
    return error_of(open_socket({AF_PACKET, SOCK_RAW, 0}));
}

TEST_CASE("the log says whether the container is guarded") {
    Container container;
    const HookOutcome outcome = container.run_hook();
    expect_jailed(outcome, container.cgroup);
    REQUIRE(!outcome.log.empty());
    INFO(outcome.log.back());
    CHECK((outcome.log.back().find(", guarded,") != std::string::npos) == kernel_has_guard());
    CHECK((outcome.log.back().find(", no BPF LSM,") != std::string::npos) == !kernel_has_guard());
    CHECK(guard_names(container.cgroup).size() == (kernel_has_guard() ? std::size(kNames) : 0));
}

TEST_CASE("every program of the guard is attached once, to this cgroup alone") {
    NEED_GUARD();
    Rig rig;
    const std::vector<std::string> names = guard_names(rig.container.cgroup);
    CHECK(names.size() == std::size(kNames));
    for (const char* name : kNames) CHECK(std::ranges::count(names, name) == 1);
    for (const auto& each : attachments(rig.container.cgroup.fd()))
        CHECK(each.flags == BPF_F_ALLOW_MULTI);
    CHECK(guard_names(rig.outside).empty());
}

TEST_CASE("a second createRuntime replaces the guard") {
    NEED_GUARD();
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    CHECK(container.init.run(open_packet_socket) == EPERM);
    expect_jailed(container.run_hook(), container.cgroup);
    CHECK(guard_names(container.cgroup).size() == std::size(kNames));
    const DenialCounts before = denials(container.cgroup);
    CHECK(container.init.run(open_packet_socket) == EPERM);
    CHECK(change(before, denials(container.cgroup)) ==
          one_more(JAIL_REASON_FAMILY));  // by one program, not two
}

TEST_CASE("audit counts what the guard would deny, and allows it") {
    NEED_GUARD();
    Container container;
    State state = container.state;
    state.annotations = R"({"jail-ai.block-host":"audit"})";
    HookCall call = container.call();
    call.state = state.json();
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
    const DenialCounts before = denials(container.cgroup);
    CHECK(error_name(container.init.run(open_packet_socket)) == "none");
    CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_FAMILY));
}

TEST_CASE("loading that fails from any point on leaves nothing") {
    NEED_GUARD();
    int refused = 0;
    for (int nth = 1;; nth++) {
        INFO("at load " << nth);
        Container container;
        HookCall call = container.call();
        call.failing = {.command = BPF_PROG_LOAD, .nth = nth, .onwards = true};
        const HookOutcome outcome = Laboratory::get().hook.run(call);
        if (outcome.calls < nth) break;  // there was none to fail
        refused++;
        CHECK(outcome.exit_code > 0);
        expect_refused(outcome, outcome.exit_code, "", container.cgroup);
        CHECK(error_name(container.init.run(open_packet_socket)) == "none");
        REQUIRE(nth < 100);
    }
    CHECK(refused >= static_cast<int>(programs_of_a_jail()));
}

TEST_CASE("the hook reports it if other LSM programs hold too many hooks of the machine") {
    NEED_GUARD();
    const char* const hooks[] = {"socket_bind",       "socket_listen",     "socket_shutdown",
                                 "socket_getsockopt", "socket_setsockopt", "task_setnice"};
    const TestCgroup others;
    std::vector<UniqueFd> programs;
    for (const char* hook : hooks) {
        programs.push_back(load_passing_lsm(hook));
        attach(others.fd(), programs.back(), BPF_LSM_CGROUP, BPF_F_ALLOW_MULTI);
    }
    Container container;
    expect_refused(container.run_hook(), EX_UNAVAILABLE,
                   "room for lsm_cgroup programs on 10 different hooks of the whole machine",
                   container.cgroup);
    CHECK(error_name(container.init.run(open_packet_socket)) == "none");
    REQUIRE(try_detach(others.fd(), BPF_LSM_CGROUP, programs.back().get()) == 0);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("a kernel that doesn't publish its types makes the hook reject the container") {
    NEED_GUARD();
    Container container;
    HookCall call = container.call();
    call.before_exec = [] {
        must(::unshare(CLONE_NEWNS), "make a mount namespace");
        must(::mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, nullptr), "cover the kernel's BTF");
    };
    expect_refused(Laboratory::get().hook.run(call), EX_UNAVAILABLE, "load BPF LSM programs",
                   container.cgroup);
    CHECK(error_name(container.init.run(open_packet_socket)) == "none");
    expect_jailed(container.run_hook(), container.cgroup);
}

}  // namespace
}  // namespace jail_ai::test
