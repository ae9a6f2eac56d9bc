// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Turns calls.h into a header with one array of seccomp instructions a role, by libseccomp. Runs on
// the machine that builds.
//
// usage: generate-filters CPU_FAMILY big|little     as Meson names them
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "calls.h"

namespace {

using namespace jail_ai::filter;

struct Instruction {  // struct sock_filter
    std::uint16_t code;
    std::uint8_t jump_true, jump_false;
    std::uint32_t constant;
};

struct Release {
    void operator()(void* context) const { ::seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

void check(int result, const std::string& doing) {
    if (result < 0) throw std::runtime_error(doing + ": " + std::strerror(-result));
}

std::uint32_t architecture(std::string_view family, std::endian order) {
    struct Name {
        std::string_view meson;
        std::uint32_t libseccomp;
    };
    constexpr std::array kNames = std::to_array<Name>({{"x86_64", SCMP_ARCH_X86_64},
                                                       {"x86", SCMP_ARCH_X86},
                                                       {"aarch64", SCMP_ARCH_AARCH64},
                                                       {"arm", SCMP_ARCH_ARM},
                                                       {"ppc64", SCMP_ARCH_PPC64LE},
#ifdef SCMP_ARCH_LOONGARCH64
                                                       {"loongarch64", SCMP_ARCH_LOONGARCH64},
#endif
                                                       {"riscv64", SCMP_ARCH_RISCV64},
                                                       {"s390x", SCMP_ARCH_S390X}});
    if (family == "ppc64" && order == std::endian::big) return SCMP_ARCH_PPC64;
    for (const Name& name : kNames)
        if (name.meson == family) return name.libseccomp;
    throw std::runtime_error("no system call filter for " + std::string(family));
}

// Calls by another convention than the architecture's own (32-bit ones and x32 on x86-64) kill as
// well, which is libseccomp's default.
Context make_filter(Roles role, std::uint32_t wanted) {
    Context context(::seccomp_init(SCMP_ACT_KILL_PROCESS));
    if (!context) throw std::runtime_error("seccomp_init failed");
    const std::uint32_t native = ::seccomp_arch_native();
    if (wanted != native) {
        // In this order: a filter has architectures of one byte order alone.
        check(::seccomp_arch_remove(context.get(), native), "remove the builder's architecture");
        check(::seccomp_arch_add(context.get(), wanted), "add the architecture");
    }
    check(::seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
          "kill for other architectures");
    for (const Call& call : calls()) {
        if ((call.roles & role) == 0) continue;
        const int there = ::seccomp_syscall_resolve_name_arch(wanted, call.name);
        if (there == __NR_SCMP_ERROR)
            throw std::runtime_error("libseccomp knows no system call " + std::string(call.name));
        if (there < 0) continue;
        // Rules are added by the builder's numbers, whichever architecture they are for.
        const int number = ::seccomp_syscall_resolve_name(call.name);
        std::vector<scmp_arg_cmp> comparisons;
        for (const Condition& condition : call.conditions)
            comparisons.push_back(
                {condition.argument, SCMP_CMP_MASKED_EQ, condition.mask, condition.value});
        check(
            ::seccomp_rule_add_array(context.get(), SCMP_ACT_ALLOW, number,
                                     static_cast<unsigned>(comparisons.size()), comparisons.data()),
            "allow " + std::string(call.name));
    }
    return context;
}

// libseccomp writes them in the byte order of the filter's architecture.
std::vector<Instruction> export_filter(const Context& context, std::endian order) {
    std::FILE* file = std::tmpfile();
    if (file == nullptr) throw std::runtime_error("no temporary file");
    check(::seccomp_export_bpf(context.get(), ::fileno(file)), "export");
    std::fseek(file, 0, SEEK_END);
    std::vector<Instruction> instructions(static_cast<std::size_t>(std::ftell(file)) /
                                          sizeof(Instruction));
    std::rewind(file);
    const std::size_t got =
        std::fread(instructions.data(), sizeof(Instruction), instructions.size(), file);
    std::fclose(file);
    if (got == 0 || got != instructions.size())
        throw std::runtime_error("the exported filter can't be read");
    if (order != std::endian::native)
        for (Instruction& one : instructions) {
            one.code = __builtin_bswap16(one.code);
            one.constant = __builtin_bswap32(one.constant);
        }
    return instructions;
}

void print_filter(const char* name, const std::vector<Instruction>& instructions) {
    std::printf("inline constexpr auto %s = std::to_array<sock_filter>({\n", name);
    for (const Instruction& one : instructions)
        std::printf("    {0x%02x, %u, %u, 0x%x},\n", one.code, one.jump_true, one.jump_false,
                    one.constant);
    std::printf("});\n");
}

constexpr std::pair<const char*, Roles> kFilters[] = {
    {"kCreateRuntimeFilter", create_runtime},
    {"kPrecreateFilter", precreate},
    {"kAskBrokerFilter", ask_broker},
    {"kBrokerFilter", broker},
    {"kProberFilter", prober},
    {"kShowFilter", show},
    {"kVerifyFilter", verify},
    {"kDetachFilter", detach},
    {"kAttachFilter", attach},
    {"kExplainFilter", explain},
    {"kRefreshFilter", refresh},
    {"kWatchFilter", watch},
    {"kFollowFilter", follow},
    {"kAskToShowFilter", ask_to_show},
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view endian = argc == 3 ? argv[2] : "";
    if (endian != "big" && endian != "little") {
        std::fputs("usage: generate-filters CPU_FAMILY big|little\n", stderr);
        return 64;
    }
    try {
        std::puts(
            "// Made from sandbox/filter/calls.h by generate-filters.\n#pragma once\n\n#include "
            "<linux/filter.h>\n\n#include <array>\n");
        std::puts("namespace jail_ai {\n");
        const std::endian order = endian == "big" ? std::endian::big : std::endian::little;
        const std::uint32_t wanted = architecture(argv[1], order);
        const auto filter = [&](Roles role) {
            return export_filter(make_filter(role, wanted), order);
        };
        for (const auto& [name, role] : kFilters) print_filter(name, filter(role));
        std::puts("\n}  // namespace jail_ai");
        return std::fflush(stdout) == 0 ? 0 : 74;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "generate-filters: %s\n", failure.what());
        return 70;
    }
}
