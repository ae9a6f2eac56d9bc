// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What the probe tries by a jail's rules, and what is made of the outcome.
#include <doctest/doctest.h>

#include <cerrno>

#include "policy/evaluate.h"
#include "policy/probe.h"
#include "system/blinding_hierarchy.h"

using namespace jail_ai;

namespace {

Policy policy_for(const Annotations& annotations, Mode mode = Mode::enforce) {
    auto settings = parse_annotations(annotations);
    REQUIRE(settings);
    settings->mode = mode;
    const auto request = join_settings({}, *settings);
    REQUIRE(request);
    auto policy = compile_policy(*request, {});
    REQUIRE(policy);
    return std::move(*policy);
}

// Every line denies, by our program.
PerLine<ProbeTry> denied() {
    PerLine<ProbeTry> tries;
    tries.fill({EPERM, true, 1});
    return tries;
}

std::string said(const ProbePlan& plan, const PerLine<ProbeTry>& tries) {
    const auto checked = check_probe(plan, tries);
    return checked ? "" : checked.error().message;
}

bool says(const ProbePlan& plan, const PerLine<ProbeTry>& tries, std::string_view part) {
    const std::string text = said(plan, tries);
    CAPTURE(text);
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("probe: what is tried is denied, or passes all but egress, whatever the policy") {
    struct Row {
        Annotations annotations;
        bool sends;
        bool leaves;
    };
    const std::vector<Row> rows = {
        {{}, true, true},
        {{{"jail-ai.block-host.allow", "169.254.0.0/16:9/udp [fd00::/8]:1-9/udp"}}, true, true},
        {{{"jail-ai.block-host.allow", "0.0.0.0/0:1-65535/udp [::/0]:1-65535/udp"}}, false, true},
        {{{"jail-ai.block-host.also", "0.0.0.0/0 ::/0"}}, true, false},
    };
    for (const Row& row : rows) {
        const Policy policy = policy_for(row.annotations);
        const Rules& rules = policy.rules;
        const ProbePlan plan = plan_probe(policy, Guard::none);
        for (const jail_line line :
             {JAIL_LINE_CONNECT4, JAIL_LINE_CONNECT6, JAIL_LINE_SENDMSG4, JAIL_LINE_SENDMSG6}) {
            CHECK(plan.tries(line) == row.sends);
            if (!plan.tries(line)) continue;
            CHECK(plan.targets[line]->port != 0);
            const Evaluation evaluation =
                evaluate(rules, plan.targets[line]->address, 17, plan.targets[line]->port);
            CHECK(evaluation.denied);
            CHECK_FALSE(evaluation.is_container_local());
            CHECK(evaluation.reason != JAIL_REASON_LOCAL);
        }
        for (const jail_line line : {JAIL_LINE_EGRESS4, JAIL_LINE_EGRESS6}) {
            CHECK(plan.tries(line) == row.leaves);
            if (plan.tries(line))
                CHECK_FALSE(
                    evaluate(rules, plan.targets[line]->address, 17, plan.targets[line]->port)
                        .denied);
        }
        CHECK(said(plan, denied()) == "");
    }
}

TEST_CASE("probe: one line that doesn't act is reported") {
    const ProbePlan plan = plan_probe(policy_for({}), Guard::lsm);
    for (int number = 0; number < JAIL_LINE_UNIX; ++number) {
        CAPTURE(number);
        PerLine<ProbeTry> tries = denied();
        tries[static_cast<std::size_t>(number)] = {0, true, 0};
        CHECK(says(plan, tries, "is not denied by them"));
        tries[static_cast<std::size_t>(number)] = {0, true, 1};
        CHECK(says(plan, tries, "another BPF program"));
    }
    PerLine<ProbeTry> tries = denied();
    tries[JAIL_LINE_CONNECT4] = {EPERM, true, 0};
    CHECK(says(plan, tries, "connect(2), IPv4 is denied by another program"));
    tries = denied();
    tries[JAIL_LINE_UNIX] = {0, true, 0};  // has nothing attached
    CHECK(said(plan, tries) == "");
}

TEST_CASE("probe: connect and sendto fail with what was asked for, everything else as ever") {
    const ProbePlan plan =
        plan_probe(policy_for({{"jail-ai.block-host.errno", "ECONNREFUSED"}}), Guard::lsm);
    PerLine<ProbeTry> tries = denied();
    CHECK(says(plan, tries, "connect(2), IPv4 goes through although they deny it"));
    for (const jail_line line :
         {JAIL_LINE_CONNECT4, JAIL_LINE_CONNECT6, JAIL_LINE_SENDMSG4, JAIL_LINE_SENDMSG6})
        tries[line].error = ECONNREFUSED;
    CHECK(said(plan, tries) == "");
    tries[JAIL_LINE_FAMILY].error = ECONNREFUSED;
    CHECK(says(plan, tries, "socket(2) goes through"));
    tries[JAIL_LINE_FAMILY].error = EPERM;
    tries[JAIL_LINE_EGRESS4].error = ECONNREFUSED;
    CHECK(says(plan, tries, "on its way out, IPv4 goes through"));
}

TEST_CASE("probe: in audit mode what is counted counts") {
    const ProbePlan plan = plan_probe(policy_for({}, Mode::audit), Guard::none);
    PerLine<ProbeTry> tries;
    tries.fill({0, true, 1});
    CHECK(said(plan, tries) == "");
    tries[JAIL_LINE_SENDMSG6] = {ENETUNREACH, true, 0};
    CHECK(says(plan, tries, "sendto(2), IPv6"));
}

TEST_CASE("probe: without IPv6, or a route for its packets, IPv4 shows it") {
    const ProbePlan plan = plan_probe(policy_for({}), Guard::none);
    PerLine<ProbeTry> tries = denied();
    for (const jail_line line : {JAIL_LINE_CONNECT6, JAIL_LINE_SENDMSG6, JAIL_LINE_EGRESS6})
        tries[line] = {0, false, 0};
    CHECK(said(plan, tries) == "");
    tries = denied();
    tries[JAIL_LINE_EGRESS6] = {ENETUNREACH, true, 0};
    CHECK(said(plan, tries) == "");
    tries[JAIL_LINE_EGRESS4] = {ENETUNREACH, true, 0};
    CHECK(says(plan, tries, "ip link set lo up"));
}

TEST_CASE("probe: cgroup v1 takes sockets away from cgroup v2 before Linux 5.15") {
    constexpr std::string_view kNone =
        "#subsys_name\thierarchy\tnum_cgroups\tenabled\nnet_cls\t0\t1\t1\nnet_prio\t0\t1\t1\n";
    constexpr std::string_view kPrio =
        "#subsys_name\thierarchy\tnum_cgroups\tenabled\nnet_cls\t0\t1\t1\nnet_prio\t10\t1\t1\n";
    constexpr std::string_view kBoth =
        "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t1\t1\nnet_cls\t4\t1\t1\nnet_"
        "prio\t4\t1\t1\n";
    CHECK(blinding_hierarchy("5.10.0-32-amd64", kNone) == "");
    CHECK(blinding_hierarchy("5.10.0-32-amd64", kPrio) == "net_prio");
    CHECK(blinding_hierarchy("5.14.21", kBoth) == "net_cls");
    CHECK(blinding_hierarchy("5.15.0", kBoth) == "");
    CHECK(blinding_hierarchy("6.1.0-50-amd64", kPrio) == "");
}
