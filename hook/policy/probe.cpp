// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "policy/probe.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "policy/evaluate.h"

namespace jail_ai {
namespace {

constexpr std::uint16_t kDiscard = 9;  // RFC 863: who listens there throws away what comes

// Addresses that no machine should have, and that nothing denies unless the policy denies far more
// than the host (RFC 5737, RFC 3849).
constexpr std::string_view kDocumentation4 = "192.0.2.1", kDocumentation6 = "2001:db8::1";

constexpr std::string_view kLineNames[] = {
    "connect(2), IPv4",
    "connect(2), IPv6",
    "sendto(2), IPv4",
    "sendto(2), IPv6",
    "a packet on its way out, IPv4",
    "a packet on its way out, IPv6",
    "socket(2)",
    "an abstract Unix socket",
};
static_assert(std::size(kLineNames) == JAIL_LINE_COUNT);

bool is_denied(const Rules& rules, const ProbeTarget& target) {
    const Evaluation evaluation = evaluate(rules, target.address, IPPROTO_UDP, target.port);
    return evaluation.denied && !evaluation.is_container_local();
}

// Port 9, and the ones behind those that are open.
std::vector<std::uint16_t> ports_to_try(const jail_rule& rule) {
    std::vector<std::uint16_t> ports = {kDiscard};
    for (const jail_ports& range : rule.ports)
        if (range.protocols != 0 && range.last != UINT16_MAX)
            ports.push_back(static_cast<std::uint16_t>(range.last + 1));
    return ports;
}

bool is_of_family(const IpPrefix& address, bool v4) {
    return address.is_single() && address.is_v4() == v4;
}

std::optional<ProbeTarget> find_denied(const Rules& rules, bool v4) {
    for (const jail_reason reason : {JAIL_REASON_METADATA, JAIL_REASON_ALIAS})
        for (const auto& [prefix, rule] : rules) {
            if (!is_of_family(prefix, v4) || rule.value.reason != reason) continue;
            for (const std::uint16_t port : ports_to_try(rule.value))
                if (const ProbeTarget target{prefix, port}; is_denied(rules, target)) return target;
        }
    return std::nullopt;
}

// Where a datagram passes connect and sendmsg.
std::optional<ProbeTarget> find_open(const Rules& rules, bool v4) {
    const ProbeTarget usual{*IpPrefix::parse(v4 ? kDocumentation4 : kDocumentation6), kDiscard};
    if (!evaluate(rules, usual.address, IPPROTO_UDP, usual.port).denied) return usual;
    for (const auto& [prefix, rule] : rules)
        for (const jail_ports& range : rule.value.ports)
            if (is_of_family(prefix, v4) && (range.protocols & JAIL_PORTS_UDP) != 0 &&
                range.last != 0 && !evaluate(rules, prefix, IPPROTO_UDP, range.last).denied)
                return ProbeTarget{prefix, range.last};
    return std::nullopt;
}

Error does_not_act(jail_line line, std::string_view cause) {
    return Error{EX_UNAVAILABLE,
                 fmt::format("the block does not act: the programs are attached, and {} {}",
                             kLineNames[line], cause)};
}

constexpr std::string_view kNotAsked =
    "is not denied by them: find out what keeps the kernel from asking them. Linux before 5.15 no "
    "longer does once net_cls or net_prio of cgroup v1 "
    "has been used (boot with systemd.unified_cgroup_hierarchy=1, or run Linux 5.15 or newer)";

constexpr std::string_view kUndone =
    "goes through although they deny it: another BPF program, on this cgroup or one above, undoes "
    "what they say. Find it (bpftool cgroup tree) and "
    "detach it";

bool is_egress(jail_line line) {
    return line == JAIL_LINE_EGRESS4 || line == JAIL_LINE_EGRESS6;
}

// What a line that denies makes a call fail with. Programs that try an abstract name first go on to
// a path only after ECONNREFUSED (bpf/guard.bpf.c).
int error_of_denial(jail_line line, const ProbePlan& plan) {
    if (line == JAIL_LINE_UNIX) return ECONNREFUSED;
    return is_egress(line) || line == JAIL_LINE_FAMILY ? EPERM : plan.denied_by;
}

Status check_line(jail_line line, const ProbeTry& tried, const ProbePlan& plan) {
    if (tried.denied == 0 && (tried.error == EPERM || tried.error == EACCES))
        return does_not_act(
            line,
            "is denied by another program before they are asked: find out by which, a "
            "firewall or another security module");
    if (tried.denied == 0) return does_not_act(line, kNotAsked);
    if (plan.mode == Mode::enforce && tried.error != error_of_denial(line, plan))
        return does_not_act(line, kUndone);
    return ok();
}

// One program at one place of the kernel checks packets of both families: one that gets as far as
// the program shows it for both. In this network namespace there may be no IPv6, or a firewall that
// lets no such packet through.
Status check_egress(const ProbePlan& plan, const PerLine<ProbeTry>& tries) {
    bool planned = false, shown = false;
    int error = 0;
    for (const jail_line line : {JAIL_LINE_EGRESS4, JAIL_LINE_EGRESS6}) {
        if (!plan.tries(line) || !tries[line].had_socket) continue;
        planned = true;
        if (tries[line].denied == 0 && tries[line].error != 0) {
            error = tries[line].error;
            continue;
        }
        TRY(check_line(line, tries[line], plan));
        shown = true;
    }
    if (!planned || shown) return ok();
    return Error{EX_UNAVAILABLE,
                 fmt::format("whether packets on their way out are denied can't be shown: nothing "
                             "leaves by the loopback device of this network "
                             "namespace: {}: ip link set lo up",
                             ::strerror(error))};
}

}  // namespace

bool ProbePlan::tries(jail_line line) const {
    if (line == JAIL_LINE_FAMILY) return guard;
    if (line == JAIL_LINE_UNIX) return unix_hooks;
    return targets[line].has_value();
}

ProbePlan plan_probe(const Policy& policy, Guard guard) {
    const Rules& rules = policy.rules;
    ProbePlan plan;
    plan.mode = policy.mode;
    plan.denied_by = errno_of(policy.denial_error);
    plan.guard = guard == Guard::lsm;
    plan.unix_hooks = guard == Guard::unix_hooks;
    plan.targets[JAIL_LINE_CONNECT4] = plan.targets[JAIL_LINE_SENDMSG4] = find_denied(rules, true);
    plan.targets[JAIL_LINE_CONNECT6] = plan.targets[JAIL_LINE_SENDMSG6] = find_denied(rules, false);
    plan.targets[JAIL_LINE_EGRESS4] = find_open(rules, true);
    plan.targets[JAIL_LINE_EGRESS6] = find_open(rules, false);
    return plan;
}

Status check_probe(const ProbePlan& plan, const PerLine<ProbeTry>& tries) {
    for (int number = 0; number < JAIL_LINE_COUNT; ++number) {
        const auto line = static_cast<jail_line>(number);
        if (!plan.tries(line) || is_egress(line)) continue;
        const bool is_v6 = line == JAIL_LINE_CONNECT6 || line == JAIL_LINE_SENDMSG6;
        if (is_v6 && !tries[line].had_socket) continue;  // this machine has no IPv6
        TRY(check_line(line, tries[line], plan));
    }
    return check_egress(plan, tries);
}

}  // namespace jail_ai
