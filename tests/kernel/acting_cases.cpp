// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Before the hook says yes, something in the container's cgroup has been denied by every line;
// where one doesn't act, the container is refused.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "attempt.h"
#include "expect.h"
#include "files.h"
#include "jail/acting.h"
#include "jail/inspect.h"
#include "kernel_bpf.h"
#include "must.h"
#include "protocol_reporter.h"
#include "system/prober.h"

namespace jail_ai::test {
namespace {

struct Proof {
    int exit_code;  // 0 if it acts
    std::array<char, 250> message;
};

// What verify asks, in a process of its own in the host's network namespace: a prober lives as long
// as who has started it.
Proof prove(const TestCgroup& cgroup) {
    Child verifier({.network = &Laboratory::get().network.host});
    const int fd = cgroup.fd();
    return verifier.run([=] {
        Proof proof{};
        Status acts = Prober::start([] { return ok(); });
        if (acts) acts = prove_attached(fd);
        if (acts) return proof;
        proof.exit_code = acts.error().exit_code;
        acts.error().message.copy(proof.message.data(), proof.message.size() - 1);
        return proof;
    });
}

void expect_acts(const TestCgroup& cgroup) {
    const Proof proof = prove(cgroup);
    CHECK_MESSAGE(proof.exit_code == 0, proof.message.data());
}

std::vector<ProgramMap> maps_of_jail(const TestCgroup& cgroup) {
    auto programs = attached_programs(cgroup.fd());
    REQUIRE(programs);
    REQUIRE_FALSE(programs->empty());
    auto maps = jail_ai::maps_of(programs->front().fd.get());
    REQUIRE(maps);
    return std::move(*maps);
}

// Nothing in the jail tells of a denial, and nothing is in the cgroup but the container's process.
void expect_no_trace(const Container& container) {
    CHECK(denials(container.cgroup) == DenialCounts{});
    for (const ProgramMap& map : maps_of_jail(container.cgroup)) {
        jail_denial refusal{};
        if (map.name == "jail_recent")
            CHECK(::bpf_map_get_next_key(map.fd.get(), nullptr, &refusal) != 0);
        const std::uint32_t first = 0;
        jail_probe probe{};
        if (map.name != "jail_probe") continue;
        CHECK(::bpf_map_lookup_elem(map.fd.get(), &first, &probe) != 0);
    }
    CHECK(read_file(container.cgroup.path() + "/cgroup.procs") ==
          std::to_string(container.init.pid()) + "\n");
}

HookCall call_with(const Container& container, const char* annotations) {
    HookCall call = container.call();
    State state = container.state;
    state.annotations = annotations;
    call.state = state.json();
    return call;
}

TEST_CASE("the probe leaves no trace: no count, no denial, no process") {
    const Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    expect_no_trace(container);
    expect_acts(container.cgroup);
    expect_no_trace(container);
}

// How many of a hundred proofs fail, in a process of its own.
int failed_proofs(int cgroup_fd) {
    if (!Prober::start([] { return ok(); })) return -1;
    int failed = 0;
    for (int i = 0; i < 100; ++i) failed += prove_attached(cgroup_fd) ? 0 : 1;
    return failed;
}

TEST_CASE(
    "two who prove the same jail at a time don't come between each other, and leave no trace") {
    const Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const int fd = container.cgroup.fd();
    Child one({.network = &Laboratory::get().network.host});
    Child other({.network = &Laboratory::get().network.host});
    const pid_t beside = one.run([=] {
        const pid_t pid = must(::fork(), "fork");
        if (pid == 0) ::_exit(failed_proofs(fd) == 0 ? 0 : 1);
        return pid;
    });
    CHECK(other.run([=] { return failed_proofs(fd); }) == 0);
    CHECK(one.run([=] {
        int status = -1;
        must(::waitpid(beside, &status, 0), "wait");
        return status;
    }) == 0);
    expect_no_trace(container);
}

TEST_CASE("in audit mode, too, something is counted by every line") {
    const Container container;
    expect_jailed(
        Laboratory::get().hook.run(call_with(container, R"({"jail-ai.block-host":"audit"})")),
        container.cgroup);
    expect_no_trace(container);
}

TEST_CASE("whatever a policy opens or denies, it can be proved to act") {
    for (
        const char* annotations :
        {R"({"jail-ai.block-host":"true","jail-ai.block-host.allow":"0.0.0.0/0:1-65535/udp [::/0]:1-65535/udp"})",
         R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"0.0.0.0/0 ::/0"})",
         R"({"jail-ai.block-host":"true","jail-ai.block-host.also":"private link-local","jail-ai.block-host.dns":"off"})"}) {
        INFO(annotations);
        const Container container;
        expect_jailed(Laboratory::get().hook.run(call_with(container, annotations)),
                      container.cgroup);
        expect_no_trace(container);
    }
}

