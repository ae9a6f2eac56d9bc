// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "seccomp_filter.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace jail_ai::test {
namespace {

using Context = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

std::uint32_t action_of(const rapidjson::Value& object, const char* action_key,
                        const char* number_key) {
    const auto number = static_cast<std::uint32_t>(
        object.HasMember(number_key) ? object[number_key].GetInt() : EPERM);
    const std::string_view name = object[action_key].GetString();
    if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
    if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
    if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(number);
    if (name == "SCMP_ACT_NOTIFY") return SCMP_ACT_NOTIFY;
    if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(number);
    if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
    if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
    if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL;
    throw std::runtime_error("unknown action");
}

scmp_arg_cmp condition_of(const rapidjson::Value& arg) {
    constexpr std::array<std::string_view, 7> kOperators = {"NE", "LT", "LE",       "EQ",
                                                            "GE", "GT", "MASKED_EQ"};
    static_assert(SCMP_CMP_NE == 1 && SCMP_CMP_EQ == 4 && SCMP_CMP_MASKED_EQ == 7);
    const std::string_view name =
        std::string_view(arg["op"].GetString()).substr(std::strlen("SCMP_CMP_"));
    const auto at = std::ranges::find(kOperators, name) - kOperators.begin();
    return {arg["index"].GetUint(), static_cast<scmp_compare>(at + 1), arg["value"].GetUint64(),
            arg.HasMember("valueTwo") ? arg["valueTwo"].GetUint64() : 0};
}

bool add_rule(scmp_filter_ctx context, std::uint32_t action, int number,
              const std::vector<scmp_arg_cmp>& conditions) {
    std::array<int, 6> uses{};
    for (const scmp_arg_cmp& condition : conditions) ++uses.at(condition.arg);
    if (*std::ranges::max_element(uses) <= 1)
        return ::seccomp_rule_add_array(context, action, number,
                                        static_cast<unsigned>(conditions.size()),
                                        conditions.data()) == 0;
    return std::ranges::all_of(conditions, [&](const scmp_arg_cmp& condition) {
        return ::seccomp_rule_add_array(context, action, number, 1, &condition) == 0;
    });
}

bool add_rules(scmp_filter_ctx context, const rapidjson::Value& profile, std::uint32_t otherwise) {
    if (!profile.HasMember("syscalls")) return true;
    for (const auto& rule : profile["syscalls"].GetArray()) {
        const std::uint32_t action = action_of(rule, "action", "errnoRet");
        if (action == otherwise) continue;
        std::vector<scmp_arg_cmp> conditions;
        if (rule.HasMember("args"))
            for (const auto& arg : rule["args"].GetArray()) conditions.push_back(condition_of(arg));
        for (const auto& name : rule["names"].GetArray()) {
            const int number = ::seccomp_syscall_resolve_name(name.GetString());
            if (number != __NR_SCMP_ERROR && !add_rule(context, action, number, conditions))
                return false;
        }
    }
    return true;
}

void add_architectures(scmp_filter_ctx context, const rapidjson::Value& profile) {
    if (!profile.HasMember("architectures")) return;
    for (const auto& architecture : profile["architectures"].GetArray()) {
        std::string name = architecture.GetString() + std::strlen("SCMP_ARCH_");
        std::ranges::transform(name, name.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        ::seccomp_arch_add(context, ::seccomp_arch_resolve_name(name.c_str()));
    }
}

std::vector<sock_filter> export_program(scmp_filter_ctx context) {
    const int file = ::memfd_create("filter", MFD_CLOEXEC);
    if (file < 0 || ::seccomp_export_bpf(context, file) != 0)
        throw std::runtime_error("libseccomp exports no filter");
    std::vector<sock_filter> program(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)) /
                                     sizeof(sock_filter));
    const auto size = static_cast<ssize_t>(program.size() * sizeof(sock_filter));
    const bool read = ::pread(file, program.data(), static_cast<std::size_t>(size), 0) == size;
    ::close(file);
    if (!read) throw std::runtime_error("the filter can't be read");
    return program;
}

std::size_t jump(bool holds, const sock_filter& instruction) {
    return holds ? instruction.jt : instruction.jf;
}

std::uint32_t run(const std::vector<sock_filter>& program, const seccomp_data& call) {
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& instruction = program[at];
        switch (instruction.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                std::memcpy(&accumulator, reinterpret_cast<const char*>(&call) + instruction.k,
                            sizeof accumulator);
                break;
            case BPF_ALU | BPF_AND | BPF_K: accumulator &= instruction.k; break;
            case BPF_JMP | BPF_JA: at += instruction.k; break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += jump(accumulator == instruction.k, instruction);
                break;
            case BPF_JMP | BPF_JGT | BPF_K:
                at += jump(accumulator > instruction.k, instruction);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                at += jump(accumulator >= instruction.k, instruction);
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at += jump((accumulator & instruction.k) != 0, instruction);
                break;
            case BPF_RET | BPF_K: return instruction.k;
            default: throw std::runtime_error("an instruction that seccomp doesn't have");
        }
    }
    throw std::runtime_error("the filter has no end");
}

}  // namespace

std::optional<SeccompFilter> SeccompFilter::load(const rapidjson::Value& profile) {
    const std::uint32_t otherwise = action_of(profile, "defaultAction", "defaultErrnoRet");
    // Filters are only computed here: of every action that there is, whichever this kernel, or one
    // that is emulated, has.
    ::seccomp_api_set(5);
    const Context context(::seccomp_init(otherwise), &::seccomp_release);
    if (context == nullptr) throw std::runtime_error("libseccomp makes no filter");
    add_architectures(context.get(), profile);
    if (!add_rules(context.get(), profile, otherwise)) return std::nullopt;
    SeccompFilter filter;
    filter.program_ = export_program(context.get());
    return filter;
}

std::uint32_t SeccompFilter::answer(std::uint32_t architecture, int number,
                                    const std::array<std::uint64_t, 6>& arguments) const {
    seccomp_data call{number, architecture, 0, {}};
    std::ranges::copy(arguments, call.args);
    return run(program_, call);
}

std::uint32_t SeccompFilter::answer(const char* syscall,
                                    const std::array<std::uint64_t, 6>& arguments) const {
    return answer(::seccomp_arch_native(), ::seccomp_syscall_resolve_name(syscall),
                  arguments);  // libseccomp's token is the kernel's number
}

std::string to_string(std::uint32_t answer) {
    switch (answer & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW: return "pass";
        case SECCOMP_RET_LOG: return "log";
        case SECCOMP_RET_TRACE: return "trace";
        case SECCOMP_RET_USER_NOTIF: return "notify";
        case SECCOMP_RET_ERRNO: return "errno " + std::to_string(answer & SECCOMP_RET_DATA);
        case SECCOMP_RET_TRAP: return "trap";
        default: return "kill";
    }
}

}  // namespace jail_ai::test
