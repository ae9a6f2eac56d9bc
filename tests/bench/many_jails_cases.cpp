// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the verbs that look at every jail take on a machine with 1,000 of them, as whole processes,
// beside a bare walk: every program of the kernel by its id, and what the kernel says about it. The
// jails are the worst there are, each remembers as many refusals as it can.
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstdio>
#include <stdexcept>

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
using test::HostAddress;
using test::must;

constexpr std::size_t kJails = 1000;
constexpr int kRounds = 3;
constexpr double kMostMsOfStatus = 1000;

// On as many ports of the host as a jail remembers: how many were refused.
unsigned be_refused(Container& container) {
    return container.init.run([] {
        unsigned refused = 0;
        for (std::uint16_t port = 1; port <= JAIL_MAX_RECENT; ++port) {
            const UniqueFd socket(
                must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
            const Destination to = test::destination("10.77.0.1", port);
            if (::connect(socket.get(), to.get(), to.length) != 0 && errno == EPERM) ++refused;
        }
        return refused;
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

struct ManyJails {
    ManyJails() : jails(kJails) {
        test::make_directory("/run/crun");
        for (const auto& container : jails) {
            if (be_refused(*container) != JAIL_MAX_RECENT)
                throw std::runtime_error(container->state.id + " was not refused");
            write_crun_status(*container);
        }
    }
    JailedContainers jails;
};

// For all cases; the suite's end takes them away.
void need_many_jails() {
    static const ManyJails jails;
}

std::size_t occurrences(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

// How many programs there are.
std::size_t walk_programs() {
    std::size_t count = 0;
    for (std::uint32_t id = 0; ::bpf_prog_get_next_id(id, &id) == 0;) {
        const UniqueFd program(::bpf_prog_get_fd_by_id(id));
        bpf_prog_info info{};
        std::uint32_t size = sizeof info;
        if (program && ::bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0) ++count;
    }
    return count;
}

struct Rounds {
    // As it was, and without what it waited for processors that others had.
    std::vector<double> ms, own_ms;

    void add(const TimedRun& run) {
        ms.push_back(run.ms);
        own_ms.push_back(run.ms - run.queued_ms);
    }
};

class Walks {
public:
    void take() {
        const auto begin = Clock::now();
        programs_ = walk_programs();
        ms_.push_back(Milliseconds(Clock::now() - begin).count());
    }

    // Prints both sides and the ratio, and gives what it has printed.
    std::string compare(const std::string& name, const Rounds& rounds) const {
        const double ms = median(rounds.ms), walk = median(ms_);
        std::string figures = fmt::format(
            "{} of {} jails {:.0f} ms, {:.0f} ms on an idle machine; bare walk through {} programs "
            "{:.0f} ms, {:.1f} times (median of {})",
            name, kJails, ms, median(rounds.own_ms), programs_, walk, ms / walk, rounds.ms.size());
        std::printf("# bench: %s\n", figures.c_str());
        return figures;
    }

private:
    std::vector<double> ms_;
    std::size_t programs_ = 0;
};

void measure_status(std::vector<const char*> words, const std::string& name) {
    need_many_jails();
    Walks walks;
    Rounds rounds;
    for (int round = 0; round < kRounds; ++round) {
        walks.take();
        const TimedRun run = run_verb(words);
        REQUIRE_MESSAGE(run.outcome.exit_code == 0, run.outcome.err);
        REQUIRE(occurrences(run.outcome.out, "bench-jail-") == kJails);
        rounds.add(run);
    }
    const std::string figures = walks.compare(name, rounds);
    CHECK_MESSAGE(median(rounds.own_ms) < kMostMsOfStatus, figures);
}

TimedRun run_refresh(std::size_t changed) {
    TimedRun run = run_verb({"refresh"});
    REQUIRE_MESSAGE(run.outcome.exit_code == 0, run.outcome.err);
    const bool is_as_many =
        run.outcome.out.ends_with(fmt::format(", {} brought up to date\n", changed));
    const std::string said = run.outcome.out.substr(0, 500) + run.outcome.err;
    REQUIRE_MESSAGE(is_as_many, said);
    return run;
}

}  // namespace

TEST_CASE("status of 1,000 jails takes less than a second") {
    measure_status({"status"}, "status");
}

TEST_CASE("status --json of 1,000 jails takes less than a second") {
    measure_status({"status", "--json"}, "status --json");
}

TEST_CASE("refresh of 1,000 jails, when nothing changed and when all must change") {
    need_many_jails();
    Walks walks;
    Rounds unchanged, changed;
    for (int round = 0; round < kRounds; ++round) {
        walks.take();
        unchanged.add(run_refresh(0));
        {
            const HostAddress added("10.78.0.99/32");
            changed.add(run_refresh(kJails));
        }
        run_refresh(kJails);
    }
    walks.compare("refresh (nothing changed)", unchanged);
    walks.compare("refresh (all change)", changed);
}

TEST_CASE("verify of 1,000 jails") {
    need_many_jails();
    Walks walks;
    Rounds rounds;
    for (int round = 0; round < kRounds; ++round) {
        walks.take();
        const TimedRun run = run_verb({"verify"});
        CHECK(run.outcome.out.find("bench-jail-") == std::string::npos);
        REQUIRE(run.outcome.out.find(
                    fmt::format("containers that must be jailed: {0}; jailed: {0}\n", kJails)) !=
                std::string::npos);
        rounds.add(run);
    }
    walks.compare("verify", rounds);
}

}  // namespace jail_ai::bench
