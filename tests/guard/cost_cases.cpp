// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the guard costs: the calls it hooks, in a jail and outside of any, without a guard on the
// machine and with one. LSM programs are hung into the kernel's code for everybody, so that the
// outside pays too. Figures for people; only their order of magnitude is asserted.
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>

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

void print(const char* where, const Figures& figures) {
    std::printf("# %s: socket() %.1f us, Unix connect() and accept() %.1f us, SCM_RIGHTS %.1f us\n",
                where, figures.socket, figures.connect, figures.receive);
}

TEST_CASE("the guard costs little, inside and outside") {
    NEED_GUARD();
    const NetworkNamespace& network = Laboratory::get().network.host;
    const TestCgroup outside;
    Child stranger({.cgroup = &outside, .network = &network});
    const Figures without = stranger.run(measure);
    Container container({.network = &network});
    expect_jailed(container.run_hook(), container.cgroup);
    Figures beside = stranger.run(measure);
    Figures inside = container.init.run(measure);
    for (int again = 0; again < 20 && !(is_little(beside, without) && is_little(inside, without));
         ++again) {
        keep_shorter(beside, stranger.run(measure));
        keep_shorter(inside, container.init.run(measure));
    }
    print("no guard on the machine", without);
    print("outside of the jail", beside);
    print("in the jail", inside);
    CHECK(is_little(inside, without));
    CHECK(is_little(beside, without));

    const double bare = time_of_hook(false), whole = time_of_hook(true);
    std::printf("# createRuntime: %.1f ms without the guard, %.1f ms with it\n", bare, whole);
    CHECK(whole < 10 * bare);
}

}  // namespace
}  // namespace jail_ai::test
