// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The host's addresses change under jails that are in force.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "attempt.h"
#include "expect.h"
#include "host_address.h"
#include "jail/reader.h"
#include "jail/refresh.h"
#include "must.h"
#include "pipe.h"

namespace jail_ai::test {
namespace {

using Clock = std::chrono::steady_clock;

HookOutcome run_verb(std::vector<const char*> words,
                     const NetworkNamespace& network = Laboratory::get().network.host) {
    HookCall call = verb_call(std::move(words));
    call.network = &network;
    return Laboratory::get().hook.run(call);
}

std::string knock(Container& container, const char* address) {
    return try_from(container.init, Way::udp_sendto, destination(address, kPort));
}

}  // namespace

TEST_CASE("refresh: an address that the host gets is denied, and one that it loses passes again") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const auto before = denials(container.cgroup);
    for (const char* address : {"10.78.0.99", "fd78::99"}) {
        CHECK(knock(container, address) == "none");
        {
            const HostAddress added(
                std::string(address) +
                (std::string_view(address).find(':') == std::string_view::npos ? "/32" : "/128"));
            CHECK(knock(container, address) == "none");
            const HookOutcome looked = run_verb({"refresh", "--dry-run"});
            CHECK(looked.exit_code == 0);
            CHECK(looked.out.find(std::string("+ ") + address + ": denied (local)") !=
                  std::string::npos);
            CHECK(knock(container, address) == "none");
            const HookOutcome done = run_verb({"refresh"});
            CHECK_MESSAGE(done.exit_code == 0, done.err);
            CHECK(done.out.find(std::string("+ ") + address + ": denied (local)") !=
                  std::string::npos);
            CHECK(knock(container, address) == "EPERM");
            CHECK(knock(container, "10.78.0.2") == "none");
        }
        CHECK(knock(container, address) == "EPERM");
        CHECK(run_verb({"refresh", "test"}).exit_code == 0);
        CHECK(knock(container, address) == "none");
    }
    CHECK(change(before, denials(container.cgroup)) == "local+4");
    expect_programs_attached(container.cgroup);
}

TEST_CASE("refresh: one at a time writes the rules") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    {
        const HostAddress added("10.78.0.98/32");
        HookCall call = verb_call({"refresh"});
        call.network = &Laboratory::get().network.host;
        call.failing = {.command = BPF_MAP_UPDATE_ELEM, .nth = 1, .stalls = true};
        HookRun first = Laboratory::get().hook.start(call);
        first.await_stall();
        const UniqueFd lock(
            must(::open("/run/jail-ai-hook/rules", O_RDWR | O_CLOEXEC), "open a lock"));
        CHECK(::flock(lock.get(), LOCK_EX | LOCK_NB) != 0);
        CHECK(errno == EWOULDBLOCK);
        first.stop();
        CHECK(first.finish().signal == SIGTERM);
        CHECK(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
    }
    const HookOutcome later = run_verb({"refresh"});
    CHECK_MESSAGE(later.exit_code == 0, later.err);
}

TEST_CASE("refresh: allow rules, resolvers and extra denials stay what they were") {
    Container::Options options;
    options.annotations =
        R"({"jail-ai.block-host":"true","jail-ai.block-host.allow":"host:7001","jail-ai.block-host.also":"10.78.0.0/16"})";
    Container container(options);
    expect_jailed(container.run_hook(), container.cgroup);
    const auto rules_of = [&] {
        return read_jail(container.cgroup.fd(), JailPart::policy).value()->policy->rules.size();
    };
    const std::size_t before = rules_of();
    const HookOutcome nothing = run_verb({"refresh"});
    CHECK(nothing.out.find("0 brought up to date") != std::string::npos);
    CHECK(rules_of() == before);
    {
        const HostAddress added("10.79.0.7/32");
        const HookOutcome done = run_verb({"refresh"});
        CHECK(done.out.find("+ 10.79.0.7: denied (local), allowed 7001/tcp") != std::string::npos);
        CHECK(rules_of() == before + 1);
    }
    CHECK(run_verb({"refresh"}).exit_code == 0);
    CHECK(rules_of() == before);
    CHECK(knock(container, "10.78.0.2") == "EPERM");
}

TEST_CASE("refresh: a jail of another network namespace's engine is left alone, and reported") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const HookOutcome elsewhere = run_verb({"refresh", "test"}, Laboratory::get().network.internet);
    CHECK(elsewhere.exit_code == 0);
    CHECK(elsewhere.out.find("left alone: its engine is in another network namespace") !=
          std::string::npos);
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("refresh: more addresses than a jail holds are reported, and the jail stays as it was") {
    const NetworkNamespace crowded;
    Container container;
    HookCall call = container.call();
    call.network = &crowded;
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
    {
        const Visit visit(crowded);
        std::vector<IpPrefix> many;
        for (unsigned i = 0; i < JAIL_MAX_RULES + 1; ++i) {
            many.push_back(parse_prefix(fmt::format("10.100.{}.{}/32", i >> 8, i & 255)));
        }
        Netlink().add_local_routes(many);
    }
    const std::size_t before =
        read_jail(container.cgroup.fd(), JailPart::policy).value()->policy->rules.size();
    const HookOutcome refused = run_verb({"refresh"}, crowded);
    CHECK(refused.exit_code == EX_OSERR);
    CHECK(refused.out.find("container test: ") != std::string::npos);
    CHECK(refused.out.find("a jail holds 4096") != std::string::npos);
    CHECK(read_jail(container.cgroup.fd(), JailPart::policy).value()->policy->rules.size() ==
          before);
}

