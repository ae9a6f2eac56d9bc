// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/network_stack.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/absence.h"
#include "engines/userspace_network_stack.h"
#include "system/file.h"

namespace jail_ai {
namespace {

struct Program {
    std::string executable, called;
};

Result<Program> program_of(const Process& process) {
    auto executable = read_link(process.proc_fd(), "exe");
    TRY(process.check_alive());
    const std::string who = fmt::format("process {}", process.pid());
    if (!executable && !is_absent(executable)) return Error(executable.error()).context(who);
    const auto command_line = TRY(read_kernel_file(process.proc_fd(), "cmdline").context(who));
    return Program{executable ? std::move(*executable) : std::string(),
                   command_line.c_str()};  // the first of its words, each of which ends with a NUL
}

Result<std::string_view> userspace_stack_of(const Process& process) {
    const auto program = TRY(program_of(process));
    return userspace_network_stack(program.executable, program.called);
}

Status reject(std::string_view runtime) {
    return Error{EX_UNAVAILABLE,
                 fmt::format("the block can't be relied on: {} has a network stack of its own, of "
                             "whose traffic the kernel asks no "
                             "program of a cgroup: run the container with crun or runc",
                             runtime)};
}

}  // namespace

Status check_network_stack(const Process& process, const Annotations& annotations) {
    if (const auto runtime = userspace_network_stack(annotations); !runtime.empty())
        return reject(runtime);
    auto own = userspace_stack_of(process);
    if (!own) return std::move(own).error();
    if (!own->empty()) return reject(*own);
    const auto number = process.parent();
    if (!number) return Error(number.error());
    if (*number == 0) return ok();  // outside of the caller's PID namespace
    const auto parent = Process::open(*number);
    if (is_absent(parent)) return ok();  // it has ended
    if (!parent) return parent.error();
    auto starter = userspace_stack_of(*parent);
    if (is_absent(starter)) return ok();
    if (!starter) return std::move(starter).error();
    return starter->empty() ? ok() : reject(*starter);
}

std::string unknown_runtime(const Process& runtime) {
    const auto program = program_of(runtime);
    if (!program || is_known_runtime(program->executable, program->called)) return "";
    return program->executable.empty() ? program->called : program->executable;
}

}  // namespace jail_ai
