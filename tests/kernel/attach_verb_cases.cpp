// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The verbs attach and detach: processes that run already, jailed by an administrator's word.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mount.h>
#include <unistd.h>

#include "attempt.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "must.h"

namespace jail_ai::test {
namespace {

// The tests' processes are root's, with all that root has.
constexpr const char* kAcceptRoot =
    "--accept=cap_net_admin,cap_bpf,cap_sys_admin,cap_dac_read_search,cap_sys_module,host-cgroups,"
    "host-pid,engine-socket,cap_net_raw,vsock,ia32,"
    "abstract-unix";

HookOutcome run_verb(const std::vector<std::string>& words) {
    std::vector<const char*> pointers;
    for (const std::string& word : words) pointers.push_back(word.c_str());
    return Laboratory::get().hook.run(verb_call(std::move(pointers)));
}

std::string pid_of(const Child& child) {
    return fmt::format("--pid={}", child.pid());
}

std::string knock(Child& child, const char* address) {
    return try_from(child, Way::tcp_connect, destination(address, kPort));
}

bool has_one_line(const HookOutcome& outcome, int exit_code, const std::string& part) {
    return outcome.exit_code == exit_code && outcome.err.find(part) != std::string::npos &&
           outcome.err.find('\n') == outcome.err.size() - 1;
}

}  // namespace

TEST_CASE("attach: a process that runs is denied from then on, and detach ends that") {
    Container container;
    expect_host_reached(container.init);
    const HookOutcome attached = run_verb({"attach", pid_of(container.init), kAcceptRoot});
    REQUIRE_MESSAGE(attached.exit_code == 0, attached.err);
    CHECK(attached.out.find("jailed") != std::string::npos);
    expect_programs_attached(container.cgroup);
    expect_host_blocked(container.init, container.cgroup);
    const HookOutcome detached = run_verb({"detach", pid_of(container.init)});
    CHECK(detached.exit_code == 0);
    CHECK(detached.err.find("no longer denied") != std::string::npos);
    expect_host_reached(container.init);
    CHECK(has_one_line(run_verb({"detach", pid_of(container.init)}), EX_NOINPUT,
                       "no jail attached to that cgroup"));
}

// Its look-up answers EPERM for a name with a dot, which is no failure to look.
TEST_CASE("attach: a container that sees a BPF file system is jailed") {
    const std::string place = Laboratory::get().dev.make_directory();
    must(::mount("bpf", place.c_str(), "bpf", 0, nullptr), "mount a BPF file system");
    {
        Container container;
        const HookOutcome attached = run_verb({"attach", pid_of(container.init), kAcceptRoot});
        CHECK_MESSAGE(attached.exit_code == 0, attached.err);
        CHECK(run_verb({"detach", pid_of(container.init)}).exit_code == 0);
    }
    must(::umount2(place.c_str(), MNT_DETACH), "unmount it");
}

TEST_CASE(
    "attach: the settings are those of createRuntime, and a second time they replace the first") {
    Container container;
    CHECK(run_verb({"attach", pid_of(container.init), kAcceptRoot,
                    fmt::format("--allow=host:{}", kPort)})
              .exit_code == 0);
    CHECK(knock(container.init, "10.77.0.1") == "none");
    CHECK(run_verb({"attach", pid_of(container.init), kAcceptRoot}).exit_code == 0);
    CHECK(knock(container.init, "10.77.0.1") == "EPERM");
    expect_programs_attached(container.cgroup);
    CHECK(
        run_verb({"attach", pid_of(container.init), kAcceptRoot, "--block-host=audit"}).exit_code ==
        0);
    CHECK(knock(container.init, "10.77.0.1") == "none");
}

TEST_CASE("attach: what could bypass the block is rejected, unless it is accepted by name") {
    Container container;
    const HookOutcome refused = run_verb({"attach", pid_of(container.init)});
    expect_refused(refused, EX_CONFIG, "container could bypass the block: it has CAP_NET_ADMIN",
                   container.cgroup);
    // All of it at once, with one setting to paste.
    CHECK(refused.err.find(
              "; it has CAP_SYS_ADMIN: drop it (CapabilityBoundingSet=~CAP_SYS_ADMIN)") !=
          std::string::npos);
    CHECK(refused.err.find("; or set --accept='cap_net_admin ") != std::string::npos);
    expect_host_reached(container.init);
    // Who only watches is told what would be, as what it is.
    const HookOutcome audit = run_verb({"attach", pid_of(container.init), "--block-host=audit"});
    CHECK(audit.exit_code == 0);
    CHECK(
        audit.err.find("would be rejected, were it not an audit: it has CAP_NET_ADMIN: drop it") !=
        std::string::npos);
    CHECK(audit.err.find("could bypass") == std::string::npos);
}

TEST_CASE(
    "attach: a cgroup with processes beside the one that is meant is refused, and taken when the "
    "cgroup is what is meant") {
    Container container;
    Child beside({&container.cgroup, &Laboratory::get().network.container});
    const HookOutcome refused = run_verb({"attach", pid_of(container.init), kAcceptRoot});
    expect_refused(refused, EX_CONFIG, fmt::format("holds process {}", beside.pid()),
                   container.cgroup);
    const HookOutcome attached =
        run_verb({"attach", "--cgroup=" + container.cgroup.path(), kAcceptRoot});
    REQUIRE_MESSAGE(attached.exit_code == 0, attached.err);
    CHECK(knock(container.init, "10.77.0.1") == "EPERM");
    CHECK(knock(beside, "10.77.0.1") == "EPERM");
    CHECK(knock(beside, "10.78.0.2") == "none");
    CHECK(run_verb({"detach", "--cgroup", container.cgroup.path()}).exit_code == 0);
    CHECK(jail_attachments(container.cgroup.fd()).empty());
}

TEST_CASE("attach: a container's processes are all its own, in its PID namespace") {
    TestCgroup cgroup;
    Whereabouts inside{&cgroup, &Laboratory::get().network.container};
    inside.container_namespaces = true;
    Child init(inside);
    const pid_t other = init.run([] {
        const pid_t pid = ::fork();
        if (pid == 0) ::pause();
        return pid;
    });
    REQUIRE(other > 0);
    const HookOutcome attached = run_verb({"attach", pid_of(init), kAcceptRoot});
    REQUIRE_MESSAGE(attached.exit_code == 0, attached.err);
    CHECK(knock(init, "10.77.0.1") == "EPERM");
    // A stranger among them, and it is refused.
    CHECK(run_verb({"detach", pid_of(init)}).exit_code == 0);
    Child stranger({&cgroup, &Laboratory::get().network.container});
    expect_refused(run_verb({"attach", pid_of(init), kAcceptRoot}), EX_CONFIG,
                   fmt::format("holds process {}", stranger.pid()), cgroup);
}

TEST_CASE("attach: a wrong target is reported in one line") {
    const TestCgroup empty;
    struct Case {
        std::vector<std::string> words;
        int exit_code;
        const char* part;
    };
    for (const Case& c :
         {Case{{"attach"}, EX_USAGE, "attach takes one of --pid"},
          Case{{"attach", "--pid=1", "--cgroup=/x"}, EX_USAGE, "attach takes one of"},
          Case{{"attach", "--pid=x"}, EX_USAGE, "'x' is not a process ID"},
          Case{{"attach", "--pid=0"}, EX_USAGE, "'0' is not a process ID"},
          Case{{"attach", "--cgroup=/"}, EX_CONFIG, "is the root cgroup"},
          Case{{"attach", "--cgroup=" + cgroup2_mount()}, EX_CONFIG, "is the root cgroup"},
          Case{{"attach", "--cgroup=/proc"}, EX_OSERR, "open cgroup"},
          Case{{"attach", "--cgroup=x/../.."}, EX_USAGE, "not an absolute path"},
          Case{{"attach", "--cgroup=/../.."}, EX_CONFIG, "lies outside of"},
          Case{{"attach", "--cgroup=" + empty.path()}, EX_NOINPUT, "holds no process"},
          Case{{"attach", "--container=nobody"}, EX_NOINPUT, "no container 'nobody' runs"},
          Case{{"attach", "--pid=1", "--nonsense=1"}, EX_USAGE, "unknown option '--nonsense'"},
          Case{{"detach", "--pid=1", "--allow=host:1"}, EX_USAGE, "unknown option '--allow'"},
          Case{{"detach"}, EX_USAGE, "detach takes one of --pid"}}) {
        const HookOutcome outcome = run_verb(c.words);
        CHECK_MESSAGE(
            has_one_line(outcome, c.exit_code, c.part),
            fmt::format("{}: {} {}", fmt::join(c.words, " "), outcome.exit_code, outcome.err));
    }
    CHECK(jail_attachments(empty.fd()).empty());
}

}  // namespace jail_ai::test
