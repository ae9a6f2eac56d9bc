// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp/seccomp.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <iterator>

#include "base/quote.h"
#include "container/json.h"
#include "container/json_part.h"

namespace jail_ai {
namespace {

struct Action {
    std::string_view name;
    bool lets_pass;
    bool has_number;
};

constexpr std::array kActions = std::to_array<Action>({
    {"SCMP_ACT_ALLOW", true, false},
    {"SCMP_ACT_LOG", true, false},
    {"SCMP_ACT_TRACE", true, true},
    {"SCMP_ACT_NOTIFY", true, false},
    {"SCMP_ACT_ERRNO", false, true},
    {"SCMP_ACT_KILL", false, false},
    {"SCMP_ACT_KILL_THREAD", false, false},
    {"SCMP_ACT_KILL_PROCESS", false, false},
    {"SCMP_ACT_TRAP", false, false},
});

constexpr std::array<std::string_view, 7> kComparisons = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",       "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"};
static_assert(kComparisons[static_cast<std::size_t>(Comparison::masked_eq)] ==
              "SCMP_CMP_MASKED_EQ");

constexpr unsigned kArguments = 6;

Result<std::string_view> string_member(const rapidjson::Value& object, std::string_view key) {
    auto member = TRY(find_string(object, key));
    if (member == nullptr) return Error{EX_DATAERR, fmt::format("{} is missing", quote(key))};
    return string_of(*member);
}

Result<std::optional<std::uint64_t>> number_member(const rapidjson::Value& object,
                                                   std::string_view key) {
    auto member = TRY(find_member(object, key));
    if (member == nullptr || member->IsNull()) return std::optional<std::uint64_t>();
    if (!member->IsUint64())
        return Error{EX_DATAERR, fmt::format("{} is not a whole number", quote(key))};
    return std::optional(member->GetUint64());
}

Result<SeccompAction> read_action(const rapidjson::Value& object, std::string_view action_key,
                                  std::string_view number_key) {
    auto name = TRY(string_member(object, action_key));
    auto number = TRY(number_member(object, number_key));
    const auto* action = std::ranges::find(kActions, name, &Action::name);
    if (action == kActions.end())
        return Error{EX_DATAERR,
                     fmt::format("{}: {} is not an action", quote(action_key), quote(name))};
    return SeccompAction{action->name, action->has_number ? number.value_or(EPERM) : 0};
}

Result<Condition> read_condition(const rapidjson::Value& written) {
    if (!written.IsObject())
        return Error{EX_DATAERR, fmt::format("{}, not an object", kind_of(written))};
    auto index = TRY(number_member(written, "index"));
    if (index.value_or(0) >= kArguments)
        return Error{EX_DATAERR,
                     fmt::format("system calls have arguments 0 to {}", kArguments - 1)};
    auto value = TRY(number_member(written, "value"));
    auto value_two = TRY(number_member(written, "valueTwo"));
    auto name = TRY(string_member(written, "op"));
    const auto* comparison = std::ranges::find(kComparisons, name);
    if (comparison == kComparisons.end())
        return Error{EX_DATAERR, fmt::format("'op': {} is not a comparison", quote(name))};
    const auto which = static_cast<Comparison>(comparison - kComparisons.begin());
    Condition condition{static_cast<unsigned>(index.value_or(0)), which, value.value_or(0), 0};
    if (which != Comparison::masked_eq) return condition;
    condition.value_two =
        value_two.value_or(0) & condition.value;  // libseccomp compares no other bits
    return condition;
}

// One rule, or one a condition: that is how crun and runc take several conditions on one argument.
Result<std::vector<SyscallRule>> rules_with(const SeccompAction& answer,
                                            const rapidjson::Value& rule) {
    auto args = TRY(find_array(rule, "args"));
    std::vector<Condition> conditions;
    std::array<unsigned, kArguments> uses{};
    if (args != nullptr) {
        for (const rapidjson::Value& written : args->GetArray()) {
            auto condition = TRY(read_condition(written).context("'args'"));
            ++uses.at(condition.argument);
            conditions.push_back(condition);
        }
    }
    const auto rule_of = [&](std::vector<Condition> all) {
        std::erase_if(all, std::mem_fn(&Condition::is_always));
        return SyscallRule{answer, std::move(all)};
    };
    if (*std::ranges::max_element(uses) <= 1) return std::vector{rule_of(std::move(conditions))};
    std::vector<SyscallRule> apart;
    std::ranges::transform(conditions, std::back_inserter(apart),
                           [&](const Condition& condition) { return rule_of({condition}); });
    return apart;
}

// What one element of linux.seccomp.syscalls says of a system call; nothing if the default
// action says the same.
Result<std::vector<SyscallRule>> read_rules(const rapidjson::Value& rule, std::string_view syscall,
                                            const SeccompAction& otherwise) {
    if (!TRY(rule_names(rule, syscall))) return std::vector<SyscallRule>();
    auto answer = TRY(rule_action(rule));
    if (answer == otherwise) return std::vector<SyscallRule>();
    return rules_with(answer, rule);
}

std::string condition_text(const Condition& condition) {
    const std::string two = condition.comparison == Comparison::masked_eq
                                ? fmt::format("\"valueTwo\":{},", condition.value_two)
                                : "";
    return fmt::format(R"({{"index":{},"value":{},{}"op":"{}"}})", condition.argument,
                       condition.value, two,
                       kComparisons.at(static_cast<std::size_t>(condition.comparison)));
}

}  // namespace

bool Condition::holds(std::uint64_t x) const {
    switch (comparison) {
        case Comparison::ne: return x != value;
        case Comparison::lt: return x < value;
        case Comparison::le: return x <= value;
        case Comparison::eq: return x == value;
        case Comparison::ge: return x >= value;
        case Comparison::gt: return x > value;
        case Comparison::masked_eq: return (x & value) == value_two;
    }
    return true;
}

bool exclude_each_other(const Condition& a, const Condition& b) {
    assert(a.argument == b.argument);
    if (a.comparison == Comparison::eq) return !b.holds(a.value);
    if (b.comparison == Comparison::eq) return !a.holds(b.value);
    const bool masks =
        a.comparison == Comparison::masked_eq && b.comparison == Comparison::masked_eq;
    return masks && ((a.value_two ^ b.value_two) & a.value & b.value) != 0;
}

bool SeccompAction::lets_pass() const {
    const auto* known = std::ranges::find(kActions, action, &Action::name);
    return known == kActions.end() || known->lets_pass;
}

Result<SeccompAction> rule_action(const rapidjson::Value& rule) {
    return read_action(rule, "action", "errnoRet");
}

Result<bool> rule_names(const rapidjson::Value& rule, std::string_view syscall) {
    auto names = TRY(find_array(rule, "names"));
    if (names == nullptr) return false;
    bool found = false;
    for (const rapidjson::Value& name : names->GetArray()) {
        if (!name.IsString())
            return Error{EX_DATAERR, fmt::format("'names' holds {}, not a string", kind_of(name))};
        found = found || string_of(name) == syscall;
    }
    return found;
}

Result<SeccompProfile> SeccompProfile::read(const rapidjson::Value& seccomp) {
    auto otherwise = TRY(read_action(seccomp, "defaultAction", "defaultErrnoRet"));
    auto rules = TRY(find_array(seccomp, "syscalls"));
    for (rapidjson::SizeType i = 0; rules != nullptr && i < rules->Size(); ++i)
        if (!(*rules)[i].IsObject())
            return Error{EX_DATAERR,
                         fmt::format("syscalls[{}]: {}, not an object", i, kind_of((*rules)[i]))};
    return SeccompProfile(otherwise, rules);
}

Result<std::vector<SyscallRule>> SeccompProfile::rules_of(std::string_view syscall) const {
    std::vector<SyscallRule> all;
    for (rapidjson::SizeType i = 0; rules_ != nullptr && i < rules_->Size(); ++i) {
        auto rules = read_rules((*rules_)[i], syscall, otherwise_);
        if (!rules) return std::move(rules).error().context(fmt::format("syscalls[{}]", i));
        all.insert(all.end(), rules->begin(), rules->end());
        if (all.size() > kMaxSyscallRules)
            return Error{EX_CONFIG,
                         fmt::format("more than {} rules for {}", kMaxSyscallRules, syscall)};
    }
    const auto always =
        std::ranges::find_if(all, [](const SyscallRule& rule) { return rule.conditions.empty(); });
    if (always != all.end()) return std::vector{*always};
    return all;
}

std::string rule_text(std::string_view syscall, const SyscallRule& rule) {
    std::vector<std::string> conditions;
    std::ranges::transform(rule.conditions, std::back_inserter(conditions), condition_text);
    const bool has_number =
        std::ranges::find(kActions, rule.answer.action, &Action::name)->has_number;
    return fmt::format(
        R"({{"names":["{}"],"action":"{}"{}{}}})", syscall, rule.answer.action,
        has_number ? fmt::format(R"(,"errnoRet":{})", rule.answer.errno_ret) : "",
        conditions.empty() ? "" : fmt::format(R"(,"args":{})", json_array(conditions)));
}

}  // namespace jail_ai
