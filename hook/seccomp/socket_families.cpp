// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp/socket_families.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace jail_ai {
namespace {

// What calls are distinguished by: a condition on the family, and one family that fulfils it.
struct Case {
    Condition condition;
    std::uint64_t family;
    bool is_permitted;
};

constexpr Condition is_family(std::uint64_t family) {
    return {0, Comparison::eq, family, 0};
}

// A rule can't compare one argument twice, so that "all but these" takes a rule a family, and one
// for all above: families that come to be, and numbers with bits that the kernel ignores.
std::vector<Case> socket_cases() {
    constexpr std::uint64_t kLastFamily = 45;  // AF_MCTP, the last that Linux has
    static_assert(std::ranges::max(kPermittedFamilies) <= kLastFamily);
    std::vector<Case> cases;
    for (std::uint64_t family = 0; family <= kLastFamily; ++family)
        cases.push_back(
            {is_family(family), family,
             std::ranges::find(kPermittedFamilies, family) != kPermittedFamilies.end()});
    cases.push_back({{0, Comparison::gt, kLastFamily, 0}, kLastFamily + 1, false});
    return cases;
}

// Only Unix sockets come in pairs, and TIPC's, which are to be denied.
std::vector<Case> pair_cases() {
    return {{is_family(AF_UNIX), AF_UNIX, true}, {{0, Comparison::ne, AF_UNIX, 0}, AF_INET, false}};
}

bool is_about(const SyscallRule& rule, std::uint64_t family) {
    return std::ranges::all_of(rule.conditions, [&](const Condition& condition) {
        return condition.argument != 0 || condition.holds(family);
    });
}

bool is_always(const SyscallRule& rule) {
    return rule.conditions.empty();
}

// Returns true if libseccomp 2.5 makes a filter of them that does what they say: each about the
// same other argument, by a comparison for equality, and none of them contradicted. Rules for one
// family that are less alike it may misread, or never come back from.
bool are_plain(const std::vector<SyscallRule>& rules) {
    if (rules.size() <= 1) return true;
    const auto is_simple = [&](const SyscallRule& rule) {
        if (rule.conditions.size() != 1 || rules[0].conditions.empty()) return false;
        const Comparison comparison = rule.conditions[0].comparison;
        return rule.conditions[0].argument == rules[0].conditions[0].argument &&
               (comparison == Comparison::eq || comparison == Comparison::ne ||
                comparison == Comparison::masked_eq);
    };
    const auto is_contradicted = [&](const SyscallRule& a) {
        return std::ranges::any_of(rules, [&](const SyscallRule& b) {
            return a.answer != b.answer && !exclude_each_other(a.conditions[0], b.conditions[0]);
        });
    };
    return std::ranges::all_of(rules, is_simple) && std::ranges::none_of(rules, is_contradicted);
}

// Several conditions that aren't for one family may become something else in libseccomp 2.5.
bool is_legible(const SyscallRule& rule) {
    return rule.conditions.size() <= 1 ||
           std::ranges::any_of(rule.conditions, [](const Condition& condition) {
               return condition.argument == 0 && condition.comparison == Comparison::eq;
           });
}

// The rules that are about the family, and what they say of the other arguments.
std::vector<SyscallRule> rules_about(const std::vector<SyscallRule>& rules, std::uint64_t family) {
    std::vector<SyscallRule> here;
    for (const SyscallRule& rule : rules) {
        if (!is_about(rule, family)) continue;
        SyscallRule rest{rule.answer, {}};
        std::ranges::copy_if(rule.conditions, std::back_inserter(rest.conditions),
                             [](const Condition& condition) { return condition.argument != 0; });
        if (std::ranges::find(here, rest) == here.end()) here.push_back(std::move(rest));
    }
    return here;
}

// What to say of a family that is not permitted: at most one thing. (After several conditions that
// don't hold libseccomp 2.5 may compare what it has loaded for the last of them with the numbers of
// further families.)
std::vector<SyscallRule> deny(const std::vector<SyscallRule>& here,
                              const SeccompAction& otherwise) {
    const auto denied = std::ranges::find_if(
        here, [](const SyscallRule& rule) { return is_always(rule) && !rule.answer.lets_pass(); });
    if (denied != here.end()) return {*denied};
    const bool passes =
        std::ranges::any_of(here, [](const SyscallRule& rule) { return rule.answer.lets_pass(); });
    if (passes || otherwise.lets_pass()) return {{kNoSuchFamily, {}}};
    return {};
}

}  // namespace

Result<std::vector<SyscallRule>> restrict_families(const std::vector<SyscallRule>& rules,
                                                   const SeccompAction& otherwise,
                                                   SocketCall opening) {
    std::vector<SyscallRule> restricted;
    for (const Case& one : opening == SocketCall::single ? socket_cases() : pair_cases()) {
        auto here = rules_about(rules, one.family);
        if (!one.is_permitted) here = deny(here, otherwise);
        const bool same = std::ranges::all_of(
            here, [&](const SyscallRule& rule) { return rule.answer == here[0].answer; });
        if (const auto always = std::ranges::find_if(here, is_always); same && always != here.end())
            here = {*always};
        if (!are_plain(here))
            return Error{
                EX_CONFIG,
                fmt::format(
                    "the rules for sockets of family {} overlap or are too intricate to be changed",
                    one.family)};
        for (SyscallRule& rule : here) {
            rule.conditions.insert(rule.conditions.begin(), one.condition);
            restricted.push_back(std::move(rule));
        }
    }
    return restricted;
}

bool lets_family_pass(const std::vector<SyscallRule>& rules, const SeccompAction& otherwise,
                      std::uint64_t family) {
    const auto here = rules_about(rules, family);
    const auto lets_pass = [](const SyscallRule& rule) { return rule.answer.lets_pass(); };
    if (std::ranges::any_of(here, lets_pass) ||
        (!std::ranges::all_of(rules, is_legible) && std::ranges::any_of(rules, lets_pass)))
        return true;
    return otherwise.lets_pass() && std::ranges::none_of(here, is_always);
}

}  // namespace jail_ai
