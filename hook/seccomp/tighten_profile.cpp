// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp/tighten_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "container/json.h"
#include "seccomp/seccomp.h"
#include "seccomp/socket_families.h"

namespace jail_ai {
namespace {

#if defined(__i386__) || defined(__s390__) || defined(__powerpc__) || defined(__m68k__) || \
    defined(__sh__) || defined(__sparc__) || defined(__hppa__)
constexpr bool kSocketcallIsNative = true;
#else
constexpr bool kSocketcallIsNative = false;
#endif

// What a new profile is for, beside the machine's own architecture.
#ifdef __aarch64__
constexpr std::string_view kNewArchitectures =
    R"("architectures":["SCMP_ARCH_AARCH64","SCMP_ARCH_ARM"],)";
#else
constexpr std::string_view kNewArchitectures;
#endif

// X32 has no socketcall, but is the other 32-bit architecture of x86.
constexpr std::array<std::string_view, 6> kWithSocketcall = {"SCMP_ARCH_X86",  "SCMP_ARCH_X32",
                                                             "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPSEL",
                                                             "SCMP_ARCH_PPC",  "SCMP_ARCH_S390"};

constexpr std::string_view kIoUring = "io_uring_setup";
constexpr SyscallRule no_io_uring() {
    return {{"SCMP_ACT_ERRNO", ENOSYS},
            {}};  // what a kernel without io_uring says, for which programs are prepared
}

constexpr std::string_view kOpenBySocketcall = "vsock, by 32-bit system calls, as accepted by ia32";
constexpr std::string_view kOpenNatively =
    "vsock: on this machine's architecture seccomp can't distinguish socket families";

using Names = std::vector<std::string_view>;

// The rules of a profile as they are rewritten, one text each.
class RuleTexts {
public:
    explicit RuleTexts(const std::optional<JsonPart>& rules) {
        if (!rules) return;
        for (const JsonPart& rule : rules->elements())
            rules_.push_back({rule, std::string(rule.text()), {}});
    }

    // Removes a system call from all rules, or only from those that allow it.
    Status remove(std::string_view syscall, bool denials_too) {
        for (Entry& rule : rules_) {
            if (!TRY(rule_names(rule.part.value(), syscall))) continue;
            auto answer = TRY(rule_action(rule.part.value()));
            if (!denials_too && !answer.lets_pass()) continue;
            rule.removed.push_back(syscall);
            TRY(rewrite(rule));
        }
        return ok();
    }

    void add(std::string text) { added_.push_back(std::move(text)); }

    std::string array() const {
        std::vector<std::string> all;
        for (const Entry& rule : rules_)
            if (!rule.text.empty()) all.push_back(rule.text);
        all.insert(all.end(), added_.begin(), added_.end());
        return json_array(all);
    }

private:
    struct Entry {
        JsonPart part;
        std::string text;  // empty once it is about no system call
        Names removed;
    };

    static Status rewrite(Entry& rule) {
        auto names = TRY(rule.part.array("names"));
        std::vector<std::string> rest;
        for (const JsonPart& name : names->elements())
            if (std::ranges::find(rule.removed, string_of(name.value())) == rule.removed.end())
                rest.emplace_back(name.text());
        JsonEdits edits(rule.part.text());
        edits.replace(*names, json_array(rest));
        rule.text = rest.empty() ? std::string() : edits.apply();
        return ok();
    }

