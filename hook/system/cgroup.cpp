// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Attaching to a wrong cgroup would jail another container and leave this one open, so the proof
// rests on what the kernel says about the directory that is open (cgroup.procs lists this process
// and nothing else), not on a path.
#include "system/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <functional>
#include <optional>
#include <vector>

#include "base/absence.h"
#include "base/lines.h"
#include "base/number.h"
#include "base/quote.h"
#include "container/cgroup_path.h"
#include "container/mountinfo.h"
#include "system/cgroup_walk.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr std::string_view kRemedy =
    "give the container a cgroup of its own (no --cgroups=disabled; for rootless podman, run it in "
    "a systemd user session, or with --cgroups=split)";

// A process in a cgroup; nothing stands for one that the caller's pid namespace doesn't show
// (cgroup.procs then says 0).
struct Member {
    std::optional<pid_t> pid;
    bool below;  // in a child cgroup
};

Result<std::vector<pid_t>> read_members(int cgroup_fd) {
    auto procs = TRY(read_kernel_file(cgroup_fd, "cgroup.procs"));
    std::vector<pid_t> members;
    std::string_view text = procs;
    while (!text.empty()) {
        const auto member = parse_number<pid_t>(next_line(text));
        if (!member) return Error{EX_SOFTWARE, "cgroup.procs is not a list of numbers"};
        members.push_back(*member);
    }
    return members;
}

// The first member, in the cgroup or below it, that the call says is a stranger, if there is one.
Result<std::optional<Member>> find_member_if(
    int cgroup_fd, const std::function<Result<bool>(const Member& member)>& is_stranger) {
    std::optional<Member> stranger;
    const auto mount = TRY(mount_id(cgroup_fd));
    TRY(walk_down(cgroup_fd, [&](int fd, const std::string& below) -> Result<Walk> {
        const auto here = TRY(mount_id(fd));
        if (here != mount)
            return system_error(fmt::format("look into cgroup {}", quote(below)),
                                EXDEV);  // which hides what is below
        const auto members = TRY(read_members(fd));
        for (const pid_t pid : members) {
            const Member member{pid == 0 ? std::nullopt : std::optional(pid), !below.empty()};
            const auto strange = TRY(is_stranger(member));
            if (!strange) continue;
            stranger = member;
            return Walk::done;
        }
        return Walk::on;
    }));
    return stranger;
}

// CRIU, which the runtime has started, or a process that it has forked (cgroupd, since CRIU 3.18).
Result<bool> is_restorer(const Process& process, pid_t runtime) {
    const auto name = TRY(read_kernel_file(process.proc_fd(), "comm"));
    if (name != "criu\n") return false;
    const auto parent = TRY(process.parent());
    if (parent == runtime) return true;
    const auto elder = Process::open(parent);
    return elder ? is_restorer(*elder, runtime) : Result<bool>(elder.error());
}

Error not_its_own(std::string_view path, std::string_view why) {
    return Error{EX_CONFIG, fmt::format("cgroup {} {}: {}", quote(path), why, kRemedy)};
}

}  // namespace

Result<Cgroup> Cgroup::open(const std::string& path, Members members) {
    if (path == "/") return not_its_own(path, "is the root cgroup");
    auto self = TRY(open_proc_self());
    auto own = TRY(cgroup_path_of(self.get()));
    if (own == path) return not_its_own(path, "is the hook's own");
    if (is_at_or_below(own, path)) return not_its_own(path, "holds the hook");
    auto fd = TRY(open_cgroup(path));
    return Cgroup(std::move(fd), path, members);
}

Result<Cgroup> Cgroup::prove(const Process& process, Members members, pid_t runtime) {
    const auto path =
        TRY(cgroup_path_of(process.proc_fd()).context(fmt::format("process {}", process.pid())));
    auto cgroup = TRY(open(path, members));
    cgroup.runtime_ = runtime;
    cgroup.has_restorer_ = TRY(cgroup.prove_members(process));
    return cgroup;
}

Result<Cgroup> Cgroup::for_sole_process(const Process& process) {
    return prove(process, Members::only_the_process, 0);
}

Result<Cgroup> Cgroup::for_hook(const Process& process, pid_t runtime) {
    return prove(process, Members::with_its_restorer, runtime);
}

