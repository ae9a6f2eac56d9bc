// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See socket_families.h.
#include "container/socket_families.h"

#include <fmt/format.h>

#include <algorithm>

namespace jail_ai {
namespace {

// A rule can't compare one argument twice, so that "all but these" takes a rule a family, and one for all above.
constexpr std::uint64_t kLastFamily = 45;  // AF_MCTP, the last that Linux has
static_assert(std::ranges::max(kPermittedFamilies) <= kLastFamily);

bool is_permitted(std::uint64_t family) {
    return std::ranges::find(kPermittedFamilies, family) != kPermittedFamilies.end();
}

// Families above the last, and numbers with bits that the kernel ignores, are one case, for which the next number stands.
Condition is_family(std::uint64_t family) {
    if (family > kLastFamily) return {0, Comparison::gt, kLastFamily, 0};
    return {0, Comparison::eq, family, 0};
}

bool is_about(const SyscallRule& rule, std::uint64_t family) {
    return std::ranges::all_of(rule.conditions, [&](const Condition& condition) { return condition.argument != 0 || condition.holds(family); });
}

bool overlap(const SyscallRule& a, const SyscallRule& b) {
    return std::ranges::none_of(a.conditions, [&](const Condition& of_a) {
        return std::ranges::any_of(b.conditions, [&](const Condition& of_b) { return exclude_each_other(of_a, of_b); });
    });
}

bool is_always(const SyscallRule& rule) {
    return rule.conditions.empty();
}

// What libseccomp 2.5 makes a filter of that does what the rules say. Rules for one family that are less alike than this it may misread, or
// never come back from.
bool are_plain(const std::vector<SyscallRule>& rules) {
    if (rules.size() <= 1) return true;
    const bool alike = std::ranges::all_of(rules, [&](const SyscallRule& rule) {
        return rule.conditions.size() == 1 && !rules[0].conditions.empty() && rule.conditions[0].argument == rules[0].conditions[0].argument &&
               (rule.conditions[0].comparison == Comparison::eq || rule.conditions[0].comparison == Comparison::ne ||
                rule.conditions[0].comparison == Comparison::masked_eq);
    });
    const auto contradicted = [&](const SyscallRule& a) {
        return std::ranges::any_of(rules, [&](const SyscallRule& b) { return a.answer != b.answer && overlap(a, b); });
    };
    return alike && std::ranges::none_of(rules, contradicted);
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

// What is refused stays refused in the same way, where that can be said, and the rest gets kNoSuchFamily.
std::vector<SyscallRule> refuse(std::vector<SyscallRule> here, const Answer& otherwise) {
    const auto refusal = std::ranges::find_if(here, [](const SyscallRule& rule) { return !rule.answer.lets_pass(); });
    const SyscallRule all{refusal == here.end() ? kNoSuchFamily : refusal->answer, {}};
    if (otherwise.lets_pass()) return {all};
    for (SyscallRule& rule : here)
        if (rule.answer.lets_pass()) rule.answer = kNoSuchFamily;
    if (!are_plain(here)) return {all};
    return here;
}

}  // namespace

Result<std::vector<SyscallRule>> restrict_families(const std::vector<SyscallRule>& rules, const Answer& otherwise) {
    std::vector<SyscallRule> restricted;
    for (std::uint64_t family = 0; family <= kLastFamily + 1; ++family) {
        auto here = rules_about(rules, family);
        if (!is_permitted(family)) here = refuse(std::move(here), otherwise);
        const bool same = std::ranges::all_of(here, [&](const SyscallRule& rule) { return rule.answer == here[0].answer; });
        if (const auto always = std::ranges::find_if(here, is_always); same && always != here.end()) here = {*always};
        if (!are_plain(here))
            return Error{EX_CONFIG, fmt::format("the rules for sockets of family {} overlap or are too intricate to be changed", family)};
        for (SyscallRule& rule : here) {
            if (rule.answer == otherwise) continue;
            rule.conditions.insert(rule.conditions.begin(), is_family(family));
            restricted.push_back(std::move(rule));
        }
    }
    return restricted;
}

bool lets_family_pass(const std::vector<SyscallRule>& rules, const Answer& otherwise, std::uint64_t family) {
    const auto here = rules_about(rules, family);
    if (const auto always = std::ranges::find_if(here, is_always); always != here.end()) return always->answer.lets_pass();
    return otherwise.lets_pass() || std::ranges::any_of(here, [](const SyscallRule& rule) { return rule.answer.lets_pass(); });
}

}  // namespace jail_ai
