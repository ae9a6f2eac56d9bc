// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jailed_containers.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <queue>
#include <stdexcept>
#include <thread>
#include <utility>

#include "expect.h"
#include "kernel_bpf.h"
#include "must.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::HookCall;
using test::HookOutcome;
using test::Laboratory;
using test::must;

constexpr std::string_view kPrefix = "bench-jail-";

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

TimedRun run_timed(const HookCall& call) {
    const auto begin = Clock::now();
    HookOutcome outcome = Laboratory::get().hook.run(call);
    const Milliseconds taken = Clock::now() - begin;
    return {taken.count(), Milliseconds(outcome.queued).count(),
            Milliseconds(outcome.processors).count(), std::move(outcome)};
}

TimedRun run_verb(std::vector<const char*> words) {
    return run_timed(test::verb_call(std::move(words)));
}

// All at once first: each would be waited for, and a PID namespace takes its time.
JailedContainers::~JailedContainers() {
    for (const auto& container : containers_) ::kill(container->init.pid(), SIGKILL);
}

std::string JailedContainers::name(std::size_t number) {
    return fmt::format("{}{:04}", kPrefix, number);
}

std::size_t JailedContainers::count_in(std::string_view text) {
    std::size_t count = 0;
    for (auto at = text.find(kPrefix); at != std::string_view::npos;
         at = text.find(kPrefix, at + 1))
        ++count;
    return count;
}

Container& JailedContainers::make_one() {
    Container& container = *containers_.emplace_back(std::make_unique<Container>());
    container.state.id = name(containers_.size() - 1);
    return container;
}

void JailedContainers::grow_to(std::size_t count) {
    allow_descriptors(count);
    take_own_run();
    // One for each processor: the kernel takes its time to verify programs.
    std::queue<test::HookRun> hooks;
    const auto finish_one = [&] {
        const HookOutcome outcome = hooks.front().finish();
        hooks.pop();
        if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
    };
    while (containers_.size() < count) {
        const Container& container = make_one();
        if (hooks.size() >= std::max(1U, std::thread::hardware_concurrency())) finish_one();
        hooks.push(Laboratory::get().hook.start(container.call()));
    }
    while (!hooks.empty()) finish_one();
}

TimedRun JailedContainers::add() {
    return run_timed(make_one().call());
}

double thread_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double bare_jail_ms(const test::TestCgroup& cgroup) {
    constexpr bpf_attach_type kType = BPF_CGROUP_INET4_CONNECT;
    std::vector<UniqueFd> programs;
    const double begin = thread_ms();
    for (std::size_t i = 0; i < test::programs_of_a_jail(); ++i) {
        programs.push_back(test::load_passing_program(kType, "passing"));
        test::attach(cgroup.fd(), programs.back(), kType, BPF_F_ALLOW_MULTI);
    }
    const double taken = thread_ms() - begin;
    for (const UniqueFd& program : programs)
        if (test::try_detach(cgroup.fd(), kType, program.get()) != 0)
            throw std::runtime_error("a program that passes everything can't be detached");
    return taken;
}

}  // namespace jail_ai::bench
