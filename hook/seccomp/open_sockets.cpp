// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp/open_sockets.h"

#include <algorithm>
#include <optional>

#include "container/json.h"
#include "container/state.h"
#include "seccomp/seccomp.h"
#include "seccomp/socket_families.h"
#include "seccomp/tighten_profile.h"

namespace jail_ai {
namespace {

// The annotation by which crun takes a filter of machine code in place of linux.seccomp.
constexpr std::string_view kCrunFilter = "run.oci.seccomp_bpf_data";

constexpr ReachableFamilies kAll = {SocketAccess::yes, SocketAccess::yes, SocketAccess::yes};

bool lets_any_pass(const std::vector<SyscallRule>& rules, const SeccompAction& otherwise) {
    const bool always =
        std::ranges::any_of(rules, [](const SyscallRule& rule) { return rule.conditions.empty(); });
    return (otherwise.lets_pass() && !always) ||
           std::ranges::any_of(rules,
                               [](const SyscallRule& rule) { return rule.answer.lets_pass(); });
}

// What a rule says of socket(2), libseccomp says of socketcall(2) as well, without what it says of
// the family.
Result<bool> opens_by_ia32(const rapidjson::Value& seccomp, const SeccompProfile& profile,
                           const std::vector<SyscallRule>& socket_rules) {
    auto listed = has_socketcall(seccomp);
    if (!listed || !*listed) return listed;
    auto rules = TRY(profile.rules_of("socketcall"));
    return lets_any_pass(rules, profile.otherwise()) ||
           lets_any_pass(socket_rules, profile.otherwise());
}

Result<ReachableFamilies> check_profile(const rapidjson::Value& seccomp) {
    auto profile = TRY(SeccompProfile::read(seccomp));
    auto io_uring = TRY(profile.rules_of("io_uring_setup"));
    if (lets_any_pass(io_uring, profile.otherwise())) return kAll;  // IORING_OP_SOCKET
    auto rules = TRY(profile.rules_of("socket"));
    auto ia32 = TRY(opens_by_ia32(seccomp, profile, rules));
    const auto access = [&](std::uint64_t family) {
        if (lets_family_pass(rules, profile.otherwise(), family)) return SocketAccess::yes;
        return ia32 ? SocketAccess::by_ia32 : SocketAccess::no;
    };
    return ReachableFamilies{access(AF_PACKET), access(AF_VSOCK),
                             std::min(access(AF_INET), access(AF_INET6))};
}

}  // namespace

ReachableFamilies find_reachable_families(const rapidjson::Value& config) {
    const auto annotations = read_annotations(config);
    if (!annotations || annotations->contains(kCrunFilter)) return kAll;
    const auto linux_part = find_object(config, "linux");
    if (!linux_part || *linux_part == nullptr || seccomp_is_blind()) return kAll;
    const auto seccomp = find_object(**linux_part, "seccomp");
    if (!seccomp || *seccomp == nullptr) return kAll;
    const auto checked = check_profile(**seccomp);
    return checked ? *checked : kAll;
}

}  // namespace jail_ai
