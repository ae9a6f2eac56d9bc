// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Attaching: once, again, beside others, and never half.
#include <doctest/doctest.h>
#include <signal.h>
#include <sysexits.h>

#include <algorithm>

#include "attempt.h"
#include "expect.h"
#include "kernel_bpf.h"
#include "netlink.h"

namespace jail_ai::test {
namespace {

std::vector<std::uint32_t> ids_of(const std::vector<Attachment>& attached) {
    std::vector<std::uint32_t> ids;
    for (const auto& each : attached) ids.push_back(each.id);
    return ids;
}

TEST_CASE("a second createRuntime replaces the programs and stacks none") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const std::vector<std::uint32_t> before = ids_of(jail_attachments(container.cgroup.fd()));
    expect_jailed(container.run_hook(), container.cgroup);
    const std::vector<std::uint32_t> after = ids_of(jail_attachments(container.cgroup.fd()));
    CHECK(after.size() == before.size());
    for (const std::uint32_t id : after) CHECK(std::ranges::count(before, id) == 0);
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("a foreign program that was there stays, and doesn't open the jail") {
    Container container;
    const UniqueFd foreign = load_passing_program(BPF_CGROUP_INET4_CONNECT, "foreign");
    attach(container.cgroup.fd(), foreign, BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    const std::vector<Attachment> alone = attachments(container.cgroup.fd());
    REQUIRE(alone.size() == 1);
    for (int round = 1; round <= 2; round++) {
        INFO("round " << round);
        expect_jailed(container.run_hook(), container.cgroup);
        const std::vector<Attachment> all = attachments(container.cgroup.fd());
        CHECK(std::ranges::count(all, alone.front()) == 1);
        CHECK(all.size() == 1 + programs_of_a_jail());
        expect_host_blocked(container.init, container.cgroup);
    }
}

TEST_CASE("a parent cgroup that forbids programs below it makes the hook reject the container") {
    // Without BPF_F_ALLOW_MULTI or _OVERRIDE a program closes its attach type for all cgroups
    // below.
    const TestCgroup parent;
    const UniqueFd foreign = load_passing_program(BPF_CGROUP_UDP4_SENDMSG, "foreign");
    attach(parent.fd(), foreign, BPF_CGROUP_UDP4_SENDMSG, 0);
    Container container({.parent = &parent});
    expect_refused(container.run_hook(), EX_NOPERM, "attach jail_sendmsg4 to", container.cgroup);
    CHECK(error_name(try_detach(parent.fd(), BPF_CGROUP_UDP4_SENDMSG, foreign.get())) == "none");
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("an attach that fails half-way leaves nothing attached") {
    for (int nth = 1; nth <= static_cast<int>(programs_of_a_jail()); nth++) {
        const std::string name = "at program " + std::to_string(nth);
        SUBCASE(name.c_str()) {
            guarded([&] {
                Container container;
                HookCall call = container.call();
                call.failing.nth = nth;
                const HookOutcome outcome = Laboratory::get().hook.run(call);
                expect_refused(outcome, EX_OSERR, "Cannot allocate memory", container.cgroup);
                CHECK(outcome.calls >= nth);
                expect_host_reached(container.init);
                expect_jailed(container.run_hook(), container.cgroup);
            });
        }
    }
}

TEST_CASE("a second attach that fails half-way leaves the first one as it was") {
    for (int nth = 1; nth <= static_cast<int>(programs_of_a_jail()); nth++) {
        const std::string name = "at program " + std::to_string(nth);
        SUBCASE(name.c_str()) {
            guarded([&] {
                Container container;
                expect_jailed(container.run_hook(), container.cgroup);
                const std::vector<Attachment> before = attachments(container.cgroup.fd());
                HookCall call = container.call();
                call.failing.nth = nth;
                const HookOutcome outcome = Laboratory::get().hook.run(call);
                expect_refusal(outcome, EX_OSERR, "Cannot allocate memory");
                CHECK(outcome.calls >= nth);
                CHECK((attachments(container.cgroup.fd()) == before));
                expect_host_blocked(container.init, container.cgroup);
            });
        }
    }
}

TEST_CASE("block-host=false attaches nothing") {
    Container container;
    HookCall call = container.call();
    State state = container.state;
    state.annotations = R"({"jail-ai.block-host":"false"})";
    call.state = state.json();
    const HookOutcome outcome = Laboratory::get().hook.run(call);
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.err == "");
    CHECK(names_of(attachments(container.cgroup.fd())).empty());
    expect_host_reached(container.init);
    expect_jailed(container.run_hook(), container.cgroup);
}

TEST_CASE("every signal blocked and a descriptor left open, as runtimes do: the jail is made") {
    Container container;
    HookCall call = container.call();
    call.before_exec = [] {
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        ::dup2(STDIN_FILENO, 200);  // not close-on-exec
    };
    expect_jailed(Laboratory::get().hook.run(call), container.cgroup);
    expect_host_blocked(container.init, container.cgroup);
}

TEST_CASE("thousands of local routes are denied, each of them") {
    NetworkLab& network = Laboratory::get().network;
    const NetworkNamespace busy_host;
    std::vector<IpPrefix> routes;
    constexpr int count = JAIL_MAX_RULES - 100;  // room for what is always blocked
    for (int i = 0; i < count; i++)
        routes.push_back(parse_prefix("10.99." + std::to_string(i / 128) + "." +
                                      std::to_string(2 * (i % 128)) + "/32"));
    {
        const Visit visit(busy_host);
        Netlink().add_local_routes(routes);
        network.witness.listen(Place::host, busy_host, interface_index("lo"));
    }
    Container container({.network = &busy_host});
    const TestCgroup outside;
    Child outsider({.cgroup = &outside, .network = &busy_host});
    HookCall call = container.call();
    call.network = &busy_host;
    HookOutcome outcome = Laboratory::get().hook.run(call);
    if (guard_in_shared_network() == Guard::none) {
        CHECK(outcome.err.find("left open: it reaches abstract Unix sockets") != std::string::npos);
        outcome.err.clear();
    }
    expect_jailed(outcome, container.cgroup, guard_in_shared_network());
    for (const int i : {0, count / 2, count - 1}) {
        const std::string address =
            "10.99." + std::to_string(i / 128) + "." + std::to_string(2 * (i % 128));
        INFO(address);
        const Destination to = destination(address, kPort);
        const Token jailed = fresh_token(), free = fresh_token();
        const DenialCounts before = denials(container.cgroup);
        CHECK(error_name(container.init.run(
                  [=] { return attempt(Way::tcp_connect, to, jailed); })) == "EPERM");
        CHECK(change(before, denials(container.cgroup)) == one_more(JAIL_REASON_LOCAL));
        CHECK(error_name(outsider.run([=] { return attempt(Way::tcp_connect, to, free); })) ==
              "none");
        CHECK(arrival(free, Place::host) == "host");
        CHECK_FALSE(network.witness.has_seen(jailed));
    }
}

}  // namespace
}  // namespace jail_ai::test