TEST_CASE("refresh: bad words and unknown containers are reported in one line") {
    for (const auto& [words, exit_code, part] :
         {std::tuple(std::vector<const char*>{"refresh", "--nonsense"}, EX_USAGE,
                     "unknown option '--nonsense'"),
          std::tuple(std::vector<const char*>{"refresh", "nobody"}, EX_NOINPUT,
                     "container 'nobody' has no jail")}) {
        const HookOutcome outcome = run_verb(words);
        CHECK(outcome.exit_code == exit_code);
        CHECK(outcome.err.find(part) != std::string::npos);
    }
}

// (A container whose own address is blocked sends nothing, which is why the prefixes are narrow.)
// The rules go to and fro between sets that block the same addresses by other prefixes, as fast as
// can be, while a process in the jail knocks.
TEST_CASE(
    "refresh: under a storm of connections no destination passes that is denied before and after") {
    const Pipe told, stop(O_NONBLOCK);
    Container container;
    // No other process's jail, in which these rules would lack what its proof asks for.
    const std::string own_id = fmt::format("storm-{}", ::getpid());
    container.state.id = own_id;
    expect_jailed(container.run_hook(), container.cgroup);
    const auto rules_of = [](std::initializer_list<const char*> prefixes) {
        Rules rules;
        for (const char* prefix : prefixes)
            rules.emplace(*jail_ai::IpPrefix::parse(prefix), Rule{});
        return rules;
    };
    const std::vector<Rules> sets = {
        rules_of({"10.77.0.1", "fd77::1"}), rules_of({"10.77.0.0/31", "fd77::/127"}),
        rules_of({"10.0.0.0/8", "10.77.0.0/30", "10.77.0.1", "fd00::/8"})};
    struct Storm {
        unsigned attempts, passed;
    };
    const Destination targets[] = {destination("10.77.0.1", kPort), destination("fd77::1", kPort)};
    const int report = told.writer.get(), told_to_stop = stop.reader.get();
    constexpr auto kStorm = std::chrono::seconds(2), kMost = std::chrono::seconds(300);
    constexpr unsigned kFewest = 100;  // exchanges, for which a busy machine takes longer
    const pid_t stormer = container.init.run([=] {
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        Storm storm{};
        char word = 0;
        for (const auto end = Clock::now() + 2 * kMost;
             ::read(told_to_stop, &word, 1) != 1 && Clock::now() < end; ++storm.attempts)
            if (attempt(storm.attempts % 4 < 2 ? Way::tcp_connect : Way::udp_sendto,
                        targets[storm.attempts % 2], Token{}) != EPERM)
                ++storm.passed;
        ::_exit(::write(report, &storm, sizeof storm) == sizeof storm ? 0 : 1);
    });
    REQUIRE(stormer > 0);
    unsigned exchanges = 0;
    const auto begin = Clock::now();
    const auto goes_on = [&] {
        return Clock::now() < begin + (exchanges > kFewest ? kStorm : kMost);
    };
    for (; goes_on(); ++exchanges) {
        OtherPrograms others;
        auto visited = for_each_jail(0, others, [&](OpenJail& jail) -> Status {
            const auto metadata = read_metadata(jail.maps);
            if (!metadata || !*metadata || (**metadata).container != own_id) return ok();
            const auto now = read_rules(jail);
            if (!now) return std::move(now).error();
            return apply(jail, {own_id, *now, sets[exchanges % sets.size()], {}});
        });
        REQUIRE(visited);
    }
    REQUIRE(::write(stop.writer.get(), "!", 1) == 1);
    Storm storm{};
    REQUIRE(::read(told.reader.get(), &storm, sizeof storm) == sizeof storm);
    CHECK(storm.passed == 0);
    CHECK(storm.attempts > 1000);
    CHECK(exchanges > kFewest);
    const Rules& last = sets[(exchanges - 1) % sets.size()];
    const auto left = read_jail(container.cgroup.fd(), JailPart::policy);
    REQUIRE(left);
    CHECK(std::ranges::equal((**left).policy->rules, last, {}, &Rules::value_type::first,
                             &Rules::value_type::first));
    CHECK(knock(container, "10.78.0.2") ==
          std::string(last.contains(*jail_ai::IpPrefix::parse("10.0.0.0/8")) ? "EPERM" : "none"));
}

}  // namespace jail_ai::test