// Above the container's cgroup it runs after ours, and the hook doesn't see it among the programs
// of the cgroup. What undoes sendmsg alone opens nothing: the same datagram is denied at egress.
TEST_CASE(
    "somebody else's program that lets through what ours deny: refused, and nothing attached") {
    struct Row {
        bpf_attach_type type;
        const char* line;
    };
    for (const Row& row :
         {Row{BPF_CGROUP_INET4_CONNECT, "connect(2), IPv4 goes through although"},
          Row{BPF_CGROUP_INET6_CONNECT, "connect(2), IPv6 goes through although"}}) {
        const auto& [type, line] = row;
        INFO(row.line);
        const UniqueFd undoing = load_undoing_program(type);
        if (!undoing) SKIP_CASE("this kernel has no bpf_set_retval for connect hooks (Linux 5.18)");
        const TestCgroup parent;
        Container container({.parent = &parent});
        attach(parent.fd(), undoing, type, BPF_F_ALLOW_MULTI);
        expect_refused(container.run_hook(), EX_UNAVAILABLE, line, container.cgroup);
        CHECK(error_name(try_detach(parent.fd(), type, undoing.get())) == "none");
        expect_jailed(container.run_hook(), container.cgroup);
        // A jail that is in force is found out as well, by what verify asks.
        attach(parent.fd(), undoing, type, BPF_F_ALLOW_MULTI);
        const Proof proof = prove(container.cgroup);
        CHECK(proof.exit_code == EX_UNAVAILABLE);
        CHECK(std::string_view(proof.message.data()).find(line) != std::string_view::npos);
        expect_no_trace(container);
    }
}

TEST_CASE("in a frozen cgroup nothing can be proved: rejected, and jailed when it is thawed") {
    const Container container;
    write_file("cgroup.freeze", "1", container.cgroup.fd());
    expect_refused(container.run_hook(), EX_TEMPFAIL, "frozen: thaw it", container.cgroup);
    write_file("cgroup.freeze", "0", container.cgroup.fd());
    expect_jailed(container.run_hook(), container.cgroup);
    write_file("cgroup.freeze", "1", container.cgroup.fd());
    expect_acts(container.cgroup);  // nothing in it runs
    write_file("cgroup.freeze", "0", container.cgroup.fd());
}

TEST_CASE("a rejected container has no program even if one does not detach the first time") {
    const Container container;
    write_file("cgroup.freeze", "1", container.cgroup.fd());
    for (int nth = 1; nth <= static_cast<int>(programs_of_a_jail()); ++nth) {
        INFO("at detach " << nth);
        HookCall call = container.call();
        call.failing = {.command = BPF_PROG_DETACH, .nth = nth};
        const HookOutcome outcome = Laboratory::get().hook.run(call);
        CHECK(outcome.calls == static_cast<int>(programs_of_a_jail()) + 1);
        expect_refused(outcome, EX_TEMPFAIL, "frozen: thaw it", container.cgroup);
    }
    write_file("cgroup.freeze", "0", container.cgroup.fd());
}

TEST_CASE("a container that may have no second process is jailed") {
    try {
        write_file(cgroup2_mount() + "/cgroup.subtree_control", "+pids");
    } catch (const std::exception&) {
        SKIP_CASE("cgroup v2 has no pids controller here");
    }
    const TestCgroup top(TestCgroup::at_the_top, "pids");
    write_file("cgroup.subtree_control", "+pids", top.fd());
    const Container container({.parent = &top});
    write_file("pids.max", "1", container.cgroup.fd());
    expect_jailed(container.run_hook(), container.cgroup);
    expect_no_trace(container);
    CHECK(read_file(container.cgroup.path() + "/pids.current") == "1\n");
}

TEST_CASE("a cgroup whose processes are all below it is proved there") {
    const Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const TestCgroup below(container.cgroup, "below");
    below.add(container.init.pid());
    try {
        write_file("cgroup.subtree_control", "+hugetlb", container.cgroup.fd());
    } catch (const std::exception&) {
        SKIP_CASE("no controller to give to the cgroup's children");
    }
    expect_acts(container.cgroup);
    CHECK(read_file(below.path() + "/cgroup.procs") == std::to_string(container.init.pid()) + "\n");
}

TEST_CASE("a container that is to be a virtual machine is rejected, whatever acts on its cgroup") {
    Container::Options options;
    options.annotations = R"({"jail-ai.block-host":"true","run.oci.handler":"krun"})";
    Container container(options);
    expect_refused(container.run_hook(), EX_UNAVAILABLE, "krun has a network stack of its own",
                   container.cgroup);
    expect_host_reached(container.init);
}

}  // namespace
}  // namespace jail_ai::test
