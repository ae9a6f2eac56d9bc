// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "jail/attachment.h"

#include <bpf/bpf.h>
#include <fmt/format.h>

#include "base/quote.h"
#include "jail/inspect.h"
#include "jail/loading.h"

namespace jail_ai {
namespace {

Error attach_error(const ProgramSlot& slot, const Cgroup& cgroup, int number) {
    const std::string what =
        fmt::format("attach {} to {}: {}", slot.name, quote(cgroup.path()), error_text(number));
    if (number == EPERM)
        return Error{EX_NOPERM, what +
                                    ": this needs CAP_BPF and CAP_NET_ADMIN, and no program "
                                    "without BPF_F_ALLOW_MULTI on a parent cgroup"};
    // LSM programs don't load if the kernel can't attach any.
    if (number == EINVAL && slot.type == BPF_LSM_CGROUP)
        return Error{EX_UNAVAILABLE,
                     what +
                         ": Linux has room for lsm_cgroup programs on 10 different hooks of the "
                         "whole machine, and others' programs "
                         "hold too many: detach some (bpftool cgroup tree lists them)"};
    if (number == E2BIG && slot.type == BPF_LSM_CGROUP)
        return Error{EX_UNAVAILABLE, what +
                                         ": others' BPF programs on the same LSM hook leave no "
                                         "room: detach some (bpftool prog list)"};
    if (number == EINVAL || number == kKernelENotSupp)
        return Error{EX_UNAVAILABLE,
                     fmt::format("{}: kernel {} lacks the attach type", what, kernel_release())};
    return Error{EX_OSERR, what};
}

// The kernel lists our program once, no other of ours, and with no flag but ALLOW_MULTI.
Status check_attached(const LoadedProgram& program, const Cgroup& cgroup) {
    const ProgramSlot& slot = *program.slot;
    auto id = program_id(program.fd.get());
    if (!id) return std::move(id).error().context(slot.name);
    auto ours = TRY(attached_programs(cgroup.fd(), slot));
    if (ours.size() == 1 && ours.front().id == *id &&
        ours.front().attach_flags == BPF_F_ALLOW_MULTI)
        return ok();
    return Error{EX_SOFTWARE, fmt::format("verification failed: expected one {} on {} with "
                                          "BPF_F_ALLOW_MULTI, found {}, flags {:#x}",
                                          slot.name, quote(cgroup.path()), ours.size(),
                                          ours.empty() ? 0 : ours.front().attach_flags)};
}

constexpr int kAttempts =
    3;  // to undo a step: what fails once (EINTR, ENOMEM) may not the next time

// `replaces` is a descriptor, or -1. Gives 0 or an errno.
int attach_one(int program_fd, int cgroup_fd, bpf_attach_type type, int replaces) {
    struct bpf_prog_attach_opts options {};
    options.sz = sizeof options;
    options.flags = BPF_F_ALLOW_MULTI;
    if (replaces >= 0) {
        options.flags |= BPF_F_REPLACE;
        options.replace_prog_fd = replaces;
    }
    return ::bpf_prog_attach_opts(program_fd, cgroup_fd, type, &options) == 0 ? 0 : errno;
}

}  // namespace

Error already_jailed(const Cgroup& cgroup) {
    return Error{EX_CONFIG,
                 fmt::format("cgroup {} is jailed already, and no second request can change that",
                             quote(cgroup.path()))};
}

Result<std::size_t> detach_jail(int cgroup_fd) {
    auto programs = TRY(attached_programs(cgroup_fd));
    for (const AttachedProgram& program : programs)
        if (::bpf_prog_detach2(program.fd.get(), cgroup_fd,
                               static_cast<bpf_attach_type>(program.attach_type)) != 0)
            return system_error(fmt::format("detach {}", program.name), errno);
    TRY(end_pending(cgroup_fd));
    return programs.size();
}

Attachment::~Attachment() {
    for (auto step = done_.rbegin(); step != done_.rend(); ++step)
        for (int attempt = 0; attempt < kAttempts && undo(*step) != 0; ++attempt) continue;
}

int Attachment::undo(const Step& step) const {
    const bpf_attach_type type = step.program.slot->type;
    if (step.replaced)
        return attach_one(step.replaced.get(), cgroup_fd_, type, step.program.fd.get());
    return ::bpf_prog_detach2(step.program.fd.get(), cgroup_fd_, type) == 0 ? 0 : errno;
}

Result<Attachment> Attachment::make(std::vector<LoadedProgram> programs, const Cgroup& cgroup,
                                    Existing existing) {
    Attachment attachment(cgroup.fd());
    if (existing == Existing::reject) attachment.mark_.emplace(TRY(PendingMark::put(cgroup.fd())));
    attachment.done_.reserve(programs.size());  // nothing is attached that destruction doesn't know
    for (LoadedProgram& program : programs) {
        const ProgramSlot& slot = *program.slot;
        auto before = attached_programs(cgroup.fd(), slot);
        if (!before) return std::move(before).error();
        if (!before->empty() && existing == Existing::reject) return already_jailed(cgroup);
        UniqueFd replaced = before->empty() ? UniqueFd() : std::move(before->front().fd);
        if (const int failed = attach_one(program.fd.get(), cgroup.fd(), slot.type, replaced.get());
            failed != 0)
            return attach_error(slot, cgroup, failed);
        attachment.done_.push_back({std::move(program), std::move(replaced)});
    }
    for (const Step& step : attachment.done_) TRY(check_attached(step.program, cgroup));
    // What a broker has left and this replaces isn't pending any more.
    if (existing == Existing::replace) TRY(end_pending(cgroup.fd()));
    return attachment;
}

}  // namespace jail_ai
