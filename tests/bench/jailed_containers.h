// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers by the hundred, each jailed by the real hook from the laboratory's host, and with a
// process that runs. The suite then has a /run of its own. And what the hook takes beside them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "container.h"

namespace jail_ai::bench {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

// Room for so many in this process.
void allow_descriptors(std::size_t containers);

// The suite's own, from then on.
void take_own_run();

struct TimedRun {
    double ms;            // from before the fork to after the exit
    double queued_ms;     // of those, while others had the processors
    double processor_ms;  // what it and what it has started had of processors
    test::HookOutcome outcome;

    double own_ms() const { return ms - queued_ms; }
};
TimedRun run_timed(const test::HookCall& call);
TimedRun run_verb(std::vector<const char*> words);

class JailedContainers {
public:
    JailedContainers() = default;
    explicit JailedContainers(std::size_t count) { grow_to(count); }
    ~JailedContainers();
    JailedContainers(const JailedContainers&) = delete;
    JailedContainers& operator=(const JailedContainers&) = delete;

    static std::string name(std::size_t number);  // its ID
    // How many of these a verb has printed.
    static std::size_t count_in(std::string_view text);

    // With as many hooks at a time as there are processors. Throws where one rejects its container.
    void grow_to(std::size_t count);
    // One more, whatever the hook says to it.
    TimedRun add();

    const test::Container& last() const { return *containers_.back(); }
    auto begin() const { return containers_.begin(); }
    auto end() const { return containers_.end(); }

private:
    test::Container& make_one();

    std::vector<std::unique_ptr<test::Container>> containers_;
};

double thread_ms();  // what this thread has had of processors

// The same of the kernel, for as many programs as a jail has, which let everything pass: to load
// them, and to attach them to that cgroup, for which it computes anew for each cgroup below.
double bare_jail_ms(const test::TestCgroup& cgroup);

}  // namespace jail_ai::bench
