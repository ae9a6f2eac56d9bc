// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Refusals told: those that are remembered, those that happen, and how many were too many.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <chrono>
#include <regex>

#include "attempt.h"
#include "expect.h"
#include "must.h"
#include "pipe.h"

namespace jail_ai::test {
namespace {

using Clock = std::chrono::steady_clock;

HookOutcome run_verb(std::vector<const char*> words) {
    return Laboratory::get().hook.run(verb_call(std::move(words)));
}

std::string knock(Container& container, const char* address, std::uint16_t port) {
    return try_from(container.init, Way::tcp_connect, destination(address, port));
}

Container::Options named(const char* annotations = nullptr) {
    Container::Options options;
    options.annotations = annotations;
    return options;
}

HookOutcome jail(Container& container, const char* id) {
    container.state.id = id;
    HookCall call = container.call();
    return Laboratory::get().hook.run(call);
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

// How many denials the lines that have this part are of.
std::size_t denials_in(const std::string& json, const std::string& part) {
    std::size_t denials = 0;
    const std::regex line(part + R"([^\n]*"count":([0-9]+))");
    for (std::sregex_iterator at(json.begin(), json.end(), line), end; at != end; ++at)
        denials += std::stoul((*at)[1]);
    return denials;
}

// A process in the container knocks so many times a second for so long, as time has it, at so many
// ports in turn, and tells how often it was refused.
void begin_storm(Container& container, int report, unsigned a_second, unsigned seconds,
                 unsigned ports) {
    const pid_t pid = container.init.run([=] {
        const pid_t child = ::fork();
        if (child != 0) return child;
        unsigned refused = 0;
        const auto start = Clock::now();
        const auto end = start + std::chrono::seconds(seconds);
        for (auto next = start; Clock::now() < end;
             next += std::chrono::nanoseconds(1'000'000'000 / a_second)) {
            while (Clock::now() < next) {
            }
            const auto port = static_cast<std::uint16_t>(10'000 + refused % ports);
            if (attempt(Way::udp_sendto, destination("10.77.0.1", port), Token{}) == EPERM)
                ++refused;
        }
        ::_exit(::write(report, &refused, sizeof refused) == sizeof refused ? 0 : 1);
    });
    REQUIRE(pid > 0);
}

// Knocks there until the follower says so: then it has told all that came before, and will tell
// what comes. Gives how often.
unsigned knock_until_told(Container& container, HookRun& follower, std::uint16_t port) {
    const std::string told = fmt::format(":{}/", port);
    const auto end = Clock::now() + std::chrono::seconds(60);
    for (unsigned knocks = 1; Clock::now() < end; ++knocks) {
        CHECK(knock(container, "fd77::1", port) == "EPERM");
        if (follower.says(told, std::chrono::milliseconds(50))) return knocks;
    }
    FAIL("the follower tells nothing");
    return 0;
}

}  // namespace

TEST_CASE("log: remembered denials are printed for people, the last one last, and for machines") {
    Container container;
    expect_jailed(jail(container, "log-remembered"), container.cgroup);
    CHECK(knock(container, "10.77.0.1", 7001) == "EPERM");
    CHECK(knock(container, "fd77::1", 7002) == "EPERM");
    CHECK(knock(container, "10.77.0.1", 7001) == "EPERM");
    const HookOutcome people = run_verb({"log", "log-rem"});
    CHECK(people.exit_code == 0);
    const std::regex wanted(
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z log-remembered denied "
        "\\[fd77::1\\]:7002/tcp \\(local\\) to '[^']+', process [0-9]+\n"
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z log-remembered denied "
        "10\\.77\\.0\\.1:7001/tcp \\(local\\) to '[^']+', process [0-9]+, 2 "
        "times\n");
    CHECK_MESSAGE(std::regex_match(people.out, wanted), people.out);
    const HookOutcome machines = run_verb({"log", "--json", "log-remembered"});
    CHECK(machines.exit_code == 0);
    REQUIRE(count_of(machines.out, "\n") == 2);
    rapidjson::Document last;
    last.Parse(machines.out.substr(machines.out.find('\n') + 1).c_str());
    REQUIRE(last.IsObject());
    CHECK(std::string(last["container"].GetString()) == "log-remembered");
    CHECK(std::string(last["destination"].GetString()) == "10.77.0.1");
    CHECK(last["port"].GetUint() == 7001);
    CHECK(last["count"].GetUint() == 2);
    CHECK(std::string(last["reason"].GetString()) == "local");
}

TEST_CASE(
    "log --follow: tells of jails that were there and of jails that start later, and of nothing "
    "from before") {
    Container before;
    expect_jailed(jail(before, "log-before"), before.cgroup);
    CHECK(knock(before, "10.77.0.1", 7010) == "EPERM");
    HookRun follower = Laboratory::get().hook.start(verb_call({"log", "--follow"}));
    knock_until_told(before, follower, 7012);
    CHECK(knock(before, "10.77.0.1", 7011) == "EPERM");
    Container later(named(R"({"jail-ai.block-host":"audit"})"));
    expect_jailed(jail(later, "log-later"), later.cgroup);
    CHECK(knock(later, "10.77.0.1", kPort) == "none");
    CHECK(follower.says(fmt::format("would have denied 10.77.0.1:{}/", kPort)));
    follower.stop();
    const HookOutcome followed = follower.finish();
    CHECK_MESSAGE(followed.exit_code == 0, followed.err);
    CHECK(followed.out.find(":7010/") == std::string::npos);
    CHECK(count_of(followed.out, "log-before   denied 10.77.0.1:7011/tcp (local)") == 1);
    CHECK(count_of(followed.out,
                   fmt::format("log-later    would have denied 10.77.0.1:{}/tcp (local)", kPort)) >=
          1);
    CHECK(run_verb({"log", "--follow", "--nonsense"}).exit_code == EX_USAGE);
}

TEST_CASE("log --follow: any number of processes may, each sees every denial") {
    Container container;
    expect_jailed(jail(container, "log-both"), container.cgroup);
    HookRun one = Laboratory::get().hook.start(verb_call({"log", "--follow"}));
    HookRun other = Laboratory::get().hook.start(verb_call({"log", "--follow"}));
    knock_until_told(container, one, 7015);
    knock_until_told(container, other, 7016);
    CHECK(knock(container, "10.77.0.1", 7017) == "EPERM");
    for (HookRun* follower : {&one, &other}) {
        CHECK(follower->says("log-both     denied 10.77.0.1:7017/tcp (local)"));
        follower->stop();
        CHECK(follower->finish().exit_code == 0);
    }
}

TEST_CASE("log --follow: what a jail denies before it is found is printed, with how often") {
    Container before;
    expect_jailed(jail(before, "log-found"), before.cgroup);
    HookRun follower = Laboratory::get().hook.start(verb_call({"log", "--follow", "--json"}));
    knock_until_told(before, follower, 7018);
    Container later;
    expect_jailed(jail(later, "log-at-once"), later.cgroup);
    for (int i = 0; i < 20; ++i) CHECK(knock(later, "10.77.0.1", 7019) == "EPERM");
    CHECK(knock(later, "fd77::1", 7020) == "EPERM");
    CHECK(follower.says(R"("what":"[fd77::1]:7020/tcp")"));
    follower.stop();
    const HookOutcome followed = follower.finish();
    CHECK_MESSAGE(followed.exit_code == 0, followed.err);
    CHECK(denials_in(followed.out, R"("what":"10\.77\.0\.1:7019/tcp")") == 20);
    CHECK_MESSAGE(followed.err.find("log-at-once: ") == std::string::npos, followed.err);
}

// Of few destinations none is forgotten before one looks, and of more than a jail remembers many.
TEST_CASE("log --follow: of 10,000 denials a second for 5 s each is printed or counted as lost") {
    unsigned ports = 0;
    SUBCASE("of one destination") {
        ports = 1;
    }
    SUBCASE("of more than are remembered") {
        ports = 5'000;
    }
    CAPTURE(ports);
    const Pipe told_by_storm;
    Container container;
    expect_jailed(jail(container, "log-storm"), container.cgroup);
    HookRun follower =
        Laboratory::get().hook.start(verb_call({"log", "--follow", "--json", "log-storm"}));
    const unsigned before = knock_until_told(container, follower, 7013);
    begin_storm(container, told_by_storm.writer.get(), 10'000, 5, ports);
    // What the follower writes has to be read meanwhile.
    pollfd over{told_by_storm.reader.get(), POLLIN, 0};
    while (must(::poll(&over, 1, 0), "look for the storm's end") == 0)
        follower.says("nothing of the kind", std::chrono::milliseconds(50));
    unsigned refused = 0;
    REQUIRE(::read(told_by_storm.reader.get(), &refused, sizeof refused) == sizeof refused);
    const unsigned after = knock_until_told(container, follower, 7014);
    follower.stop();
    const HookOutcome followed = follower.finish();
    CHECK_MESSAGE(followed.exit_code == 0, followed.err);
    const std::size_t told = denials_in(followed.out, R"("what":"10\.77\.0\.1:)");
    const std::size_t told_after = denials_in(followed.out, R"("what":"\[fd77::1\]:7014/)");
    std::size_t lost = 0;
    const std::regex line("log-storm: ([0-9]+) more denials came faster");
    for (std::sregex_iterator at(followed.err.begin(), followed.err.end(), line), end; at != end;
         ++at)
        lost += std::stoul((*at)[1]);
    CHECK_MESSAGE(told + told_after + lost == refused + after,
                  fmt::format("{} and {} told, {} lost, {} and {} refused", told, told_after, lost,
                              refused, after));
    CHECK(told > 0);  // how many is a matter of the machine
    if (ports == 1) CHECK(lost == 0);
    CHECK(denials(container.cgroup)[JAIL_REASON_LOCAL] == refused + before + after);
}

}  // namespace jail_ai::test
