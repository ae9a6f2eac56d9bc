// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "expect.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>

#include "kernel_bpf.h"
#include "policy/reason.h"

namespace jail_ai::test {
namespace {

constexpr Way kBothWays[] = {Way::tcp_connect, Way::udp_sendto};

// Host to reach or not, and an address behind it.
struct Pair {
    const char* host;
    const char* internet;
};
constexpr Pair kBothFamilies[] = {{"10.77.0.1", "10.78.0.2"}, {"fd77::1", "fd78::2"}};

std::string described(const HookOutcome& outcome) {
    return "exit " + std::to_string(outcome.exit_code) + ", signal " +
           std::to_string(outcome.signal) + ": " + outcome.err;
}

}  // namespace

std::string error_name(int error) {
    if (error == 0) return "none";
    const char* name = ::strerrorname_np(error);
    return name != nullptr ? name : std::to_string(error);
}

std::string try_from(Child& child, Way way, const Destination& to) {
    const Token token = fresh_token();
    return error_name(child.run([=] { return attempt(way, to, token); }));
}

std::string name_of(Place place) {
    switch (place) {
        case Place::nowhere: return "nowhere";
        case Place::host: return "host";
        case Place::container: return "container";
        case Place::internet: return "internet";
    }
    return "?";
}

std::string arrival(Token token, Place place) {
    return name_of(Laboratory::get().network.witness.await(token, place));
}

DenialCounts denials(const TestCgroup& cgroup) {
    auto counts = read_denials(cgroup.fd());
    if (!counts) throw std::runtime_error("read denials: " + counts.error().message);
    return *counts;
}

std::string one_more(jail_reason reason) {
    return std::string(reason_name(reason)) + "+1";
}

std::string change(const DenialCounts& before, const DenialCounts& after) {
    std::string text;
    for (std::size_t i = 0; i < before.size(); i++) {
        if (before[i] == after[i]) continue;
        if (!text.empty()) text += ' ';
        text += std::string(reason_name(static_cast<jail_reason>(i))) + "+" +
                std::to_string(after[i] - before[i]);
    }
    return text;
}

void fail_row(const std::string& why) {
    FAIL_CHECK(why);
}

Guard usual_guard() {
    return kernel_has_guard() ? Guard::lsm : Guard::none;
}

Guard guard_in_shared_network() {
    if (kernel_has_guard()) return Guard::lsm;
    return kernel_has_unix_hooks() ? Guard::unix_hooks : Guard::none;
}

std::size_t programs_of_a_jail(Guard guard) {
    const std::size_t more = guard == Guard::lsm          ? kGuardTable.size()
                             : guard == Guard::unix_hooks ? kUnixTable.size()
                                                          : 0;
    return kProgramTable.size() + more;
}

void expect_programs_attached(const TestCgroup& cgroup, Guard guard) {
    const std::vector<Attachment> attached = jail_attachments(cgroup.fd());
    std::vector<std::string> names = names_of(attached);
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
    for (const char* name : {"jail_connect4", "jail_connect6", "jail_sendmsg4", "jail_sendmsg6"}) {
        INFO(std::string(name));
        CHECK(std::ranges::count(names, name) == 1);
    }
    CHECK(attached.size() == programs_of_a_jail(guard));
    for (const auto& each : attached) CHECK(each.flags == BPF_F_ALLOW_MULTI);

    auto by_product = attached_programs(cgroup.fd());
    if (!by_product) throw std::runtime_error(by_product.error().message);
    std::vector<Attachment> listed;
    for (const auto& each : *by_product)
        listed.push_back({each.id, each.name, each.attach_type, each.attach_flags});
    const auto by_id = [](const Attachment& one, const Attachment& other) {
        return one.id < other.id;
    };
    std::vector<Attachment> expected = attached;
    std::ranges::sort(expected, by_id);
    std::ranges::sort(listed, by_id);
    CHECK((listed == expected));
}

// To the hook the suite is a runtime that it doesn't know, of which it warns.
std::string without_runtime_warning(const std::string& said) {
    std::string others;
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);)
        if (line.find("' is not known: if it has a network stack of its own") == std::string::npos)
            others += line + "\n";
    return others;
}

void expect_jailed(const HookOutcome& outcome, const TestCgroup& cgroup, Guard guard) {
    INFO(described(outcome));
    CHECK(outcome.exit_code == 0);
    CHECK(outcome.out == "");
    CHECK(without_runtime_warning(outcome.err) == "");
    expect_programs_attached(cgroup, guard);
}

void expect_refusal(const HookOutcome& outcome, int exit_code, const std::string& part) {
    INFO(described(outcome));
    CHECK(outcome.exit_code == exit_code);
    CHECK(outcome.out == "");
    CHECK(std::ranges::count(outcome.err, '\n') == 1);
    CHECK(outcome.err.starts_with("jail-ai-hook: "));
    CHECK(outcome.err.ends_with('\n'));
    INFO(part);
    CHECK(outcome.err.find(part) != std::string::npos);
    CHECK(outcome.log.size() == 1);
    if (outcome.log.size() != 1 || outcome.err.find(": ") == std::string::npos) return;
    const std::string text = outcome.err.substr(outcome.err.find(": ") + 2);
    CHECK(outcome.log.front().starts_with("<27>"));  // LOG_DAEMON, LOG_ERR
    CHECK(outcome.log.front().find(" jail-ai-hook[") != std::string::npos);
    CHECK(outcome.log.front().find("]: " + text.substr(0, text.size() - 1)) != std::string::npos);
}

void expect_refused(const HookOutcome& outcome, int exit_code, const std::string& part,
                    const TestCgroup& cgroup) {
    expect_refusal(outcome, exit_code, part);
    CHECK(names_of(attachments(cgroup.fd())).empty());
}

void expect_host_blocked(Child& child, const TestCgroup& jail) {
    Witness& witness = Laboratory::get().network.witness;
    for (const Pair& pair : kBothFamilies) {
        for (const Way way : kBothWays) {
            INFO((name_of(way) + " to " + pair.host));
            const Destination host = destination(pair.host, kPort);
            const Destination internet = destination(pair.internet, kPort);
            const Token blocked = fresh_token();
            const Token passing = fresh_token();
            const DenialCounts before = denials(jail);
            CHECK(error_name(child.run([=] { return attempt(way, host, blocked); })) == "EPERM");
            CHECK(change(before, denials(jail)) == one_more(JAIL_REASON_LOCAL));
            CHECK(error_name(child.run([=] { return attempt(way, internet, passing); })) == "none");
            CHECK(arrival(passing, Place::internet) == "internet");
            CHECK_FALSE(witness.has_seen(blocked));
        }
    }
}

void expect_host_reached(Child& child) {
    for (const Pair& pair : kBothFamilies) {
        for (const Way way : kBothWays) {
            INFO((name_of(way) + " to " + pair.host));
            const Destination host = destination(pair.host, kPort);
            const Token token = fresh_token();
            CHECK(error_name(child.run([=] { return attempt(way, host, token); })) == "none");
            CHECK(arrival(token, Place::host) == "host");
        }
    }
}

}  // namespace jail_ai::test
