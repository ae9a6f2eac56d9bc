// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the guard costs: the calls it hooks, in a jail and outside of any, without a guard on the
// machine and with one. LSM programs are hung into the kernel's code for everybody, so that the
// outside pays too. Figures for people; only their order of magnitude is asserted.
//
// environment: BENCH_ROUNDS, how often all sides are measured one after the other: once without.
#include <sys/un.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "median.h"
#include "must.h"
#include "rig.h"
#include "sockets.h"

namespace jail_ai::test {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// The shortest: what else a machine does makes calls longer, and none shorter.
template <typename Call>
double shortest_of(Call call) {
    std::array<double, 201> taken{};
    for (double& each : taken) {
        const auto begin = Clock::now();
        call();
        each = Microseconds(Clock::now() - begin).count();
    }
    return *std::ranges::min_element(taken);
}

struct Figures {
    double socket, connect, receive;
};

sockaddr_un listener_name() {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path + 1, "jail-ai-cost", 12);
    return name;
}

Figures measure() {
    const sockaddr_un name = listener_name();
    constexpr socklen_t length = offsetof(sockaddr_un, sun_path) + 13;
    const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
    must(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&name), length), "bind");
    must(::listen(listener.get(), 8), "listen");
    const Channel channel;
    const UniqueFd passed(must(::socket(AF_INET, SOCK_DGRAM, 0), "open a socket to pass"));
    Figures figures{};
    figures.socket = shortest_of([] { const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0)); });
    figures.connect = shortest_of([&] {
        const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM, 0));
        must(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), length), "connect");
        const UniqueFd server(::accept(listener.get(), nullptr, nullptr));
    });
    figures.receive = shortest_of([&] {
        const int fd = passed.get();
        send_descriptors(channel.near(), &fd, 1);
        const UniqueFd received(receive_descriptors(channel.far()).last);
        if (!received) throw std::runtime_error("the socket didn't come");
    });
    return figures;
}

constexpr double kMostTimes = 3;

void keep_shorter(Figures& so_far, const Figures& figures) {
    so_far.socket = std::min(so_far.socket, figures.socket);
    so_far.connect = std::min(so_far.connect, figures.connect);
    so_far.receive = std::min(so_far.receive, figures.receive);
}

bool is_little(const Figures& figures, const Figures& without) {
    return figures.socket < kMostTimes * without.socket &&
           figures.connect < kMostTimes * without.connect &&
           figures.receive < kMostTimes * without.receive;
}

// One after the other.
struct Round {
    Figures without, outside, inside;
};

// The kernel frees them from a work queue without a notification, hence the polling.
void await_end_of(const std::vector<Attachment>& programs) {
    const auto end = Clock::now() + std::chrono::seconds(60);
    for (const Attachment& program : programs)
        while (program_exists(program.id)) {
            if (Clock::now() > end) throw std::runtime_error("the guard does not go");
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
}

Round measure_round(Child& stranger, const NetworkNamespace& network) {
    Round round;
    round.without = stranger.run(measure);
    std::vector<Attachment> programs;
    {
        Container container({.network = &network});
        expect_jailed(container.run_hook(), container.cgroup);
        programs = jail_attachments(container.cgroup.fd());
        round.outside = stranger.run(measure);
        round.inside = container.init.run(measure);
        for (int again = 0; again < 20 && !(is_little(round.outside, round.without) &&
                                            is_little(round.inside, round.without));
             ++again) {
            keep_shorter(round.outside, stranger.run(measure));
            keep_shorter(round.inside, container.init.run(measure));
        }
    }
    await_end_of(programs);
    return round;
}

void print(const char* what, double Figures::*call, const std::vector<Round>& rounds) {
    std::vector<double> outside, inside, without_us, outside_us, inside_us;
    for (const Round& round : rounds) {
        without_us.push_back(round.without.*call);
        outside_us.push_back(round.outside.*call);
        inside_us.push_back(round.inside.*call);
        outside.push_back(outside_us.back() / without_us.back());
        inside.push_back(inside_us.back() / without_us.back());
    }
    using bench::median;
    utsname kernel{};
    must(::uname(&kernel), "ask for the kernel's release");
    std::printf(
        "# bench: guard on Linux %s, %s: outside of the jail %.2f times that without a guard, in "
        "the jail %.2f times; %.1f us, outside %.1f us, in the jail %.1f us (medians of %zu)\n",
        kernel.release, what, median(outside), median(inside), median(without_us),
        median(outside_us), median(inside_us), rounds.size());
}

double time_of_hook(bool guarded) {
    std::array<double, 9> taken{};
    for (double& each : taken) {
        Container container;
        HookCall call = container.call();
        if (!guarded) call.before_exec = hide_list_of_lsms;
        const auto begin = Clock::now();
        const HookOutcome outcome = Laboratory::get().hook.run(call);
        each = Microseconds(Clock::now() - begin - outcome.queued).count() / 1000;
        if (outcome.exit_code != 0) throw std::runtime_error("the hook refused: " + outcome.err);
        const std::size_t expected = programs_of_a_jail(guarded ? Guard::lsm : Guard::none);
        if (jail_attachments(container.cgroup.fd()).size() != expected)
            throw std::runtime_error("another jail than was to be timed");
    }
    return *std::ranges::min_element(taken);
}

TEST_CASE("the guard costs little, inside and outside") {
    NEED_GUARD();
    const char* wanted = std::getenv("BENCH_ROUNDS");
    const NetworkNamespace& network = Laboratory::get().network.host;
    const TestCgroup outside;
    Child stranger({.cgroup = &outside, .network = &network});
    std::vector<Round> rounds;
    do rounds.push_back(measure_round(stranger, network));
    while (wanted != nullptr && rounds.size() < std::stoul(wanted));
    print("socket()", &Figures::socket, rounds);
    print("connect() and accept() of a Unix socket", &Figures::connect, rounds);
    print("a socket by SCM_RIGHTS", &Figures::receive, rounds);
    for (const Round& round : rounds) {
        CHECK(is_little(round.inside, round.without));
        CHECK(is_little(round.outside, round.without));
    }

    const double bare = time_of_hook(false), whole = time_of_hook(true);
    utsname kernel{};
    must(::uname(&kernel), "ask for the kernel's release");
    std::printf("# bench: guard on Linux %s, createRuntime: %.1f ms without it, %.1f ms with it\n",
                kernel.release, bare, whole);
    CHECK(whole < 10 * bare);
}

}  // namespace
}  // namespace jail_ai::test
