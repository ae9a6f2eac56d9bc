// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What verify finds of real jails that somebody has meddled with, by the kernel's own order of
// programs; and that it is so: the same programs let through what the jail blocks.
#include <doctest/doctest.h>

#include "attempt.h"
#include "expect.h"
#include "jail/reader.h"
#include "kernel_bpf.h"
#include "must.h"
#include "verify/facts.h"

namespace jail_ai::test {
namespace {

std::string found_in(const TestCgroup& cgroup) {
    auto jail = read_jail(cgroup.fd(), JailPart::programs);
    REQUIRE(jail);
    if (!*jail) return "no jail";
    VerifyFacts facts;
    facts.jails.push_back(std::move(**jail));
    std::string kinds;
    for (const Finding& each : check_containers(facts)) {
        CHECK(each.about == "test");
        kinds += std::string(name_of(each.kind)) + "; ";
    }
    return kinds;
}

void run_hook(const Container& container) {
    const HookOutcome outcome = container.run_hook();
    REQUIRE_MESSAGE(outcome.exit_code == 0, outcome.err);
}

constexpr bpf_attach_type kChecking[] = {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT,
                                         BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG};

}  // namespace

TEST_CASE("verify: a jail as the hook made it") {
    Container container;
    CHECK(found_in(container.cgroup) == "no jail");
    run_hook(container);
    CHECK(found_in(container.cgroup) == "");
    run_hook(container);
    CHECK(found_in(container.cgroup) == "");
    Container watched(Container::Options{.annotations = R"({"jail-ai.block-host":"audit"})"});
    run_hook(watched);
    CHECK(found_in(watched.cgroup) == "");
    Container shared(Container::Options{.network = &Laboratory::get().network.host});
    run_hook(shared);
    CHECK(found_in(shared.cgroup) == "");
}

TEST_CASE("verify: any one program is detached") {
    Container container;
    run_hook(container);
    const std::size_t programs = jail_attachments(container.cgroup.fd()).size();
    for (std::size_t i = 0; i < programs; ++i) {
        const Attachment each =
            jail_attachments(container.cgroup.fd()).at(i);  // the hook attaches new ones each time
        INFO(each.name);
        REQUIRE(detach_by_id(container.cgroup.fd(), each.type, each.id) == 0);
        auto jail = read_jail(container.cgroup.fd(), JailPart::programs);
        REQUIRE(jail);
        REQUIRE(*jail);
        VerifyFacts facts;
        facts.jails.push_back(std::move(**jail));
        const auto found = check_containers(facts);
        REQUIRE(found.size() == 1);
        CHECK(found.front().kind == FindingKind::program_missing);
        CHECK(found.front().what.ends_with(": " + each.name));
        run_hook(container);
        CHECK(found_in(container.cgroup) == "");
    }
}

TEST_CASE("verify: a foreign program behind ours") {
    for (const bpf_attach_type type : kChecking) {
        INFO(static_cast<int>(type));
        const TestCgroup parent;
        Container container(Container::Options{.parent = &parent});
        const UniqueFd before = load_passing_program(type, "foreign_first");
        attach(container.cgroup.fd(), before, type, BPF_F_ALLOW_MULTI);
        run_hook(container);
        CHECK(found_in(container.cgroup) == "");  // ours runs after it

        const TestCgroup inside(container.cgroup, "inside");
        const UniqueFd below = load_passing_program(type, "foreign_below");
        attach(inside.fd(), below, type, BPF_F_ALLOW_MULTI);
        CHECK(found_in(container.cgroup) == "");

        const UniqueFd above = load_passing_program(type, "foreign_above");
        attach(parent.fd(), above, type, BPF_F_ALLOW_MULTI);
        CHECK(found_in(container.cgroup) == "overridden; ");
        const UniqueFd after = load_passing_program(type, "foreign_after");
        attach(container.cgroup.fd(), after, type, BPF_F_ALLOW_MULTI);
        CHECK(found_in(container.cgroup) == "overridden; overridden; ");
    }
}

TEST_CASE("verify: what runs behind ours has the last word, and what runs before has not") {
    Container container;
    run_hook(container);
    const Destination host = destination("10.77.0.1", kPort);
    const auto connects = [&] {
        return error_name(
            container.init.run([=] { return attempt(Way::tcp_connect, host, fresh_token()); }));
    };
    CHECK(connects() == "EPERM");
    const UniqueFd undoing = load_undoing_program(BPF_CGROUP_INET4_CONNECT);
    if (!undoing) {
        MESSAGE("this kernel has no bpf_set_retval for connect hooks (Linux 5.18)");
        return;
    }
    attach(container.cgroup.fd(), undoing, BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    CHECK(found_in(container.cgroup) == "overridden; ");
    CHECK(connects() != "EPERM");

    Container second;
    attach(second.cgroup.fd(), undoing, BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    run_hook(second);
    CHECK(found_in(second.cgroup) == "");
    CHECK(error_name(second.init.run(
              [=] { return attempt(Way::tcp_connect, host, fresh_token()); })) == "EPERM");
}

TEST_CASE("verify: verdicts on packets are joined, in whatever order the programs run") {
    Container container;
    run_hook(container);
    for (const bpf_attach_type type : {BPF_CGROUP_INET_EGRESS, BPF_CGROUP_INET_INGRESS}) {
        const UniqueFd other = load_passing_packets("sd_fw_like");
        attach(container.cgroup.fd(), other, type, BPF_F_ALLOW_MULTI);
    }
    CHECK(found_in(container.cgroup) == "");
}

TEST_CASE("verify: a program of our name that is none of the jail's") {
    Container container;
    run_hook(container);
    const UniqueFd impostor = load_passing_program(BPF_CGROUP_INET4_CONNECT, "jail_connect4");
    attach(container.cgroup.fd(), impostor, BPF_CGROUP_INET4_CONNECT, BPF_F_ALLOW_MULTI);
    CHECK(found_in(container.cgroup) == "program-twice; maps-not-shared; ");
}

TEST_CASE("verify: programs that others may detach") {
    const TestCgroup cgroup;
    const UniqueFd weak = load_passing_program(BPF_CGROUP_INET4_CONNECT, "jail_connect4");
    attach(cgroup.fd(), weak, BPF_CGROUP_INET4_CONNECT, 0);
    auto jail = read_jail(cgroup.fd(), JailPart::programs);
    REQUIRE(jail);
    REQUIRE(*jail);
    VerifyFacts facts;
    facts.jails.push_back(std::move(**jail));
    std::string kinds;
    for (const Finding& each : check_containers(facts))
        kinds += std::string(name_of(each.kind)) + "; ";
    // Without the record that a jail has of itself it is also taken for one of another version.
    CHECK(kinds == "program-missing; maps-not-shared; attach-flags; other-version; ");
}

TEST_CASE("verify: every jail of the machine is found, one without its first program too") {
    Container container;
    run_hook(container);
    const auto first = jail_attachments(container.cgroup.fd());
    REQUIRE_FALSE(first.empty());
    for (const Attachment& each : first)
        if (each.name == "jail_connect4")
            REQUIRE(detach_by_id(container.cgroup.fd(), each.type, each.id) == 0);
    const auto jails = read_jails(JailPart::programs);
    REQUIRE(jails);
    int found = 0;
    for (const JailSnapshot& jail : *jails)
        if (container.cgroup.path().ends_with(jail.cgroup)) ++found;
    CHECK(found == 1);
}

}  // namespace jail_ai::test
