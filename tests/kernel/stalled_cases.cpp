// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Hooks that can't finish: the engine waits for them, so they have to give up by themselves. That
// takes seconds, hence they are started before the first test and looked at here, in the last.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/deadline.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "must.h"
#include "pipe.h"
#include "protocol_reporter.h"

namespace jail_ai::test {
namespace {

// As crun starts hooks. A deadline that rests on a signal has to open the mask first.
void block_signals() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

HookCall call_without_end(const Container& container) {
    HookCall call = container.call();
    call.endless_input = true;
    call.before_exec = block_signals;
    return call;
}

HookCall call_that_stalls(const Container& container) {
    HookCall call = container.call();
    call.failing = {.command = BPF_PROG_ATTACH, .nth = 3, .stalls = true};
    call.before_exec = block_signals;
    return call;
}

// No signal with a handler interrupts that.
HookCall call_that_stalls_for_good(const Container& container) {
    HookCall call = call_that_stalls(container);
    call.failing.for_good = true;
    return call;
}

// A pipe without room, whose reader doesn't read.
struct FullPipe : Pipe {
    FullPipe() {
        must(::fcntl(writer.get(), F_SETFL, O_NONBLOCK), "make a pipe non-blocking");
        const std::string page(4096, 'x');
        while (::write(writer.get(), page.data(), page.size()) > 0)
            ;
        if (errno != EAGAIN) throw_errno("fill a pipe");
        must(::fcntl(writer.get(), F_SETFL, 0), "make a pipe blocking");
    }

    // The hook has it in that place.
    std::function<void()> as(int standard_fd) const {
        return [standard_fd, this] {
            must(::dup2(writer.get(), standard_fd), "hand over a full pipe");
            block_signals();
        };
    }
};

HookCall call_unheard(const Container& container, const FullPipe& pipe) {
    HookCall call = call_without_end(container);
    call.before_exec = pipe.as(STDERR_FILENO);
    return call;
}

HookCall precreate_unheard(const FullPipe& pipe) {
    HookCall call = verb_call({"precreate"});
    call.state = R"({"ociVersion":"1.0.2","process":{"capabilities":{"bounding":["CAP_NET_RAW"]}},)"
                 R"("linux":{},"annotations":{"jail-ai.block-host":"true"}})";
    call.before_exec = pipe.as(STDOUT_FILENO);
    return call;
}

struct StalledHooks {
    explicit StalledHooks(HookBinary& hook)
        : endless(hook.start(call_without_end(endless_input))),
          half_way(hook.start(call_that_stalls(half_attached))),
          without_listener(hook.start(call_unheard(unheard_input, pipe))),
          without_reader(hook.start(precreate_unheard(pipe))) {
        endless.await_stall();
        half_way.await_stall();
        without_listener.await_stall();
        if (!kernel_is_at_least(5, 19)) return;
        for_good.emplace(hook.start(call_that_stalls_for_good(stuck)));
        for_good->await_stall();
    }

    FullPipe pipe;
    Container endless_input;
    Container half_attached;
    Container unheard_input;
    Container stuck;
    HookRun endless;
    HookRun half_way;
    HookRun without_listener;
    HookRun without_reader;
    std::optional<HookRun> for_good;
};

StalledHooks* stalled_hooks = nullptr;

const EarlyStart start_stalling([](HookBinary& hook) -> std::shared_ptr<void> {
    const auto hooks = std::make_shared<StalledHooks>(hook);
    stalled_hooks = hooks.get();
    return hooks;
});

TEST_CASE("a state that doesn't end: the hook gives up by itself, signals blocked or not") {
    StalledHooks& stalled = *stalled_hooks;
    expect_refused(stalled.endless.finish(), EX_TEMPFAIL, "not done within",
                   stalled.endless_input.cgroup);
    expect_jailed(stalled.endless_input.run_hook(), stalled.endless_input.cgroup);
}

TEST_CASE(
    "a kernel that doesn't answer half-way through attaching: the hook gives up and leaves nothing "
    "attached") {
    StalledHooks& stalled = *stalled_hooks;
    const HookOutcome outcome = stalled.half_way.finish();
    CHECK(outcome.calls >= 3);
    expect_refused(outcome, EX_TEMPFAIL, "not done within", stalled.half_attached.cgroup);
    expect_jailed(stalled.half_attached.run_hook(), stalled.half_attached.cgroup);
}

TEST_CASE("a full pipe for standard error: the deadline ends the hook all the same") {
    StalledHooks& stalled = *stalled_hooks;
    const HookOutcome outcome = stalled.without_listener.finish();
    CHECK(outcome.exit_code == EX_TEMPFAIL);
    REQUIRE(outcome.log.size() == 1);
    CHECK(outcome.log.front().find("not done within") != std::string::npos);
}

TEST_CASE("a full pipe for standard output: precreate gives up by itself") {
    const HookOutcome outcome = stalled_hooks->without_reader.finish();
    CHECK(outcome.exit_code == EX_TEMPFAIL);
    CHECK_MESSAGE(outcome.err.find("write config.json") != std::string::npos, outcome.err);
}

TEST_CASE("what no signal with a handler interrupts: the kernel ends the hook") {
    StalledHooks& stalled = *stalled_hooks;
    if (!stalled.for_good) SKIP_CASE("Linux before 5.19 can't make a call wait so");
    const HookOutcome outcome = stalled.for_good->finish();
    CHECK(outcome.exit_code == -1);
    CHECK(outcome.signal == SIGKILL);
    CHECK(outcome.err.empty());  // and not the test
    expect_jailed(stalled.stuck.run_hook(), stalled.stuck.cgroup);
}

TEST_CASE("a full pipe for standard error: a hook that fails does so before its deadline") {
    const FullPipe pipe;
    Container container;
    HookCall call = container.call();
    call.state = "not a state";
    call.before_exec = pipe.as(STDERR_FILENO);
    const auto begin = std::chrono::steady_clock::now();
    const HookOutcome outcome = Laboratory::get().hook.run(call);
    CHECK(outcome.exit_code == EX_DATAERR);
    CHECK(outcome.log.size() == 1);
    CHECK(std::chrono::steady_clock::now() - begin - outcome.queued <
          std::chrono::seconds(kDeadlineSeconds));
}

TEST_CASE("a syslog that no process reads: the container is jailed before the deadline") {
    Container container;
    HookCall call = container.call();
    call.before_exec = [] {
        sockaddr_un log{AF_UNIX, _PATH_LOG};
        const UniqueFd fd(must(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), "make a socket"));
        must(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&log), sizeof log),
             "connect to syslog");
        while (::send(fd.get(), "x", 1, 0) == 1)
            ;
        if (errno != EAGAIN) throw_errno("fill syslog");
    };
    const HookOutcome outcome = Laboratory::get().hook.run(call);
    expect_jailed(outcome, container.cgroup);
    CHECK(outcome.log.empty());
}

}  // namespace
}  // namespace jail_ai::test
