// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Hooks that can't finish: the engine waits for them, so they have to give up by themselves. That
// takes seconds, hence they are started before the first test and looked at here, in the last.
#include <doctest/doctest.h>
#include <signal.h>
#include <sysexits.h>

#include "expect.h"
#include "kernel_bpf.h"

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

struct StalledHooks {
    explicit StalledHooks(HookBinary& hook)
        : endless(hook.start(call_without_end(endless_input))),
          half_way(hook.start(call_that_stalls(half_attached))) {
        endless.await_stall();
        half_way.await_stall();
    }

    Container endless_input;
    Container half_attached;
    HookRun endless;
    HookRun half_way;
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

}  // namespace
}  // namespace jail_ai::test
