// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is remembered of recent_denials, and what those who list jails are told.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <stdexcept>

#include "attempt.h"
#include "expect.h"
#include "jail/reader.h"
#include "kernel_bpf.h"
#include "must.h"

namespace jail_ai::test {
namespace {

JailSnapshot report_of(const TestCgroup& cgroup) {
    auto jails = read_jails(JailPart::denials);
    if (!jails) throw std::runtime_error(jails.error().message);
    const auto found = std::ranges::find_if(
        *jails, [&](const JailSnapshot& jail) { return cgroup.path().ends_with(jail.cgroup); });
    if (found == jails->end()) throw std::runtime_error("the jail is not listed");
    return std::move(*found);
}

std::string text_of(const RecentDenial& denial) {
    const auto address = jail_ai::IpPrefix::from_bytes(
        std::span(reinterpret_cast<const std::uint8_t*>(denial.what.addr), 16), 128);
    return (address ? address->to_string() : "?") + " " + std::to_string(denial.what.port) + " " +
           std::to_string(denial.what.protocol) + " " + std::to_string(denial.seen.count);
}

TEST_CASE("a jail is listed with what it is for and what it has") {
    Container container;
    CHECK_THROWS(report_of(container.cgroup));
    expect_jailed(container.run_hook(), container.cgroup);
    const JailSnapshot report = report_of(container.cgroup);
    REQUIRE(report.metadata);
    CHECK(report.metadata->container == container.state.id);
    CHECK(report.metadata->mode == Mode::enforce);
    CHECK(report.metadata->guard == usual_guard());
    CHECK(report.metadata->risks == 0);
    CHECK(!report.metadata->shares_network);
    CHECK(report.programs.size() == programs_of_a_jail());
    CHECK(report.prefixes > 20);
    CHECK(report.recent_denials.empty());
}

TEST_CASE("a denial is remembered by destination, with its count, its last time and its process") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const Destination v4 = destination("10.77.0.1", kPort), v6 = destination("fd77::1", kPort);
    for (int i = 0; i < 3; ++i)
        CHECK(error_name(container.init.run(
                  [=] { return attempt(Way::tcp_connect, v4, fresh_token()); })) == "EPERM");
    CHECK(error_name(container.init.run(
              [=] { return attempt(Way::udp_sendto, v6, fresh_token()); })) == "EPERM");
    const JailSnapshot report = report_of(container.cgroup);
    REQUIRE(report.recent_denials.size() == 2);
    CHECK(text_of(report.recent_denials[0]) ==
          "fd77::1 " + std::to_string(kPort) + " 17 1");  // the newest first
    CHECK(text_of(report.recent_denials[1]) == "10.77.0.1 " + std::to_string(kPort) + " 6 3");
    for (const RecentDenial& denial : report.recent_denials) {
        CHECK(denial.what.reason == JAIL_REASON_LOCAL);
        CHECK(denial.seen.pid != 0);  // in the initial PID namespace, which the tests may not be in
        CHECK(denial.seen.pid == report.recent_denials[0].seen.pid);
        CHECK(denial.seen.comm[0] != 0);
        CHECK(denial.seen.last != 0);
    }
    CHECK(report.denials[JAIL_REASON_LOCAL] == 4);
}

// The packet, which egress would deny as well, is nobody's any more.
TEST_CASE("a datagram to loopback that would leave by a device is remembered with its process") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const Destination loopback = destination("127.0.0.1", kPort);
    CHECK(error_name(container.init.run([=] {
              const UniqueFd socket(
                  must(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
              must(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, "ctr0", 4),
                   "bind to a device");
              return ::sendto(socket.get(), "x", 1, 0, loopback.get(), loopback.length) < 0 ? errno
                                                                                            : 0;
          })) == "EPERM");
    const JailSnapshot report = report_of(container.cgroup);
    REQUIRE(report.recent_denials.size() == 1);
    CHECK(text_of(report.recent_denials[0]) == "127.0.0.1 " + std::to_string(kPort) + " 17 1");
    CHECK(report.recent_denials[0].seen.pid != 0);
    CHECK(report.denials[JAIL_REASON_LOOPBACK] == 1);
}

TEST_CASE("more destinations than are remembered: the counters stay exact") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    constexpr int count = 3 * JAIL_MAX_RECENT;
    const auto knock = [] {
        int refused = 0;
        for (int port = 1; port <= count; ++port)
            refused += attempt(Way::tcp_connect,
                               destination("10.77.0.1", static_cast<std::uint16_t>(port)),
                               Token{}) == EPERM
                           ? 1
                           : 0;
        return refused == count ? 0 : EIO;
    };
    CHECK(error_name(container.init.run(knock)) == "none");
    const JailSnapshot report = report_of(container.cgroup);
    CHECK(report.denials[JAIL_REASON_LOCAL] == count);
    CHECK(!report.recent_denials.empty());
    CHECK(report.recent_denials.size() <= JAIL_MAX_RECENT);
}

TEST_CASE("a jail of another version doesn't hide what suggest says of others") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const Destination denied = destination("10.77.0.1", kPort);
    CHECK(error_name(container.init.run(
              [=] { return attempt(Way::tcp_connect, denied, fresh_token()); })) == "EPERM");
    const TestCgroup other;
    attach(other.fd(), load_passing_program(BPF_CGROUP_INET4_CONNECT, "jail_connect4"),
           BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    const HookOutcome all = Laboratory::get().hook.run(verb_call({"suggest"}));
    INFO(all.out << all.err);
    CHECK(all.exit_code == 0);
    CHECK(all.out.find("allow=10.77.0.1:" + std::to_string(kPort)) != std::string::npos);
    CHECK(all.out.find(
              "not suggested: what it was denied, 0 times: its jail is of another version") !=
          std::string::npos);
}

TEST_CASE("a jail of another version doesn't hide the policies of a user's others") {
    Container container;
    expect_jailed(container.run_hook(), container.cgroup);
    const TestCgroup other;
    attach(other.fd(), load_passing_program(BPF_CGROUP_INET4_CONNECT, "jail_connect4"),
           BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    const auto jails = read_jails_of(::geteuid(), JailPart::policy);
    REQUIRE(jails);
    const auto jail_at = [&](const TestCgroup& cgroup) {
        return std::ranges::find_if(
            *jails, [&](const JailSnapshot& jail) { return cgroup.path().ends_with(jail.cgroup); });
    };
    REQUIRE(jail_at(container.cgroup) != jails->end());
    CHECK(jail_at(container.cgroup)->policy);
    REQUIRE(jail_at(other) != jails->end());
    CHECK_FALSE(jail_at(other)->policy);
}

}  // namespace
}  // namespace jail_ai::test
