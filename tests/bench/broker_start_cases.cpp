// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a container's start takes by way of the broker, beside one of root's: createRuntime as a
// user's engine calls it, a whole process, and the broker that its unit has started, from the fork
// to the hook's end; and many of both at once. Both sides have fresh containers, one after the
// other in the same run.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "broker_run.h"
#include "files.h"
#include "jailed_containers.h"
#include "median.h"
#include "protocol_reporter.h"
#include "unit_broker.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::HookCall;
using test::HookOutcome;
using test::Laboratory;
using test::TestCgroup;
using test::UsersContainer;

constexpr uid_t kUser = 1234;
// Clearly more than what is aimed at, which is 2.
constexpr double kMostTimes = 4;

bool is_short() {
    return std::getenv("BENCH_ROUNDS") != nullptr;
}

// Of all that has been in the cgroup, which other load on the machine hardly changes.
double processor_ms(const TestCgroup& cgroup) {
    std::istringstream stat(test::read_file(cgroup.path() + "/cpu.stat"));
    std::string name;
    double value = 0;
    while (stat >> name >> value)
        if (name == "usage_usec") return value / 1e3;
    throw std::runtime_error("the kernel does not count what a cgroup takes");
}

// One side: what calls the hook, in a cgroup of its own.
class Side {
public:
    virtual ~Side() = default;
    virtual void prepare(std::size_t count) = 0;  // fresh containers, for so many calls
    virtual HookCall call(std::size_t number) const = 0;
    virtual void await_rest() const {}

    const TestCgroup cgroup;
};

class Rootful : public Side {
public:
    void prepare(std::size_t count) override {
        containers_.clear();
        while (containers_.size() < count) containers_.push_back(std::make_unique<Container>());
    }
    HookCall call(std::size_t number) const override {
        HookCall call = containers_[number]->call();
        call.cgroup = &cgroup;
        return call;
    }

private:
    std::vector<std::unique_ptr<Container>> containers_;
};

class Rootless : public Side {
public:
    bool can_be() const { return static_cast<bool>(UsersContainer(kUser).user_namespace); }

    void prepare(std::size_t count) override {
        containers_.clear();
        while (containers_.size() < count)
            containers_.push_back(std::make_unique<UsersContainer>(kUser));
    }
    HookCall call(std::size_t number) const override {
        const UsersContainer& user = *containers_[number];
        HookCall call = user.container->call();
        call.cgroup = &cgroup;
        call.words.push_back(option_.c_str());
        call.before_exec = [user_namespace = user.user_namespace.get()] {
            test::become_root_of(user_namespace);
        };
        return call;
    }
    void await_rest() const override { broker_.await_rest(); }

private:
    const UnitBroker broker_{cgroup};
    const std::string option_ = "--broker=" + broker_.socket();
    std::vector<std::unique_ptr<UsersContainer>> containers_;
};

struct Times {
    std::vector<double> ms, processor_ms;
    std::size_t late = 0;  // hooks that weren't done by their deadline

    void count(const HookOutcome& outcome) {
        if (outcome.exit_code == EX_TEMPFAIL)
            ++late;
        else
            REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
    }
};

// All started at once, until the last has ended.
void take(Side& side, std::size_t count, Times& times) {
    side.prepare(count);
    const double before = processor_ms(side.cgroup);
    std::vector<test::HookRun> hooks;
    const auto begin = Clock::now();
    for (std::size_t i = 0; i < count; ++i)
        hooks.push_back(Laboratory::get().hook.start(side.call(i)));
    std::vector<HookOutcome> outcomes;
    for (test::HookRun& hook : hooks) outcomes.push_back(hook.finish());
    times.ms.push_back(Milliseconds(Clock::now() - begin).count());
    side.await_rest();
    times.processor_ms.push_back(processor_ms(side.cgroup) - before);
    for (const HookOutcome& outcome : outcomes) times.count(outcome);
}

double median_ratio(const std::vector<double>& ours, const std::vector<double>& theirs) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
    return median(ratios);
}

void compare(const std::string& what, std::size_t count, int rounds) {
    Rootful rootful;
    Rootless rootless;
    if (!rootless.can_be()) SKIP_CASE(std::string("no user namespaces for users here"));
    allow_descriptors(2 * count);
    Times ours, theirs, warm;
    take(rootless, 1, warm);
    for (int round = 0; round < rounds; ++round) {
        take(rootful, count, theirs);
        take(rootless, count, ours);
    }
    // On a machine on which root's take that long, a user's can't be done by their deadline.
    if (ours.late > 0 && std::ranges::max(theirs.ms) * kMostTimes > kDeadlineSeconds * 1000)
        SKIP_CASE(
            fmt::format("{}: {} were rejected by their deadline, on a machine on which {} of "
                        "root's take {:.1f} s",
                        what, ours.late, count, std::ranges::max(theirs.ms) / 1000));
    CHECK(ours.late == 0);
    const double processor = median_ratio(ours.processor_ms, theirs.processor_ms);
    const std::string figures = fmt::format(
        "{}: {:.2f} times rootful ones by the clock, {:.2f} times of processors; {:.1f} ms, the "
        "others {:.1f} ms; {:.1f} ms of processors, the others {:.1f} ms (medians of {})",
        what, median_ratio(ours.ms, theirs.ms), processor, median(ours.ms), median(theirs.ms),
        median(ours.processor_ms), median(theirs.processor_ms), rounds);
    std::printf("# bench: %s\n", figures.c_str());
    CHECK_MESSAGE(processor < kMostTimes, figures);
}

}  // namespace

TEST_CASE("broker: a rootless start beside a rootful one") {
    compare("a rootless start by the broker", 1, is_short() ? 11 : 31);
}

TEST_CASE("broker: many requests of one user at once are all served") {
    const std::size_t count = is_short() ? 20 : 100;
    compare(fmt::format("{} rootless starts of one user at once", count), count,
            is_short() ? 1 : 3);
}

}  // namespace jail_ai::bench
