// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// How long an address that the host gets is open under watch: from just before the kernel is asked
// for it until the last jail refuses it, by the clock of whoever knocks from inside. Beside that,
// when a process that only listens has heard of it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <stdexcept>

#include "address_listener.h"
#include "files.h"
#include "jailed_containers.h"
#include "median.h"
#include "must.h"
#include "netlink.h"

namespace jail_ai::bench {
namespace {

using test::Container;
using test::Destination;
using test::Laboratory;
using test::must;

constexpr int kRounds = 31;
constexpr double kMostMs = 10;
constexpr double kMostMsOfMany = 50;  // one after the other, each waits for those before it

bool refuses(int socket, const Destination& to) {
    return ::connect(socket, to.get(), to.length) != 0 && errno == EPERM;
}

const Destination& new_address() {
    static const Destination address = test::destination("10.78.0.99", test::kPort);
    return address;
}

bool refuses(Container& container) {
    return container.init.run([to = new_address()] {
        const UniqueFd socket(
            must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
        return refuses(socket.get(), to);
    });
}

// Knocks until the answer is as wanted: when that was. Throws after some seconds.
Clock::time_point knock_until(Container& container, bool refused) {
    const auto when = container.init.run([to = new_address(), refused] {
        const UniqueFd socket(
            must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
        for (const auto end = Clock::now() + std::chrono::seconds(5); Clock::now() < end;)
            if (refuses(socket.get(), to) == refused) return Clock::now();
        return Clock::time_point();
    });
    if (when == Clock::time_point())
        throw std::runtime_error(fmt::format("container {}: the address is {}", container.state.id,
                                             refused ? "open" : "blocked"));
    return when;
}

// Until it waits in poll(2).
void await_rest(pid_t pid) {
    const std::string file = fmt::format("/proc/{}/syscall", pid);
    const auto end = Clock::now() + std::chrono::seconds(5);
    while (Clock::now() < end) {
        const std::string words = test::read_file(file);
#ifdef SYS_poll
        if (words.starts_with(fmt::format("{} ", SYS_poll))) return;
#endif
        if (words.starts_with(fmt::format("{} ", SYS_ppoll))) return;
        ::sched_yield();
    }
    throw std::runtime_error("watch does not come to rest");
}

// Nobody reads what it says, and it must not wait for that.
test::HookCall watching() {
    test::HookCall call = test::verb_call({"watch"});
    call.before_exec = [] {
        must(::dup2(must(::open("/dev/null", O_WRONLY | O_CLOEXEC), "open /dev/null"),
                    STDOUT_FILENO),
             "silence watch");
    };
    return call;
}

struct Delays {
    // Own: without what watch waited for processors that others had.
    std::vector<double> watch, own, listener;
};

Delays measure(const JailedContainers& jails) {
    const auto& host = Laboratory::get().network.host;
    AddressListener listener(host);
    test::HookRun watcher = Laboratory::get().hook.start(watching());
    const test::Visit visit(host);
    test::Netlink netlink;
    Delays delays;
    Container& last = **std::prev(jails.end());  // whose programs are the newest: watch comes to it
                                                 // when it has done with the others
    for (int round = -1; round < kRounds; ++round) {  // the first one waits for watch to have begun
        await_rest(watcher.pid());
        const auto queued = test::queued(watcher.pid());
        const auto begin = Clock::now();
        netlink.add_address("host1", "10.78.0.99/32");
        const Milliseconds blocked = knock_until(last, true) - begin;
        const Milliseconds waited = test::queued(watcher.pid()) - queued;
        const Milliseconds heard = listener.heard() - begin;
        const bool all =
            std::ranges::all_of(jails, [](const auto& container) { return refuses(*container); });
        REQUIRE(all);
        netlink.remove_address("host1", "10.78.0.99/32");
        knock_until(last, false);
        if (round < 0) continue;
        delays.watch.push_back(blocked.count());
        delays.own.push_back((blocked - waited).count());
        delays.listener.push_back(heard.count());
    }
    watcher.stop();
    const test::HookOutcome outcome = watcher.finish();
    CHECK_MESSAGE(outcome.exit_code == 0, outcome.err);
    return delays;
}

struct Figures {
    double own_ms;  // median
    std::string text;
};

Figures measure_with(std::size_t count) {
    const JailedContainers jails(count);
    const Delays delays = measure(jails);
    const double watch = median(delays.watch), own = median(delays.own),
                 listener = median(delays.listener);
    Figures figures{own,
                    fmt::format("watch and jails: {}; an address is blocked after {:.2f} ms, at "
                                "most {:.2f}, on an idle machine {:.2f}; a bare "
                                "listener hears of it after {:.3f} ms, {:.0f} times (median of {})",
                                count, watch, std::ranges::max(delays.watch), own, listener,
                                watch / listener, kRounds)};
    std::printf("# bench: %s\n", figures.text.c_str());
    return figures;
}

}  // namespace

TEST_CASE("watch: a new address is denied in a jail within 10 ms") {
    const Figures figures = measure_with(1);
    CHECK_MESSAGE(figures.own_ms < kMostMs, figures.text);
}

TEST_CASE("watch: a new address is denied in the last of 100 jails within 50 ms") {
    const Figures figures = measure_with(100);
    CHECK_MESSAGE(figures.own_ms < kMostMsOfMany, figures.text);
}

}  // namespace jail_ai::bench
