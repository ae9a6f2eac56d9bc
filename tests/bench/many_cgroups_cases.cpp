// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the verbs take for a container that has made thousands of cgroups of its own: with as many
// as attach looks at, and with so many more that it rejects the container. Beside each what the
// kernel takes for as many programs that let everything pass, for it computes anew for each of
// those cgroups.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sysexits.h>

#include <cstdio>
#include <vector>

#include "jailed_containers.h"
#include "many_cgroups.h"
#include "median.h"
#include "system/cgroup_walk.h"

namespace jail_ai::bench {
namespace {

using test::Container;

constexpr std::size_t kSizes[] = {kMaxWalkedCgroups - 96, 20'000};
constexpr double kMostMs = 1000;
constexpr int kRounds = 5;

struct MeasuredVerb {
    std::vector<const char*> words;
    int exit_code;
    std::vector<double> ms = {}, own_ms = {}, processor_ms = {};
};

void measure(const Container& container, std::size_t cgroups) {
    const std::string cgroup = "--cgroup=" + container.cgroup.path();
    const int attach = cgroups > kMaxWalkedCgroups ? EX_CONFIG : EX_OK;
    std::vector<MeasuredVerb> verbs = {
        {{"attach", cgroup.c_str(), kAcceptRoot}, attach},
        {{"verify"}, EX_OK},
        {{"status"}, EX_OK},
    };
    std::vector<double> bare;
    for (int round = 0; round < kRounds; ++round) {
        bare.push_back(bare_jail_ms(container.cgroup));
        for (MeasuredVerb& verb : verbs) {
            const TimedRun run = run_verb(verb.words);
            REQUIRE_MESSAGE(run.outcome.exit_code == verb.exit_code, run.outcome.err);
            verb.ms.push_back(run.ms);
            verb.own_ms.push_back(run.own_ms());
            verb.processor_ms.push_back(run.processor_ms);
        }
    }
    for (const MeasuredVerb& verb : verbs) {
        const std::string figures = fmt::format(
            "{} with {} cgroups in a container, exit code {}: {:.1f} ms, {:.1f} ms on an idle "
            "machine; as many programs that let everything pass {:.1f} ms, {:.1f} times (median of "
            "{})",
            verb.words.front(), cgroups, verb.exit_code, median(verb.ms), median(verb.own_ms),
            median(bare), median(verb.processor_ms) / median(bare), kRounds);
        std::printf("# bench: %s\n", figures.c_str());
        CHECK_MESSAGE(median(verb.own_ms) < kMostMs, figures);
    }
}

}  // namespace

TEST_CASE("verbs for a container with thousands of cgroups take less than 1 s") {
    take_own_run();
    for (const std::size_t cgroups : kSizes) {
        const Container container;
        const TimedRun start = run_timed(container.call());
        REQUIRE_MESSAGE(start.outcome.exit_code == 0, start.outcome.err);
        const ManyCgroups below(container.cgroup, cgroups);
        measure(container, cgroups);
    }
}

}  // namespace jail_ai::bench
