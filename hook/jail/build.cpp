// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See build.h. The order never varies: open, load, fill, attach, ask the kernel, and only then keep.
#include "jail/build.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cstdio>

#include "base/quoted.h"
#include "jail/inspect.h"
#include "jail/skeleton.h"

namespace jail_ai {
namespace {

// What libbpf complained about first; it reports details only by this callback.
std::string first_complaint;

__attribute__((format(printf, 2, 0))) int keep_first_complaint(libbpf_print_level level, const char* format, va_list arguments) {
    if (level != LIBBPF_WARN || !first_complaint.empty()) return 0;
    std::array<char, 256> line{};
    if (std::vsnprintf(line.data(), line.size(), format, arguments) < 0) return 0;
    std::string_view text = line.data();
    if (text.starts_with("libbpf: ")) text.remove_prefix(8);
    first_complaint = text.substr(0, text.find('\n'));
    return 0;
}

std::string kernel_release() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "?";
}

Error load_error(int number) {
    const std::string detail = first_complaint.empty() ? "" : fmt::format(" ({})", first_complaint);
    if (number == EPERM || number == EACCES)
        return Error{EX_NOPERM, fmt::format("load BPF programs: {}: this needs CAP_BPF and CAP_NET_ADMIN in the initial user namespace{}",
                                            ::strerror(number), detail)};
    if (number == EINVAL || number == ENOSYS || number == EOPNOTSUPP)
        return Error{EX_UNAVAILABLE,
                     fmt::format("load BPF programs: {}: kernel {} lacks what they need (Linux 5.10 with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF){}",
                                 ::strerror(number), kernel_release(), detail)};
    return Error{EX_OSERR, fmt::format("load BPF programs: {}{}", ::strerror(number), detail)};
}

Error attach_error(const ProgramSlot& slot, const Cgroup& cgroup, int number) {
    const std::string what = fmt::format("attach {} to {}: {}", slot.name, quoted(cgroup.path()), ::strerror(number));
    if (number == EPERM)
        return Error{EX_NOPERM, what + ": this needs CAP_BPF and CAP_NET_ADMIN, and no program without BPF_F_ALLOW_MULTI on a parent cgroup"};
    if (number == EINVAL) return Error{EX_UNAVAILABLE, fmt::format("{}: kernel {} lacks the attach type", what, kernel_release())};
    return Error{EX_OSERR, what};
}

const bpf_program* program_of(const jail_bpf& skeleton, const ProgramSlot& slot) {
    return ::bpf_object__find_program_by_name(skeleton.obj, slot.name);
}

Status fill_rules(int map_fd, const Rules& rules) {
    for (const auto& [prefix, rule] : rules)
        if (::bpf_map_update_elem(map_fd, &prefix.key(), &rule.value, BPF_ANY) != 0)
            return system_error(fmt::format("put {} into jail_rules", prefix.to_string()), errno);
    return ok();
}

// The kernel lists our program once, no other of ours, and with no flag but ALLOW_MULTI.
Status check_attached(const ProgramSlot& slot, int program_fd, const Cgroup& cgroup) {
    auto id = program_id(program_fd);
    if (!id) return std::move(id).error().context(slot.name);
    auto ours = attached_programs(cgroup.fd(), slot);
    if (!ours) return std::move(ours).error();
    if (ours->size() == 1 && ours->front().id == *id && ours->front().attach_flags == BPF_F_ALLOW_MULTI) return ok();
    return Error{EX_SOFTWARE, fmt::format("{} is not attached to {} as it was meant: {} of that name, flags {:#x}", slot.name, quoted(cgroup.path()),
                                          ours->size(), ours->empty() ? 0 : ours->front().attach_flags)};
}

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

void SkeletonDeleter::operator()(jail_bpf* skeleton) const {
    jail_bpf::destroy(skeleton);
}

Attachment::~Attachment() {
    for (auto step = done_.rbegin(); step != done_.rend(); ++step) {
        if (step->replaced)
            attach_one(step->replaced.get(), cgroup_fd_, step->slot->type, step->program_fd);
        else
            ::bpf_prog_detach2(step->program_fd, cgroup_fd_, step->slot->type);
    }
}

Result<Jail> Jail::load(const Policy& policy) {
    first_complaint.clear();
    ::libbpf_set_print(keep_first_complaint);
    Skeleton skeleton(jail_bpf::open());
    if (skeleton == nullptr) return load_error(errno);
    skeleton->rodata->audit = policy.mode == Mode::audit ? 1 : 0;
    skeleton->rodata->shares_network = policy.shares_network ? 1 : 0;
    if (const int failed = jail_bpf::load(skeleton.get()); failed != 0) return load_error(-failed);
    if (auto filled = fill_rules(::bpf_map__fd(skeleton->maps.jail_rules), policy.rules); !filled) return std::move(filled).error();
    return Jail(std::move(skeleton));
}

Result<Attachment> Jail::attach(const Cgroup& cgroup) && {
    Attachment attachment(std::move(skeleton_), cgroup.fd());
    for (const ProgramSlot& slot : kProgramTable) {
        const int program_fd = ::bpf_program__fd(program_of(*attachment.skeleton_, slot));
        auto before = attached_programs(cgroup.fd(), slot);
        if (!before) return std::move(before).error();
        UniqueFd replaced = before->empty() ? UniqueFd() : std::move(before->front().fd);
        if (const int failed = attach_one(program_fd, cgroup.fd(), slot.type, replaced.get()); failed != 0) return attach_error(slot, cgroup, failed);
        attachment.done_.push_back({&slot, program_fd, std::move(replaced)});
    }
    for (const Attachment::Step& step : attachment.done_)
        if (auto checked = check_attached(*step.slot, step.program_fd, cgroup); !checked) return std::move(checked).error();
    return attachment;
}

}  // namespace jail_ai