Result<Cgroup> Cgroup::for_pid_namespace(const Process& process) {
    auto shares = TRY(process.shares_namespace("pid"));
    return prove(process, shares ? Members::only_the_process : Members::of_its_pid_namespace, 0);
}

Result<Cgroup> Cgroup::from_path(const std::string& path) {
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    std::string below = path;
    for (const std::string& mount : find_cgroup_mounts(mountinfo))
        if (is_at_or_below(path, mount)) below = path.substr(mount.size());
    while (below.size() > 1 && below.back() == '/') below.pop_back();
    if (below.empty()) below = "/";
    if (below.front() != '/')
        return Error{EX_USAGE, fmt::format("{} is not an absolute path", quote(path))};
    auto cgroup = open(below, Members::any);
    // A mount may show another hierarchy, or a part of this one under other names.
    if (!cgroup) return cgroup;
    struct stat opened {};
    if (::fstat(cgroup->fd(), &opened) != 0) return system_error("stat the cgroup", errno);
    const auto named = TRY(open_if_there(AT_FDCWD, path, O_PATH));
    struct stat its {};
    if (named && ::fstat(named->get(), &its) != 0)
        return system_error(fmt::format("stat {}", quote(path)), errno);
    if (named && (its.st_dev != opened.st_dev || its.st_ino != opened.st_ino))
        return Error{EX_USAGE, fmt::format("{} is not a cgroup v2 by that name", quote(path))};
    return cgroup;
}

Result<Cgroup::MemberKind> Cgroup::classify(const Process& process, pid_t other) const {
    if (members_ == Members::only_the_process) return MemberKind::stranger;
    const auto opened = Process::open(other);
    if (is_absent(opened)) return MemberKind::fellow;  // it has ended
    if (!opened) return opened.error();
    if (members_ == Members::of_its_pid_namespace) {
        const auto within = opened->is_within_pid_namespace_of(process);
        if (is_absent(within)) return MemberKind::fellow;
        return TRY(within) ? MemberKind::fellow : MemberKind::stranger;
    }
    const auto restores = TRY(is_restorer(*opened, runtime_));
    return restores ? MemberKind::restorer : MemberKind::stranger;
}

// Is the restorer there?
Result<bool> Cgroup::prove_members(const Process& process) const {
    if (members_ == Members::any) return false;
    int seen = 0;
    bool has_restorer = false;
    auto stranger = find_member_if(fd_.get(), [&](const Member& member) -> Result<bool> {
        if (!member.pid) return true;
        if (*member.pid == process.pid() && !member.below) {
            ++seen;
            return false;
        }
        const auto kind = TRY(classify(process, *member.pid));
        has_restorer = has_restorer || kind == MemberKind::restorer;
        return kind == MemberKind::stranger;
    });
    TRY(process.check_alive());
    if (!stranger)
        return std::move(stranger).error().context(fmt::format("cgroup {}", quote(path_)));
    if (*stranger) {
        const Member& member = **stranger;
        return not_its_own(path_, fmt::format("holds {}{}, not only the container's {}",
                                              member.pid ? fmt::format("process {}", *member.pid)
                                                         : "a process of another pid namespace",
                                              member.below ? " below it" : "", process.pid()));
    }
    const auto now =
        TRY(cgroup_path_of(process.proc_fd()).context(fmt::format("process {}", process.pid())));
    if (seen != 1 || now != path_)
        return not_its_own(path_, fmt::format("is not where process {} is", process.pid()));
    return has_restorer;
}

Status Cgroup::recheck(const Process& process) const {
    TRY(prove_members(process));
    return ok();
}

Result<Process> Cgroup::some_process() const {
    std::optional<Process> some;
    auto searched = find_member_if(fd_.get(), [&](const Member& member) -> Result<bool> {
        if (!member.pid) return false;
        auto process = Process::open(*member.pid);
        const auto looked =
            process ? process->shares_namespace("net") : Result<bool>(process.error());
        if (is_absent(looked)) return false;  // it has ended
        const bool at_home = TRY(looked);
        if (!some || at_home) some = std::move(*process);
        return at_home;
    });
    if (!searched)
        return std::move(searched).error().context(fmt::format("cgroup {}", quote(path_)));
    if (!some)
        return Error{
            EX_NOINPUT,
            fmt::format("cgroup {} holds no process: start what it is for first", quote(path_))};
    return std::move(*some);
}

}  // namespace jail_ai
