// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Jails kept up to date as the host's addresses change, with nobody asking.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "attempt.h"
#include "expect.h"
#include "host_address.h"

namespace jail_ai::test {
namespace {

using Clock = std::chrono::steady_clock;

HookRun start_watch(std::vector<const char*> words) {
    return Laboratory::get().hook.start(verb_call(std::move(words)));
}

std::string knock(Container& container, const char* address) {
    return try_from(container.init, Way::udp_sendto, destination(address, kPort));
}

// Until that is so, for a minute.
bool comes_to(Container& container, const char* address, const char* wanted) {
    for (const auto end = Clock::now() + std::chrono::seconds(60); Clock::now() < end;)
        if (knock(container, address) == wanted) return true;
    return false;
}

// To whoever has started it. The log has the same, and room for no more than what comes at once
// (net.unix.max_dgram_qlen).
bool tells(const HookOutcome& outcome, const std::string& part) {
    return outcome.out.find(part) != std::string::npos;
}

bool logs(const HookOutcome& outcome, const std::string& part) {
    return std::ranges::any_of(
        outcome.log, [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE(
    "watch: an address that the host gets is denied soon, and one that it loses passes again") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    HookRun watcher = start_watch({"watch"});
    {
        const HostAddress v4("10.78.0.99/32"), v6("fd78::99/128");
        CHECK(comes_to(container, "10.78.0.99", "EPERM"));
        CHECK(comes_to(container, "fd78::99", "EPERM"));
        CHECK(knock(container, "10.78.0.2") == "none");
    }
    CHECK(comes_to(container, "10.78.0.99", "none"));
    CHECK(comes_to(container, "fd78::99", "none"));
    expect_host_blocked(container.init, container.cgroup);
    watcher.stop();
    const HookOutcome watched = watcher.finish();
    CHECK_MESSAGE(watched.exit_code == 0, watched.err);
    CHECK_MESSAGE(
        tells(watched, "container test: brought up to date: + 10.78.0.99: denied (local)"),
        watched.out);
    CHECK(tells(watched, "container test: brought up to date: - 10.78.0.99: denied (local)"));
}

TEST_CASE("watch: a jail whose addresses were stale when it began is brought up to date") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const HostAddress stale("10.78.0.98/32");
    CHECK(knock(container, "10.78.0.98") == "none");
    HookRun watcher = start_watch({"watch"});
    CHECK(comes_to(container, "10.78.0.98", "EPERM"));
    watcher.stop();
    CHECK(watcher.finish().exit_code == 0);
}

TEST_CASE("watch --log: denials go to syslog, so many of each jail and then their number") {
    Container container;
    container.state.id = "watch-log";
    expect_jailed(container.run_hook(), container.cgroup);
    HookRun watcher = start_watch({"watch", "--log"});
    const auto end = Clock::now() + std::chrono::seconds(60);
    do CHECK(knock(container, "10.77.0.1") == "EPERM");
    while (!watcher.says("container watch-log: denied 10.77.0.1:", std::chrono::milliseconds(50)) &&
           Clock::now() < end);
    watcher.stop();
    const HookOutcome watched = watcher.finish();
    CHECK_MESSAGE(watched.exit_code == 0, watched.err);
    CHECK(logs(watched, "container watch-log: denied 10.77.0.1:"));
}

TEST_CASE("watch --log: when a container has gone, what it was denied is summed up") {
    HookRun watcher = start_watch({"watch", "--log"});
    unsigned knocks = 0;
    {
        Container container;
        container.state.id = "watch-end";
        expect_jailed(container.run_hook(), container.cgroup);
        // Until the watcher has found the jail.
        const auto end = Clock::now() + std::chrono::seconds(60);
        do {
            CHECK(knock(container, "10.77.0.1") == "EPERM");
            ++knocks;
        } while (!watcher.says("container watch-end: denied 10.77.0.1:",
                               std::chrono::milliseconds(50)) &&
                 Clock::now() < end);
    }
    const std::string count = std::to_string(knocks);
    const bool said =
        watcher.says("container watch-end: ended: denied " + count + ": local " + count +
                         "; 10.77.0.1:" + std::to_string(kPort) + "/udp (local), " + count +
                         (knocks == 1 ? " time" : " times"),
                     std::chrono::seconds(60));
    watcher.stop();
    const HookOutcome watched = watcher.finish();
    CHECK_MESSAGE(said, watched.out);
}

TEST_CASE("watch: an unknown word is reported") {
    for (const auto& [word, part] : {std::pair("--nonsense", "unknown option '--nonsense'"),
                                     std::pair("nonsense", "unexpected 'nonsense'")}) {
        HookRun watcher = start_watch({"watch", word});
        const HookOutcome outcome = watcher.finish();
        CHECK(outcome.exit_code == EX_USAGE);
        CHECK(outcome.err.find(part) != std::string::npos);
    }
}

}  // namespace jail_ai::test
