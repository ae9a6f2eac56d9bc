// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Many containers: at once, one after the other, side by side, and one with many cgroups of its
// own. What the kernel holds is gone with the last of them, and neither the ten-thousandth start
// nor the one beside a thousand jails takes longer than the first.
//
// environment: LOAD_STARTS, LOAD_CYCLES, LOAD_JAILS, LOAD_CGROUPS; a sample without.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sysexits.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "bench/jailed_containers.h"
#include "bench/many_cgroups.h"
#include "bench/median.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "must.h"
#include "system/cgroup_walk.h"

namespace jail_ai::test {
namespace {

using bench::Clock;
using bench::median;
using bench::Milliseconds;

constexpr double kFlat = 2;  // times: the machine has other things to do as well

std::size_t wanted(const char* name, std::size_t sample) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::stoul(text) : sample;
}

// Programs and maps of jails by their ids, which the kernel doesn't give out again.
class Held {
public:
    void add(const TestCgroup& cgroup) {
        for (const Attachment& program : jail_attachments(cgroup.fd())) {
            programs_.insert(program.id);
            for (const std::uint32_t map : maps_of(program.id)) maps_.insert(map);
        }
    }

    std::size_t programs() const { return programs_.size(); }
    std::size_t maps() const { return maps_.size(); }

    // The kernel frees them from a work queue without a notification, hence the polling.
    std::size_t left() {
        const auto deadline = Clock::now() + std::chrono::seconds(30);
        while (true) {
            std::erase_if(programs_, [](std::uint32_t id) { return !program_exists(id); });
            std::erase_if(maps_, [](std::uint32_t id) { return !map_exists(id); });
            if ((programs_.empty() && maps_.empty()) || Clock::now() > deadline)
                return programs_.size() + maps_.size();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }

private:
    std::set<std::uint32_t> programs_, maps_;
};

std::size_t entries_of(const std::string& directory) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory),
                                                  std::filesystem::directory_iterator()));
}

std::size_t cgroups_of_suite() {
    const TestCgroup one;
    return entries_of(std::filesystem::path(one.path()).parent_path());
}

// Of this process and of the machine, as far as they are the suite's.
struct Remains {
    std::size_t descriptors = entries_of("/proc/self/fd");
    std::size_t cgroups = cgroups_of_suite();

    bool operator==(const Remains&) const = default;
};

struct Times {
    std::vector<double> ms;  // without what was waited for processors that others had

    void add(const bench::TimedRun& run) { ms.push_back(run.own_ms()); }

    // Of the first or last ones.
    double at_first(std::size_t some) const {
        return median({ms.begin(), ms.begin() + some_of(some)});
    }
    double at_last(std::size_t some) const { return median({ms.end() - some_of(some), ms.end()}); }

private:
    std::ptrdiff_t some_of(std::size_t some) const {
        return static_cast<std::ptrdiff_t>(std::min(some, ms.size()));
    }
};

void check_flat(const std::string& what, const Times& times) {
    const std::size_t some =
        std::min<std::size_t>(200, std::max<std::size_t>(1, times.ms.size() / 4));
    const double first = times.at_first(some), last = times.at_last(some);
    std::printf(
        "# load: %s: %zu, the first %zu in %.1f ms each, the last %zu in %.1f ms, %.2f times\n",
        what.c_str(), times.ms.size(), some, first, some, last, last / first);
    CHECK(last < first * kFlat);
}

void check_nothing_left(const std::string& what, Held& held, const Remains& before) {
    const std::size_t programs = held.programs(), maps = held.maps();
    const std::size_t left = held.left();
    std::printf("# load: %s: of %zu programs and %zu maps %zu are left\n", what.c_str(), programs,
                maps, left);
    CHECK(left == 0);
    CHECK(Remains() == before);
}

TEST_CASE(
    "many starts at once: each is jailed wholly, or rejected by its deadline with nothing "
    "attached") {
    const std::size_t count = wanted("LOAD_STARTS", 20);
    const Remains before;
    Held held;
    {
        std::vector<std::unique_ptr<Container>> containers;
        for (std::size_t i = 0; i < count; ++i) containers.push_back(std::make_unique<Container>());
        std::vector<HookRun> hooks;
        const auto begin = Clock::now();
        for (const auto& container : containers)
            hooks.push_back(Laboratory::get().hook.start(container->call()));
        std::size_t jailed = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const HookOutcome outcome = hooks[i].finish();
            const auto programs = jail_attachments(containers[i]->cgroup.fd()).size();
            held.add(containers[i]->cgroup);
            if (outcome.exit_code == 0) {
                ++jailed;
                CHECK(programs == programs_of_a_jail());
            } else if (outcome.signal !=
                       SIGKILL) {  // by the timer, if not even a signal is handled
                CHECK_MESSAGE(outcome.exit_code == EX_TEMPFAIL, outcome.err);
                CHECK(programs == 0);
            }
        }
        std::printf(
            "# load: %zu starts at once: %zu jailed, %zu rejected by their deadline, in %.1f s\n",
            count, jailed, count - jailed, Milliseconds(Clock::now() - begin).count() / 1000);
        CHECK(jailed > 0);
    }
    check_nothing_left("starts at once", held, before);
}

