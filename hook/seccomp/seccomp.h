// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What a seccomp profile, linux.seccomp of config.json, says of one system call. As the runtimes
// and libseccomp take it: not as one reads it.
#pragma once

#include <rapidjson/document.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace jail_ai {

enum class Comparison { ne, lt, le, eq, ge, gt, masked_eq };

// On one argument, as 64 bits without sign.
struct Condition {
    unsigned argument;  // 0 to 5
    Comparison comparison;
    std::uint64_t value;      // the mask for masked_eq
    std::uint64_t value_two;  // for masked_eq alone, within the mask

    bool holds(std::uint64_t x) const;
    bool is_always() const { return comparison == Comparison::masked_eq && value == 0; }
    bool operator==(const Condition&) const = default;
};

// Can the argument, the same for both, not fulfil both? "No" if that is hard to decide.
bool exclude_each_other(const Condition& a, const Condition& b);

// What becomes of a call.
struct SeccompAction {
    std::string_view action;  // "SCMP_ACT_ALLOW" …, one that is known
    std::uint64_t errno_ret;  // with SCMP_ACT_ERRNO and SCMP_ACT_TRACE

    // May the call be carried out? Also if a tracer or an agent decides.
    bool lets_pass() const;
    bool operator==(const SeccompAction&) const = default;
};

// All conditions hold: this answer.
struct SyscallRule {
    SeccompAction answer;
    std::vector<Condition> conditions;  // at most one an argument; none: always

    bool operator==(const SyscallRule&) const = default;
};

class SeccompProfile {
public:
    // `seccomp` must be an object, and must outlive this. Errors (EX_DATAERR): what the runtimes
    // could not read either.
    static Result<SeccompProfile> read(const rapidjson::Value& seccomp);

    const SeccompAction& otherwise() const { return otherwise_; }  // the default action

    // The rules for a system call that take effect: none that says what is said anyway; each with
    // its conditions apart if it has several on one argument; and only the first that has no
    // condition, if there is one. Errors: EX_DATAERR; EX_CONFIG for more than kMaxSyscallRules.
    Result<std::vector<SyscallRule>> rules_of(std::string_view syscall) const;

private:
    SeccompProfile(SeccompAction otherwise, const rapidjson::Value* rules)
        : otherwise_(otherwise), rules_(rules) {}

    SeccompAction otherwise_;
    const rapidjson::Value* rules_;  // linux.seccomp.syscalls: objects; nullptr if there are none
};

inline constexpr std::size_t kMaxSyscallRules =
    256;  // of one system call; podman's profile has 4 for socket

// One element of linux.seccomp.syscalls: its action, and whether it names the system call.
// Errors: EX_DATAERR.
Result<SeccompAction> rule_action(const rapidjson::Value& rule);
Result<bool> rule_names(const rapidjson::Value& rule, std::string_view syscall);

// The rule as JSON.
std::string rule_text(std::string_view syscall, const SyscallRule& rule);

}  // namespace jail_ai
