// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Attaching to a wrong cgroup would jail somebody else and leave the container open, so the proof rests on what the
// kernel says about the directory that is open (cgroup.procs lists this process and nothing else), not on a path.
#include "system/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/lines.h"
#include "base/quote.h"
#include "container/cgroup_path.h"
#include "container/mountinfo.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr int kMaxCgroupDepth = 64;
constexpr std::string_view kRemedy =
    "give the container a cgroup of its own (no --cgroups=disabled; for rootless podman, run it in a systemd user session, or with --cgroups=split)";

Result<std::uint64_t> mount_id(int fd) {
    struct statx info {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0) return system_error("stat cgroup", errno);
    if ((info.stx_mask & STATX_MNT_ID) == 0) return Error{EX_UNAVAILABLE, "statx(2) gives no mount id (Linux 5.8)"};
    return info.stx_mnt_id;
}

// Name by name, none of them a link, ".." or another mount: what openat2(2) does in one call, which the hook gives up the right to
// (sandbox/filter/calls.h).
Result<UniqueFd> open_beneath(int dirfd, std::string_view path) {
    auto mount = TRY(mount_id(dirfd));
    UniqueFd fd;
    for (std::string_view rest = path; !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty() || name == "..") return Error{EX_DATAERR, fmt::format("{} is not the path of a cgroup", quote(path))};
        UniqueFd next(::openat(fd ? fd.get() : dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) return system_error(fmt::format("open cgroup {}", quote(path)), errno);
        fd = std::move(next);
        auto here = TRY(mount_id(fd.get()));
        if (here != mount) return system_error(fmt::format("open cgroup {}", quote(path)), EXDEV);
    }
    struct statfs info {};
    if (::fstatfs(fd.get(), &info) != 0 || info.f_type != CGROUP2_SUPER_MAGIC)
        return Error{EX_OSFILE, fmt::format("{} is not on a cgroup2 file system", quote(path))};
    return fd;
}

// A process in a cgroup; nothing stands for one that the caller's pid namespace doesn't show (cgroup.procs then says 0).
struct Member {
    std::optional<pid_t> pid;
    bool below;  // in a child cgroup
};

Result<std::vector<pid_t>> read_members(int cgroup_fd) {
    auto procs = TRY(read_kernel_file(cgroup_fd, "cgroup.procs"));
    std::vector<pid_t> members;
    std::string_view text = procs;
    while (!text.empty()) {
        pid_t member = 0;
        const std::string_view line = next_line(text);
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), member);
        if (error != std::errc() || end != line.data() + line.size()) return Error{EX_SOFTWARE, "cgroup.procs is not a list of numbers"};
        members.push_back(member);
    }
    return members;
}

using IsStranger = std::function<Result<bool>(const Member& member)>;

// A member, in the cgroup or below it, that the call says is a stranger, if there is one.
Result<std::optional<Member>> find_stranger(int cgroup_fd, int depth, const IsStranger& is_stranger) {
    if (depth > kMaxCgroupDepth) return Error{EX_CONFIG, fmt::format("cgroups nested deeper than {} levels", kMaxCgroupDepth)};
    auto members = TRY(read_members(cgroup_fd));
    for (const pid_t pid : members) {
        const Member member{pid == 0 ? std::nullopt : std::optional(pid), depth > 0};
        auto strange = TRY(is_stranger(member));
        if (strange) return std::optional(member);
    }
    const UniqueFd again(::openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again) return system_error("open cgroup", errno);
    const Directory directory(::fdopendir(::fcntl(again.get(), F_DUPFD_CLOEXEC, 0)));
    if (!directory) return system_error("list cgroup", errno);
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_type != DT_DIR || std::string_view(entry->d_name) == "." || std::string_view(entry->d_name) == "..") continue;
        auto child = TRY(open_beneath(cgroup_fd, entry->d_name));
        auto stranger = find_stranger(child.get(), depth + 1, is_stranger);
        if (!stranger || *stranger) return stranger;
    }
    return std::optional<Member>();
}

Result<std::string> cgroup_path_of(int proc_fd) {
    auto text = TRY(read_kernel_file(proc_fd, "cgroup"));
    return parse_cgroup_path(text);
}

