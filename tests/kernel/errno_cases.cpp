// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a denied connect or sendto fails with, where the container asks for another errno than
// EPERM.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sysexits.h>

#include <cerrno>

#include "expect.h"
#include "kernel_bpf.h"
#include "scene.h"

namespace jail_ai::test {
namespace {

HookOutcome run_verb(std::vector<const char*> words) {
    return Laboratory::get().hook.run(verb_call(std::move(words)));
}

// By the suite's own program, with the very helper.
bool kernel_sets_errno() {
    return static_cast<bool>(load_undoing_program(BPF_CGROUP_INET4_CONNECT));
}

std::string asking(std::string_view mode, std::string_view error) {
    return fmt::format(R"({{"jail-ai.block-host":"{}","jail-ai.block-host.errno":"{}"}})", mode,
                       error);
}

constexpr std::string_view kErrors[] = {"ECONNREFUSED", "EHOSTUNREACH", "EPERM"};

struct Row {
    Way way;
    const char* host;
    const char* internet;
};

constexpr Row kRows[] = {
    {Way::tcp_connect, "10.77.0.1", "10.78.0.2"},
    {Way::udp_connect, "10.77.0.1", "10.78.0.2"},
    {Way::udp_sendto, "10.77.0.1", "10.78.0.2"},
    {Way::udp_sendmmsg, "10.77.0.1", "10.78.0.2"},
    {Way::udp_sendto_v4_on_v6, "10.77.0.1", "10.78.0.2"},
    {Way::tcp_connect, "fd77::1", "fd78::2"},
    {Way::udp_connect, "fd77::1", "fd78::2"},
    {Way::udp_sendto, "fd77::1", "fd78::2"},
    {Way::tcp_connect, "::ffff:10.77.0.1", "::ffff:10.78.0.2"},
    {Way::udp_connect, "::ffff:10.77.0.1", "::ffff:10.78.0.2"},
    {Way::udp_sendto, "::ffff:10.77.0.1", "::ffff:10.78.0.2"},
};

}  // namespace

TEST_CASE(
    "errno: a denied connect or sendto fails with what was asked for, and is counted; or the "
    "kernel can't, and the container is rejected") {
    if (!kernel_sets_errno()) {
        const std::string annotations = asking("true", "ECONNREFUSED");
        const Container container({.annotations = annotations.c_str()});
        return expect_refused(container.run_hook(), EX_UNAVAILABLE,
                              "errno=ECONNREFUSED: on kernel ", container.cgroup);
    }
    for (const std::string_view error : kErrors) {
        const std::string annotations = asking("true", error);
        Scene scene(Laboratory::get().network.container, annotations.c_str());
        for (const Row& row : kRows) {
            INFO(error << ": " << name_of(row.way) << " to " << row.host);
            const Destination to = destination(row.host, kPort);
            const DenialCounts before = denials(scene.container.cgroup);
            CHECK(try_from(scene.container.init, row.way, to) == error);
            CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
            CHECK(try_from(scene.outsider, row.way, to) == "none");
            CHECK(try_from(scene.container.init, row.way, destination(row.internet, kPort)) ==
                  "none");
            CHECK(change(before, denials(scene.container.cgroup)) == one_more(JAIL_REASON_LOCAL));
        }
        const HookOutcome status = run_verb({"status", scene.container.state.id.c_str()});
        const std::string shown = fmt::format("enforce with {},", error);
        CHECK_MESSAGE((status.out.find(shown) != std::string::npos) == (error != "EPERM"),
                      status.out);
        const HookOutcome machines =
            run_verb({"status", "--json", scene.container.state.id.c_str()});
        CHECK_MESSAGE(machines.out.find(fmt::format(R"("errno":"{}")", error)) != std::string::npos,
                      machines.out);
        // Its probe knows the jail's errno, too.
        const HookOutcome verified = run_verb({"verify"});
        CHECK_MESSAGE(verified.out.find("not-acting") == std::string::npos, verified.out);
    }
}

TEST_CASE("errno: audit mode allows all, and the default asks nothing of the kernel") {
    for (const std::string& annotations :
         {asking("audit", "ECONNREFUSED"), asking("true", "EPERM")}) {
        INFO(annotations);
        Container container({.annotations = annotations.c_str()});
        expect_jailed(container.run_hook(), container.cgroup);
        const bool denies = annotations.find("audit") == std::string::npos;
        CHECK(try_from(container.init, Way::tcp_connect, destination("10.77.0.1", kPort)) ==
              (denies ? "EPERM" : "none"));
    }
}

}  // namespace jail_ai::test
