// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/loading.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <array>
#include <cstdio>

namespace jail_ai {
namespace {

std::string first_complaint;

__attribute__((format(printf, 2, 0))) int keep_first_complaint(libbpf_print_level level,
                                                               const char* format,
                                                               va_list arguments) {
    if (level != LIBBPF_WARN || !first_complaint.empty()) return 0;
    std::array<char, 256> line{};
    if (std::vsnprintf(line.data(), line.size(), format, arguments) < 0) return 0;
    std::string_view text = line.data();
    if (text.starts_with("libbpf: ")) text.remove_prefix(8);
    first_complaint = text.substr(0, text.find('\n'));
    return 0;
}

}  // namespace

std::string error_text(int number) {
    return number == kKernelENotSupp ? ::strerror(EOPNOTSUPP) : ::strerror(number);
}

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "?";
}

void listen_to_libbpf() {
    first_complaint.clear();
    ::libbpf_set_print(keep_first_complaint);
}

Error load_error(std::string_view what, std::string_view needs, int number) {
    const std::string detail = first_complaint.empty() ? "" : fmt::format(" ({})", first_complaint);
    const std::string failure = fmt::format("load {}: {}", what, error_text(number));
    if (number == EPERM || number == EACCES)
        return Error{
            EX_NOPERM,
            fmt::format("{}: this needs CAP_BPF and CAP_NET_ADMIN in the initial user namespace{}",
                        failure, detail)};
    if (number == EINVAL || number == ENOSYS || number == ESRCH || number == EOPNOTSUPP ||
        number == kKernelENotSupp)
        return Error{EX_UNAVAILABLE, fmt::format("{}: kernel {} lacks what they need ({}){}",
                                                 failure, kernel_release(), needs, detail)};
    return Error{EX_OSERR, failure + detail};
}

int keep_unmapped(bpf_map* constants) {
    return ::bpf_map__set_map_flags(constants,
                                    ::bpf_map__map_flags(constants) & ~__u32{BPF_F_MMAPABLE});
}

Result<std::vector<LoadedProgram>> loaded_programs(const bpf_object* object,
                                                   std::span<const ProgramSlot> slots) {
    std::vector<LoadedProgram> programs;
    for (const ProgramSlot& slot : slots) {
        const bpf_program* program = ::bpf_object__find_program_by_name(object, slot.name);
        if (program == nullptr)
            return Error{EX_SOFTWARE, fmt::format("no program {} in the object", slot.name)};
        UniqueFd fd(::fcntl(::bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
        if (!fd) return system_error(fmt::format("keep {}", slot.name), errno);
        programs.push_back({&slot, std::move(fd)});
    }
    return programs;
}

}  // namespace jail_ai