TEST_CASE(
    "one container after the other: nothing is left of any, and the last starts as fast as the "
    "first") {
    const std::size_t count = wanted("LOAD_CYCLES", 40);
    Laboratory::get().hook.run(Container().call());  // what is slow once
    const Remains before;
    Held held;
    Times times;
    for (std::size_t i = 0; i < count; ++i) {
        const Container container;
        const bench::TimedRun run = bench::run_timed(container.call());
        times.add(run);
        REQUIRE_MESSAGE(run.outcome.exit_code == 0,
                        fmt::format("start {} of {}: {}", i, count, run.outcome.err));
        held.add(container.cgroup);
    }
    CHECK(held.programs() == count * programs_of_a_jail());
    check_flat("start after start", times);
    check_nothing_left("start after start", held, before);
}

TEST_CASE("many jails: the last starts as fast as the first, and status and verify find all") {
    const std::size_t count = wanted("LOAD_JAILS", 40);
    bench::take_own_run();
    bench::allow_descriptors(count);
    const Remains before;
    Held held;
    {
        bench::JailedContainers jails;
        Times times;
        for (std::size_t i = 0; i < count; ++i) {
            const bench::TimedRun run = jails.add();
            times.add(run);
            REQUIRE_MESSAGE(run.outcome.exit_code == 0, run.outcome.err);
            held.add(jails.last().cgroup);
        }
        check_flat("jails side by side", times);
        for (const char* verb : {"status", "log", "refresh", "verify"}) {
            const bench::TimedRun run = bench::run_verb({verb});
            CHECK_MESSAGE(run.outcome.exit_code == 0, run.outcome.out);
            std::printf("# load: %s beside %zu jails: %.0f ms\n", verb, count, run.own_ms());
        }
        const bench::TimedRun status = bench::run_verb({"status", "--json"});
        CHECK(bench::JailedContainers::count_in(status.outcome.out) >= count);
    }
    check_nothing_left("jails side by side", held, before);
}

TEST_CASE("a container with many cgroups of its own keeps no verb from answering") {
    const std::size_t count = wanted("LOAD_CGROUPS", 2000);
    bench::take_own_run();
    const Remains before;
    Held held;
    {
        const Container container;
        const HookOutcome outcome = container.run_hook();
        REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
        held.add(container.cgroup);
        const bench::ManyCgroups below(container.cgroup, count);
        std::printf(
            "# load: %zu cgroups in one container: the kernel takes %.0f ms to load and attach %zu "
            "programs\n",
            count, bench::bare_jail_ms(container.cgroup), programs_of_a_jail());
        const std::string cgroup = "--cgroup=" + container.cgroup.path();
        // What is to be proved of a cgroup is asked of each below it, and that has a bound.
        const bool is_bounded = count > kMaxWalkedCgroups;
        const std::vector<std::pair<std::vector<const char*>, int>> calls = {
            {{"status"}, EX_OK},
            {{"log"}, EX_OK},
            {{"refresh"}, EX_OK},
            {{"verify"}, EX_OK},
            {{"attach", cgroup.c_str(), bench::kAcceptRoot}, is_bounded ? EX_CONFIG : EX_OK},
            {{"detach", cgroup.c_str()}, EX_OK}};
        for (const auto& [words, expected] : calls) {
            const bench::TimedRun run = bench::run_verb(words);
            std::printf("# load: %zu cgroups in one container: %s ends with %d after %.0f ms\n",
                        count, words.front(), run.outcome.exit_code, run.own_ms());
            CHECK_MESSAGE(run.outcome.exit_code == expected, run.outcome.err);
            if (words.front() == std::string_view("attach")) held.add(container.cgroup);
        }
    }
    check_nothing_left("many cgroups", held, before);
}

}  // namespace
}  // namespace jail_ai::test
