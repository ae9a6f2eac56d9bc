// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See cgroup.h. Attaching to a wrong cgroup would jail somebody else and leave the container open, so the proof rests on what the
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
#include <memory>
#include <optional>
#include <vector>

#include "base/lines.h"
#include "base/quoted.h"
#include "container/cgroup_path.h"
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
    auto mount = mount_id(dirfd);
    if (!mount) return std::move(mount).error();
    UniqueFd fd;
    for (std::string_view rest = path; !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty() || name == "..") return Error{EX_DATAERR, fmt::format("{} is not the path of a cgroup", quoted(path))};
        UniqueFd next(::openat(fd ? fd.get() : dirfd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) return system_error(fmt::format("open cgroup {}", quoted(path)), errno);
        fd = std::move(next);
        auto here = mount_id(fd.get());
        if (!here) return std::move(here).error();
        if (*here != *mount) return system_error(fmt::format("open cgroup {}", quoted(path)), EXDEV);
    }
    struct statfs info {};
    if (::fstatfs(fd.get(), &info) != 0 || info.f_type != CGROUP2_SUPER_MAGIC)
        return Error{EX_OSFILE, fmt::format("{} is not on a cgroup2 file system", quoted(path))};
    return fd;
}

// A process in a cgroup; nothing stands for one that the caller's pid namespace doesn't show (cgroup.procs then says 0).
struct Member {
    std::optional<pid_t> pid;
    bool below;  // in a child cgroup
};

Result<std::vector<pid_t>> read_members(int cgroup_fd) {
    auto procs = read_kernel_file(cgroup_fd, "cgroup.procs");
    if (!procs) return std::move(procs).error();
    std::vector<pid_t> members;
    std::string_view text = *procs;
    while (!text.empty()) {
        pid_t member = 0;
        const std::string_view line = next_line(text);
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), member);
        if (error != std::errc() || end != line.data() + line.size()) return Error{EX_SOFTWARE, "cgroup.procs is not a list of numbers"};
        members.push_back(member);
    }
    return members;
}

// A member other than `pid`, if there is one, in the cgroup or below it; counts `pid` itself in `seen`.
Result<std::optional<Member>> find_stranger(int cgroup_fd, pid_t pid, int depth, int& seen) {
    if (depth > kMaxCgroupDepth) return Error{EX_CONFIG, fmt::format("cgroups nested deeper than {} levels", kMaxCgroupDepth)};
    auto members = read_members(cgroup_fd);
    if (!members) return std::move(members).error();
    for (const pid_t member : *members) {
        if (member == 0) return std::optional(Member{std::nullopt, depth > 0});
        if (member != pid || depth > 0) return std::optional(Member{member, depth > 0});
        ++seen;
    }
    const UniqueFd again(::openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!again) return system_error("open cgroup", errno);
    const Directory directory(::fdopendir(::fcntl(again.get(), F_DUPFD_CLOEXEC, 0)));
    if (!directory) return system_error("list cgroup", errno);
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_type != DT_DIR || std::string_view(entry->d_name) == "." || std::string_view(entry->d_name) == "..") continue;
        auto child = open_beneath(cgroup_fd, entry->d_name);
        if (!child) return std::move(child).error();
        auto stranger = find_stranger(child->get(), pid, depth + 1, seen);
        if (!stranger || *stranger) return stranger;
    }
    return std::optional<Member>();
}

Result<std::string> cgroup_path_of(int proc_fd) {
    auto text = read_kernel_file(proc_fd, "cgroup");
    if (!text) return std::move(text).error();
    return parse_cgroup_path(*text);
}

// The cgroup of that path in the caller's cgroup namespace.
Result<UniqueFd> open_cgroup(int proc_self, const std::string& path) {
    auto mountinfo = read_kernel_file(proc_self, "mountinfo");
    if (!mountinfo) return std::move(mountinfo).error();
    auto place = place_cgroup(*mountinfo, path);
    if (!place) return std::move(place).error();
    const UniqueFd mount(::open(place->mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return system_error(fmt::format("open {}", quoted(place->mount_point)), errno);
    auto fd = open_beneath(mount.get(), place->path);
    if (!fd) return std::move(fd).error().context(quoted(place->mount_point));
    return fd;
}

Error not_its_own(std::string_view path, std::string_view why) {
    return Error{EX_CONFIG, fmt::format("cgroup {} {}: {}", quoted(path), why, kRemedy)};
}

}  // namespace

Result<Cgroup> Cgroup::of(const Process& process) {
    auto path = cgroup_path_of(process.proc_fd());
    if (!path) return std::move(path).error().context(fmt::format("process {}", process.pid()));
    if (*path == "/") return not_its_own(*path, "is the root cgroup");
    auto self = open_proc_self();
    if (!self) return std::move(self).error();
    auto own = cgroup_path_of(self->get());
    if (!own) return std::move(own).error();
    if (*own == *path) return not_its_own(*path, "is the hook's own");
    if (is_at_or_below(*own, *path)) return not_its_own(*path, "holds the hook");

    auto fd = open_cgroup(self->get(), *path);
    if (!fd) return std::move(fd).error();
    Cgroup cgroup(std::move(*fd), std::move(*path));
    if (auto proved = cgroup.recheck(process); !proved) return std::move(proved).error();
    return cgroup;
}

Status Cgroup::recheck(const Process& process) const {
    int seen = 0;
    auto stranger = find_stranger(fd_.get(), process.pid(), 0, seen);
    if (auto alive = process.check_alive(); !alive) return alive;
    if (!stranger) return std::move(stranger).error().context(fmt::format("cgroup {}", quoted(path_)));
    if (*stranger) {
        const Member& member = **stranger;
        return not_its_own(path_, fmt::format("holds {}{}, not only the container's {}",
                                              member.pid ? fmt::format("process {}", *member.pid) : "a process of another pid namespace",
                                              member.below ? " below it" : "", process.pid()));
    }
    auto now = cgroup_path_of(process.proc_fd());
    if (!now) return std::move(now).error().context(fmt::format("process {}", process.pid()));
    if (seen != 1 || *now != path_) return not_its_own(path_, fmt::format("is not where process {} is", process.pid()));
    return ok();
}

Result<UniqueFd> open_cgroup_of(const Process& process) {
    auto path = cgroup_path_of(process.proc_fd());
    if (!path) return std::move(path).error().context(fmt::format("process {}", process.pid()));
    auto self = open_proc_self();
    if (!self) return std::move(self).error();
    return open_cgroup(self->get(), *path);
}

}  // namespace jail_ai
