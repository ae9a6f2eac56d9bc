// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Containers by the hundred, each jailed by the real hook from the laboratory's host, and with a
// process that runs. The suite then has a /run of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "container.h"

namespace jail_ai::bench {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

// Room for so many in this process.
void allow_descriptors(std::size_t containers);

// The suite's own, from then on.
void take_own_run();

class JailedContainers {
public:
    explicit JailedContainers(std::size_t count);
    ~JailedContainers();
    JailedContainers(const JailedContainers&) = delete;
    JailedContainers& operator=(const JailedContainers&) = delete;

    static std::string name(std::size_t number);  // its ID

    auto begin() const { return containers_.begin(); }
    auto end() const { return containers_.end(); }

private:
    std::vector<std::unique_ptr<test::Container>> containers_;
};

struct TimedRun {
    double ms;         // from before the fork to after the exit
    double queued_ms;  // of those, while others had the processors
    test::HookOutcome outcome;
};
TimedRun run_verb(std::vector<const char*> words);

}  // namespace jail_ai::bench