    std::vector<Entry> rules_;
    std::vector<std::string> added_;
};

// Is there a rule without conditions that allows it, or denies it?
bool is_always(bool passing, const std::vector<SyscallRule>& rules) {
    return std::ranges::any_of(rules, [&](const SyscallRule& rule) {
        return rule.conditions.empty() && rule.answer.lets_pass() == passing;
    });
}

Status deny_io_uring(const SeccompProfile& profile, RuleTexts& texts) {
    if (!profile.otherwise().lets_pass()) return texts.remove(kIoUring, false);
    auto rules = TRY(profile.rules_of(kIoUring));
    if (is_always(false, rules)) return ok();
    TRY(texts.remove(kIoUring, true));
    texts.add(rule_text(kIoUring, no_io_uring()));
    return ok();
}

struct FamilySyscall {
    std::string_view name;
    SocketCall opening;
};
constexpr std::array kFamilySyscalls = {FamilySyscall{"socket", SocketCall::single},
                                        FamilySyscall{"socketpair", SocketCall::pair}};

// If socketcall stays, libseccomp takes a rule that denies some sockets for one that
// contradicts those that let others pass, unless a rule of its own lets socketcall pass, whatever
// it does.
Result<bool> single_denials_possible(const SeccompProfile& profile, bool socketcall_stays) {
    if (!socketcall_stays) return true;
    auto rules = TRY(profile.rules_of("socketcall"));
    return is_always(true, rules);
}

Status restrict_sockets(const SeccompProfile& profile, bool socketcall_stays, RuleTexts& texts) {
    auto single_denials = TRY(single_denials_possible(profile, socketcall_stays));
    if (!socketcall_stays) TRY(texts.remove("socketcall", false));
    for (const auto& [name, opening] : kFamilySyscalls) {
        auto rules = TRY(profile.rules_of(name));
        const bool passes =
            profile.otherwise().lets_pass() ||
            std::ranges::any_of(rules, &SeccompAction::lets_pass, &SyscallRule::answer);
        if (!passes) continue;
        auto fewer = TRY(restrict_families(rules, profile.otherwise(), opening).context(name));
        if (!single_denials)
            std::erase_if(fewer, [](const SyscallRule& rule) { return !rule.answer.lets_pass(); });
        if (fewer == rules) continue;
        TRY(texts.remove(name, true));
        for (const SyscallRule& rule : fewer) texts.add(rule_text(name, rule));
    }
    return ok();
}

bool is_with_socketcall(const rapidjson::Value& architecture) {
    return std::ranges::find(kWithSocketcall, string_of(architecture)) != kWithSocketcall.end();
}

// The architectures that may stay.
std::string without_socketcall(const JsonPart& architectures) {
    std::vector<std::string> rest;
    for (const JsonPart& name : architectures.elements())
        if (!is_with_socketcall(name.value())) rest.emplace_back(name.text());
    return json_array(rest);
}

}  // namespace

bool seccomp_is_blind() {
    return kSocketcallIsNative;
}

Result<bool> has_socketcall(const rapidjson::Value& seccomp) {
    auto architectures = TRY(find_array(seccomp, "architectures"));
    if (architectures == nullptr) return false;
    bool found = false;
    for (const rapidjson::Value& name : architectures->GetArray()) {
        if (!name.IsString())
            return Error{EX_DATAERR,
                         fmt::format("'architectures' holds {}, not a string", kind_of(name))};
        found = found || is_with_socketcall(name);
    }
    return found;
}

Result<TightProfile> tighten_profile(const JsonPart& seccomp, bool accepts_ia32) {
    TightProfile tight{std::string(seccomp.text()), {}};
    if (kSocketcallIsNative) {
        tight.left_open.emplace_back(kOpenNatively);
        return tight;
    }
    auto profile = TRY(SeccompProfile::read(seccomp.value()));
    const bool socketcall_listed = TRY(has_socketcall(seccomp.value()));
    const bool socketcall_stays = socketcall_listed && accepts_ia32;
    if (socketcall_stays) tight.left_open.emplace_back(kOpenBySocketcall);
    // To deny a family would here deny all of socketcall.
    if (socketcall_stays && profile.otherwise().lets_pass()) return tight;

    auto rules = TRY(seccomp.array("syscalls"));
    RuleTexts texts(rules);
    TRY(deny_io_uring(profile, texts));
    TRY(restrict_sockets(profile, socketcall_stays, texts));
    JsonEdits edits(seccomp.text());
    if (rules)
        edits.replace(*rules, texts.array());
    else if (profile.otherwise().lets_pass())
        edits.set_member(seccomp, "syscalls", texts.array());
    if (socketcall_listed && !socketcall_stays) {
        auto architectures = TRY(seccomp.array("architectures"));
        edits.replace(*architectures, without_socketcall(*architectures));
    }
    tight.profile = edits.apply();
    return tight;
}

Result<TightProfile> new_profile(bool accepts_ia32) {
    if (kSocketcallIsNative) return TightProfile{{}, {std::string(kOpenNatively)}};
    if (accepts_ia32) return TightProfile{{}, {std::string(kOpenBySocketcall)}};
    constexpr SeccompAction kAllow = {"SCMP_ACT_ALLOW", 0};
    std::vector<std::string> texts = {rule_text(kIoUring, no_io_uring())};
    for (const auto& [name, opening] : kFamilySyscalls) {
        auto rules = TRY(restrict_families({}, kAllow, opening));
        for (const SyscallRule& rule : rules) texts.push_back(rule_text(name, rule));
    }
    return TightProfile{fmt::format(R"({{"defaultAction":"{}",{}"syscalls":{}}})", kAllow.action,
                                    kNewArchitectures, json_array(texts)),
                        {}};
}

}  // namespace jail_ai