// The cgroup of that path in the caller's cgroup namespace.
Result<UniqueFd> open_cgroup(int proc_self, const std::string& path) {
    auto mountinfo = TRY(read_kernel_file(proc_self, "mountinfo"));
    auto place = TRY(place_cgroup(mountinfo, path));
    const UniqueFd mount(::open(place.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return system_error(fmt::format("open {}", quote(place.mount_point)), errno);
    auto fd = open_beneath(mount.get(), place.path);
    if (!fd) return std::move(fd).error().context(quote(place.mount_point));
    return fd;
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
    auto fd = TRY(open_cgroup(self.get(), path));
    return Cgroup(std::move(fd), path, members);
}

Result<Cgroup> Cgroup::prove(const Process& process, Members members, pid_t runtime) {
    auto path = cgroup_path_of(process.proc_fd());
    if (!path) return std::move(path).error().context(fmt::format("process {}", process.pid()));
    auto cgroup = open(*path, members);
    if (!cgroup) return cgroup;
    cgroup->runtime_ = runtime;
    cgroup->has_restorer_ = TRY(cgroup->prove_members(process));
    return cgroup;
}

Result<Cgroup> Cgroup::of(const Process& process) {
    return prove(process, Members::only_the_process, 0);
}

Result<Cgroup> Cgroup::of_hooked(const Process& process, pid_t runtime) {
    return prove(process, Members::with_its_restorer, runtime);
}

Result<Cgroup> Cgroup::around(const Process& process) {
    auto shares = TRY(process.shares_namespace("pid"));
    return prove(process, shares ? Members::only_the_process : Members::of_its_pid_namespace, 0);
}

Result<Cgroup> Cgroup::at(const std::string& path) {
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    std::string below = path;
    for (const std::string& mount : find_cgroup_mounts(mountinfo))
        if (is_at_or_below(path, mount)) below = path.substr(mount.size());
    while (below.size() > 1 && below.back() == '/') below.pop_back();
    if (below.empty()) below = "/";
    if (below.front() != '/') return Error{EX_USAGE, fmt::format("{} is no absolute path", quote(path))};
    auto cgroup = open(below, Members::any);
    // A mount may show another hierarchy, or a part of this one under other names.
    struct stat named {};
    struct stat opened {};
    if (cgroup && ::stat(path.c_str(), &named) == 0 &&
        (::fstat(cgroup->fd(), &opened) != 0 || named.st_dev != opened.st_dev || named.st_ino != opened.st_ino))
        return Error{EX_USAGE, fmt::format("{} is not a cgroup v2 by that name", quote(path))};
    return cgroup;
}

Result<Cgroup::Neighbour> Cgroup::judge(const Process& process, pid_t other) const {
    if (members_ == Members::only_the_process) return Neighbour::stranger;
    const auto opened = Process::open(other);
    if (!opened && opened.error().exit_code == EX_NOINPUT) return Neighbour::fellow;  // it has ended
    if (!opened) return opened.error();
    if (members_ == Members::of_its_pid_namespace) {
        const auto within = opened->is_within_pid_namespace_of(process);
        if (!within && within.error().exit_code != EX_NOINPUT) return within.error();
        return !within || *within ? Neighbour::fellow : Neighbour::stranger;
    }
    const auto restores = TRY(is_restorer(*opened, runtime_));
    return restores ? Neighbour::restorer : Neighbour::stranger;
}

// Is the restorer there?
Result<bool> Cgroup::prove_members(const Process& process) const {
    if (members_ == Members::any) return false;
    int seen = 0;
    bool has_restorer = false;
    auto stranger = find_stranger(fd_.get(), 0, [&](const Member& member) -> Result<bool> {
        if (!member.pid) return true;
        if (*member.pid == process.pid() && !member.below) {
            ++seen;
            return false;
        }
        const auto judged = TRY(judge(process, *member.pid));
        has_restorer = has_restorer || judged == Neighbour::restorer;
        return judged == Neighbour::stranger;
    });
    TRY(process.check_alive());
    if (!stranger) return std::move(stranger).error().context(fmt::format("cgroup {}", quote(path_)));
    if (*stranger) {
        const Member& member = **stranger;
        return not_its_own(path_, fmt::format("holds {}{}, not only the container's {}",
                                              member.pid ? fmt::format("process {}", *member.pid) : "a process of another pid namespace",
                                              member.below ? " below it" : "", process.pid()));
    }
    auto now = cgroup_path_of(process.proc_fd());
    if (!now) return std::move(now).error().context(fmt::format("process {}", process.pid()));
    if (seen != 1 || *now != path_) return not_its_own(path_, fmt::format("is not where process {} is", process.pid()));
    return has_restorer;
}

Status Cgroup::recheck(const Process& process) const {
    TRY(prove_members(process));
    return ok();
}

Result<Process> Cgroup::some_process() const {
    std::optional<Process> some;
    auto searched = find_stranger(fd_.get(), 0, [&](const Member& member) -> Result<bool> {
        if (!member.pid) return false;
        auto process = Process::open(*member.pid);
        const auto at_home = process ? process->shares_namespace("net") : Result<bool>(process.error());
        if (!at_home) return false;  // it has ended
        if (!some || *at_home) some = std::move(*process);
        return *at_home;
    });
    if (!searched) return std::move(searched).error().context(fmt::format("cgroup {}", quote(path_)));
    if (!some) return Error{EX_NOINPUT, fmt::format("cgroup {} holds no process: start what it is for first", quote(path_))};
    return std::move(*some);
}

Result<UniqueFd> open_cgroup_of(const Process& process) {
    auto path = cgroup_path_of(process.proc_fd());
    if (!path) return std::move(path).error().context(fmt::format("process {}", process.pid()));
    auto self = TRY(open_proc_self());
    return open_cgroup(self.get(), *path);
}

}  // namespace jail_ai
