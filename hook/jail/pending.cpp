// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/pending.h"

#include <bpf/bpf.h>

#include <array>
#include <string>

#include "jail/inspect.h"

namespace jail_ai {
namespace {

// No program of a jail is there, so that nothing that looks for those meets it; and what comes by,
// datagrams that are received, has no reason to in a container that waits for its start.
constexpr ProgramSlot kMark = {"jail_pending", BPF_CGROUP_UDP4_RECVMSG};
static_assert(fits_kernel_names(kMark));

// libbpf loads a program without its name if it takes the kernel for one that knows no names. Such
// a mark would not be found again.
Status check_name(int program_fd) {
    const std::string name = TRY(program_name(program_fd));
    if (name != kMark.name) return Error{EX_OSERR, "jail_pending was loaded without its name"};
    return ok();
}

}  // namespace

Result<PendingMark> PendingMark::put(int cgroup_fd) {
    constexpr std::array<bpf_insn, 2> kAllow = {{
        {.code = BPF_ALU64 | BPF_MOV | BPF_K,
         .dst_reg = BPF_REG_0,
         .src_reg = 0,
         .off = 0,
         .imm = 1},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
    }};
    struct bpf_prog_load_opts options {};
    options.sz = sizeof options;
    options.expected_attach_type = kMark.type;
    const UniqueFd program(::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, kMark.name, "GPL",
                                           kAllow.data(), kAllow.size(), &options));
    if (!program) return system_error("load jail_pending", errno);
    TRY(check_name(program.get()));
    if (::bpf_prog_attach(program.get(), cgroup_fd, kMark.type, BPF_F_ALLOW_MULTI) != 0)
        return system_error("attach jail_pending", errno);
    return PendingMark(cgroup_fd);
}

// One that stays shows: a second request for the cgroup begins anew.
PendingMark::~PendingMark() {
    if (cgroup_fd_ >= 0) static_cast<void>(end_pending(cgroup_fd_));
}

Result<bool> is_pending(int cgroup_fd) {
    const auto marks = TRY(attached_programs(cgroup_fd, kMark));
    return !marks.empty();
}

Status end_pending(int cgroup_fd) {
    const auto marks = TRY(attached_programs(cgroup_fd, kMark));
    for (const AttachedProgram& mark : marks)
        if (::bpf_prog_detach2(mark.fd.get(), cgroup_fd, kMark.type) != 0)
            return system_error("detach jail_pending", errno);
    return ok();
}

}  // namespace jail_ai
