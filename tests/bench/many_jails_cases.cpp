// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How what the hook takes grows with the jails of a machine, up to 1,000 of them: a start beside
// them, and the verbs that look at every jail, as whole processes. Beside the verbs a bare walk,
// every program of the kernel by its id and what the kernel says about it; beside a start as many
// programs that let everything pass. The jails are the worst there are, each remembers as many
// denials as it can.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bpf/abi.h"
#include "files.h"
#include "host_address.h"
#include "jailed_containers.h"
#include "median.h"
#include "must.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::Destination;
using test::HookOutcome;
using test::HostAddress;
using test::must;

constexpr std::size_t kSizes[] = {1, 10, 100, 1000};
constexpr std::size_t kJails = kSizes[std::size(kSizes) - 1];
constexpr double kMostMsOfStatus = 1000;

// What takes long is measured well enough by few.
int rounds_of(std::size_t jails) {
    return jails < kJails ? 7 : 3;
}

// On as many ports of the host as a jail remembers: how many were denied.
unsigned be_denied(Container& container) {
    return container.init.run([] {
        unsigned denied = 0;
        for (std::uint16_t port = 1; port <= JAIL_MAX_RECENT; ++port) {
            const UniqueFd socket(
                must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
            const Destination to = test::destination("10.77.0.1", port);
            if (::connect(socket.get(), to.get(), to.length) != 0 && errno == EPERM) ++denied;
        }
        return denied;
    });
}

// As crun leaves it for a container that runs.
void write_crun_status(const Container& container) {
    const std::string directory = "/run/crun/" + container.state.id;
    test::make_directory(directory);
    test::create_file(
        directory + "/status",
        fmt::format(R"({{"pid":{},"bundle":"{}"}})", container.state.pid, container.state.bundle));
    std::string config = test::config_json();
    config.insert(1, fmt::format(R"("annotations":{},)", container.state.annotations));
    test::write_file(container.state.bundle + "/config.json", config);
}

class ManyJails {
public:
    ManyJails() {
        take_own_run();
        test::make_directory("/run/crun");
    }

    void grow_to(std::size_t count) {
        const auto before = jails_.end() - jails_.begin();
        jails_.grow_to(count);
        for (auto jail = jails_.begin() + before; jail != jails_.end(); ++jail) {
            if (be_denied(**jail) != JAIL_MAX_RECENT)
                throw std::runtime_error((*jail)->state.id + " was not denied all");
            write_crun_status(**jail);
        }
    }

private:
    JailedContainers jails_;
};

double bare_walk_ms() {
    const double begin = thread_ms();
    for (std::uint32_t id = 0; ::bpf_prog_get_next_id(id, &id) == 0;) {
        const UniqueFd program(::bpf_prog_get_fd_by_id(id));
        bpf_prog_info info{};
        std::uint32_t size = sizeof info;
        if (program) ::bpf_obj_get_info_by_fd(program.get(), &info, &size);
    }
    return thread_ms() - begin;
}

// Both sides, one after the other in each round.
struct Rounds {
    // As it was, and without what it waited for processors that others had.
    std::vector<double> ms, own_ms;
    // Of processors: the ratio of times by the clock would say how busy the machine is.
    std::vector<double> processor_ms, yardstick_ms;

    void add(const TimedRun& run, double yardstick) {
        ms.push_back(run.ms);
        own_ms.push_back(run.own_ms());
        processor_ms.push_back(run.processor_ms);
        yardstick_ms.push_back(yardstick);
    }
};

// Of each figure the lines for all sizes, for they are to be read beside each other.
class Curves {
public:
    // Gives what will be printed.
    const std::string& add(const std::string& name, std::string_view beside, std::size_t jails,
                           std::string_view yardstick, const Rounds& rounds) {
        const double used = median(rounds.processor_ms), bare = median(rounds.yardstick_ms);
        return lines_[name].emplace_back(
            fmt::format("{} {} {} jails {:.1f} ms, {:.1f} ms on an idle machine; {:.1f} ms of "
                        "processors; {} {:.1f} ms, {:.1f} times (median of {})",
                        name, beside, jails, median(rounds.ms), median(rounds.own_ms), used,
                        yardstick, bare, used / bare, rounds.ms.size()));
    }

    void print() const {
        for (const auto& [name, lines] : lines_)
            for (const std::string& line : lines) std::printf("# bench: %s\n", line.c_str());
    }

private:
    std::map<std::string, std::vector<std::string>> lines_;
};

constexpr std::string_view kWalk = "bare walk through all programs";

void check_shown(const HookOutcome& outcome, std::size_t jails) {
    REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
    REQUIRE(JailedContainers::count_in(outcome.out) == jails);
}

void check_logged(const HookOutcome& outcome, std::size_t jails) {
    REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
    REQUIRE(JailedContainers::count_in(outcome.out) == jails * JAIL_MAX_RECENT);
}

void check_refreshed(const HookOutcome& outcome, std::size_t changed) {
    REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
    const bool is_as_many =
        outcome.out.ends_with(fmt::format(", {} brought up to date\n", changed));
    const std::string said = outcome.out.substr(0, 500) + outcome.err;
    REQUIRE_MESSAGE(is_as_many, said);
}

void check_unchanged(const HookOutcome& outcome, std::size_t /*jails*/) {
    check_refreshed(outcome, 0);
}

void check_verified(const HookOutcome& outcome, std::size_t jails) {
    CHECK(JailedContainers::count_in(outcome.out) == 0);
    const bool finds_all =
        outcome.out.find(fmt::format("containers that must be jailed: {0}; jailed: {0}\n",
                                     jails)) != std::string::npos;
    REQUIRE_MESSAGE(finds_all, outcome.out);
}

struct MeasuredVerb {
    const char* name;
    std::vector<const char*> words;
    void (*check)(const HookOutcome& outcome, std::size_t jails);
    double most_ms = 0;  // beside the most jails, 0 for no limit
};

const std::vector<MeasuredVerb>& verbs() {
    static const std::vector<MeasuredVerb> all = {
        {"status", {"status"}, check_shown, kMostMsOfStatus},
        {"status --json", {"status", "--json"}, check_shown, kMostMsOfStatus},
        {"log", {"log"}, check_logged},
        {"verify", {"verify"}, check_verified},
        {"refresh (nothing changed)", {"refresh"}, check_unchanged},
    };
    return all;
}

void measure(const MeasuredVerb& verb, std::size_t jails, Curves& curves) {
    Rounds rounds;
    for (int round = 0; round < rounds_of(jails); ++round) {
        const double walk = bare_walk_ms();
        const TimedRun run = run_verb(verb.words);
        verb.check(run.outcome, jails);
        rounds.add(run, walk);
    }
    const std::string& line = curves.add(verb.name, "of", jails, kWalk, rounds);
    if (verb.most_ms > 0 && jails == kJails)
        CHECK_MESSAGE(median(rounds.own_ms) < verb.most_ms, line);
}

void measure_changes(std::size_t jails, Curves& curves) {
    Rounds rounds;
    const auto refresh = [&] {
        TimedRun run = run_verb({"refresh"});
        check_refreshed(run.outcome, jails);
        return run;
    };
    for (int round = 0; round < rounds_of(jails); ++round) {
        const double walk = bare_walk_ms();
        {
            const HostAddress added("10.78.0.99/32");
            rounds.add(refresh(), walk);
        }
        refresh();
    }
    curves.add("refresh (all change)", "of", jails, kWalk, rounds);
}

// Made before the jails: a container's process has every descriptor that this one has by then, two
// of each jail, and the hook looks at each.
class FreshContainers {
public:
    explicit FreshContainers(std::size_t count) {
        while (containers_.size() < count) containers_.push_back(std::make_unique<Container>());
    }
    std::unique_ptr<Container> take() {
        auto one = std::move(containers_.back());
        containers_.pop_back();
        return one;
    }

private:
    std::vector<std::unique_ptr<Container>> containers_;
};

constexpr int kStarts = 9;

void measure_starts(std::size_t jails, FreshContainers& containers, Curves& curves) {
    Rounds rounds;
    for (int round = 0; round < kStarts; ++round) {
        const test::TestCgroup cgroup;
        const double bare = bare_jail_ms(cgroup);
        const auto container = containers.take();
        const TimedRun run = run_timed(container->call());
        REQUIRE_MESSAGE(run.outcome.exit_code == 0, run.outcome.err);
        rounds.add(run, bare);
    }
    curves.add("createRuntime", "beside", jails, "as many programs that let everything pass",
               rounds);
}

}  // namespace

TEST_CASE("a start and the verbs beside 1, 10, 100 and 1,000 jails: status takes less than 1 s") {
    FreshContainers fresh(kStarts * std::size(kSizes));
    ManyJails jails;
    Curves curves;
    for (const std::size_t size : kSizes) {
        jails.grow_to(size);
        measure_starts(size, fresh, curves);
        for (const MeasuredVerb& verb : verbs()) measure(verb, size, curves);
        measure_changes(size, curves);
    }
    curves.print();
}

}  // namespace jail_ai::bench
