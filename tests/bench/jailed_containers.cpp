// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jailed_containers.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <queue>
#include <stdexcept>
#include <thread>

#include "must.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::HookCall;
using test::HookOutcome;
using test::Laboratory;
using test::must;

}  // namespace

// The laboratory holds two of each container.
void allow_descriptors(std::size_t containers) {
    constexpr rlim_t others = 1024;
    const rlim_t wanted = others + 2 * containers;
    rlimit limit{};
    must(::getrlimit(RLIMIT_NOFILE, &limit), "read the limit of descriptors");
    if (limit.rlim_cur >= wanted) return;
    limit = {wanted, std::max(limit.rlim_max, wanted)};
    must(::setrlimit(RLIMIT_NOFILE, &limit), "raise the limit of descriptors");
}

// With the suite's other mounts: nobody else's lock is in the way there, and no container but these
// in sight.
void take_own_run() {
    [[maybe_unused]] static const int mounted =
        must(::mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755"), "mount a /run");
}

JailedContainers::JailedContainers(std::size_t count) {
    allow_descriptors(count);
    take_own_run();
    // One for each processor: the kernel takes its time to verify programs.
    std::queue<test::HookRun> hooks;
    const auto finish_one = [&] {
        const HookOutcome outcome = hooks.front().finish();
        hooks.pop();
        if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
    };
    for (std::size_t i = 0; i < count; ++i) {
        auto& container = *containers_.emplace_back(std::make_unique<Container>());
        container.state.id = name(i);
        if (hooks.size() >= std::max(1U, std::thread::hardware_concurrency())) finish_one();
        hooks.push(Laboratory::get().hook.start(container.call()));
    }
    while (!hooks.empty()) finish_one();
}

// All at once first: each would be waited for, and a PID namespace takes its time.
JailedContainers::~JailedContainers() {
    for (const auto& container : containers_) ::kill(container->init.pid(), SIGKILL);
}

std::string JailedContainers::name(std::size_t number) {
    return fmt::format("bench-jail-{:04}", number);
}

TimedRun run_verb(std::vector<const char*> words) {
    const HookCall call = test::verb_call(std::move(words));
    const auto begin = Clock::now();
    HookOutcome outcome = Laboratory::get().hook.run(call);
    const Milliseconds taken = Clock::now() - begin;
    return {taken.count(), Milliseconds(outcome.queued).count(), std::move(outcome)};
}

}  // namespace jail_ai::bench
