// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// One directory is open at a time, with the names that are left on each level: users nest cgroups
// as deep as they like, and descriptors are few. The way up is by "..": no path, and cgroup2 knows
// no rename(2).
#include "system/cgroup_walk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "base/absence.h"
#include "base/quote.h"
#include "container/cgroup_path.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kShownPath = 200;  // bytes of one that is too deep
const std::string kRoot = "/";

// The kernel has no answers about one that has gone.
bool is_gone(int cgroup_fd) {
    return ::faccessat(cgroup_fd, "cgroup.procs", F_OK, 0) != 0 &&
           means_absent(Sought::kernel_file, errno);
}

Result<bool> is_cgroup(int fd) {
    struct statfs info {};
    if (::fstatfs(fd, &info) != 0) return system_error("look at the file system", errno);
    return info.f_type == CGROUP2_SUPER_MAGIC;
}

Result<UniqueFd> open_directory(int dirfd, const char* name) {
    UniqueFd fd(::openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return system_error(fmt::format("open cgroup {}", quote(name)), errno);
    return fd;
}

// A directory of kernfs has a link for each below it, and two more (kernfs_refresh_inode() in
// fs/kernfs/inode.c): one without any isn't read, which takes longer than all else that is asked.
Result<std::vector<std::string>> children_of(int cgroup_fd) {
    struct stat info {};
    if (::fstat(cgroup_fd, &info) != 0) return system_error("stat cgroup", errno);
    if (info.st_nlink == 2) return std::vector<std::string>();
    return list_directory(cgroup_fd, ".", Entries::directories).context("cgroup");
}

enum class Bounds { of_somebody, none };

Error beyond_bounds(const std::string& below) {
    return Error{EX_CONFIG,
                 fmt::format("cgroup {}: more than {} cgroups, or nested deeper than {} levels: "
                             "remove those that are not used",
                             quote(below, kShownPath), kMaxWalkedCgroups, kMaxCgroupDepth)};
}

Status walk(int cgroup_fd, Bounds bounds,
            const std::function<Result<Walk>(int fd, const std::string& below)>& visit) {
    struct Level {
        std::vector<std::string> names;  // still to be visited
        std::size_t path_size;
    };
    auto here = TRY(open_directory(cgroup_fd, "."));
    std::string below;
    auto step = TRY(visit(here.get(), below));
    std::vector<Level> levels;
    auto first = TRY(children_of(here.get()));
    levels.push_back({std::move(first), 0});
    std::size_t visited = 1;
    while (step == Walk::on) {
        below.resize(levels.back().path_size);
        if (levels.back().names.empty()) {
            levels.pop_back();
            if (levels.empty()) break;
            here = TRY(open_directory(here.get(), ".."));
            continue;
        }
        below += '/';
        below += levels.back().names.back();
        UniqueFd child(::openat(here.get(), levels.back().names.back().c_str(),
                                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        levels.back().names.pop_back();
        if (!child && means_absent(Sought::kernel_file, errno)) continue;
        if (!child) return system_error(fmt::format("open cgroup {}", quote(below)), errno);
        if (bounds == Bounds::of_somebody &&
            (levels.size() > kMaxCgroupDepth || ++visited > kMaxWalkedCgroups))
            return beyond_bounds(below);
        const auto called = visit(child.get(), below);
        if (!called && is_gone(child.get())) continue;
        step = TRY(called);
        auto names = children_of(child.get());
        if (!names && is_gone(child.get())) continue;
        if (!names) return std::move(names).error();
        if (names->empty()) continue;
        levels.push_back({std::move(*names), below.size()});
        here = std::move(child);
    }
    return ok();
}

// Name by name, none of them a link, ".." or another mount: what openat2(2) does in one call, which
// the hook gives up the right to (sandbox/filter/calls.h).
Result<UniqueFd> open_beneath(int dirfd, std::string_view path) {
    auto mount = TRY(mount_id(dirfd));
    UniqueFd fd;
    for (std::string_view rest = path; !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty() || name == "..")
            return Error{EX_DATAERR, fmt::format("{} is not the path of a cgroup", quote(path))};
        UniqueFd next(::openat(fd ? fd.get() : dirfd, name.c_str(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) return system_error(fmt::format("open cgroup {}", quote(path)), errno);
        fd = std::move(next);
        auto here = TRY(mount_id(fd.get()));
        if (here != mount) return system_error(fmt::format("open cgroup {}", quote(path)), EXDEV);
    }
    const bool is_one = TRY(is_cgroup(fd.get()));
    if (!is_one)
        return Error{EX_OSFILE, fmt::format("{} is not on a cgroup2 file system", quote(path))};
    return fd;
}

Result<UniqueFd> open_cgroup2_mount() {
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    for (const std::string& mount : find_cgroup_mounts(mountinfo)) {
        auto fd = TRY(open_if_there(AT_FDCWD, mount, O_RDONLY | O_DIRECTORY));
        if (!fd) continue;
        const bool is_one = TRY(is_cgroup(fd->get()));
        if (is_one) return std::move(*fd);
    }
    return Error{EX_UNAVAILABLE, "no cgroup v2 is mounted here"};
}

}  // namespace

Result<std::uint64_t> mount_id(int fd) {
    struct statx info {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &info) != 0)
        return system_error("stat cgroup", errno);
    if ((info.stx_mask & STATX_MNT_ID) == 0)
        return Error{EX_UNAVAILABLE, "statx(2) gives no mount id (Linux 5.8)"};
    return info.stx_mnt_id;
}

Status walk_down(int cgroup_fd,
                 const std::function<Result<Walk>(int fd, const std::string& below)>& visit) {
    return walk(cgroup_fd, Bounds::of_somebody, visit);
}

Status for_each_cgroup(const std::function<Status(int fd, const std::string& path)>& visit) {
    const auto mount = TRY(open_cgroup2_mount());
    return walk(mount.get(), Bounds::none, [&](int fd, const std::string& below) -> Result<Walk> {
        const std::string& path = below.empty() ? kRoot : below;
        if (auto visited = visit(fd, path); !visited)
            return std::move(visited).error().context(fmt::format("cgroup {}", quote(path)));
        return Walk::on;
    });
}

Result<std::vector<OpenCgroup>> cgroup_and_above(int cgroup_fd) {
    std::vector<OpenCgroup> all;
    auto directory = TRY(open_directory(cgroup_fd, "."));
    ino_t last = 0;
    while (TRY(is_cgroup(directory.get()))) {
        struct stat info {};
        if (::fstat(directory.get(), &info) != 0) return system_error("stat cgroup", errno);
        if (info.st_ino == last)
            break;  // the root of a file system that is mounted nowhere, or everywhere
        if (all.size() > kMaxCgroupDepth)
            return Error{EX_CONFIG,
                         fmt::format("a cgroup nested deeper than {} levels", kMaxCgroupDepth)};
        last = info.st_ino;
        auto above = TRY(open_directory(directory.get(), ".."));
        all.push_back({std::move(directory), info.st_uid});
        directory = std::move(above);
    }
    return all;
}

Result<std::string> cgroup_path_of(int proc_fd) {
    auto text = TRY(read_kernel_file(proc_fd, "cgroup"));
    return parse_cgroup_path(text);
}

Result<UniqueFd> open_cgroup(const std::string& path) {
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    auto place = TRY(place_cgroup(mountinfo, path));
    const UniqueFd mount(::open(place.mount_point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return system_error(fmt::format("open {}", quote(place.mount_point)), errno);
    return open_beneath(mount.get(), place.path).context(quote(place.mount_point));
}

Result<std::vector<NamedCgroup>> cgroups_of(const Process& process) {
    auto path =
        TRY(cgroup_path_of(process.proc_fd()).context(fmt::format("process {}", process.pid())));
    std::vector<NamedCgroup> named;
    if (path == "/") return named;
    auto own = TRY(open_cgroup(path));
    auto above = TRY(cgroup_and_above(own.get()));
    for (OpenCgroup& cgroup : above) {
        if (path.empty()) break;  // the root
        named.push_back({std::move(cgroup.fd), path});
        path.resize(path.rfind('/'));
    }
    return named;
}

Result<std::vector<std::uint64_t>> cgroup_ids(const Process& process) {
    auto cgroups = TRY(cgroups_of(process));
    std::vector<std::uint64_t> ids;
    for (const NamedCgroup& cgroup : cgroups) {
        struct stat info {};
        if (::fstat(cgroup.fd.get(), &info) != 0) return system_error("stat a cgroup", errno);
        ids.push_back(info.st_ino);
    }
    return ids;
}

Result<std::optional<UniqueFd>> open_cgroup_by_id(std::uint64_t id) {
    // Looked for once: a machine with many containers has a list of mounts to match.
    static UniqueFd mount;
    if (!mount) mount = TRY(open_cgroup2_mount());
    constexpr int kKernfsHandle =
        0xfe;  // FILEID_KERNFS of include/linux/exportfs.h, Linux 5.5: the id and nothing else
    union {
        file_handle handle;
        std::byte room[sizeof(file_handle) + sizeof id];
    } named{};
    named.handle.handle_bytes = sizeof id;
    named.handle.handle_type = kKernfsHandle;
    std::memcpy(named.room + offsetof(file_handle, f_handle), &id, sizeof id);
    UniqueFd fd(
        ::open_by_handle_at(mount.get(), &named.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && means_absent(Sought::file_handle, errno)) return std::optional<UniqueFd>();
    if (!fd) return system_error(fmt::format("open the cgroup of id {}", id), errno);
    return std::optional<UniqueFd>(std::move(fd));
}

}  // namespace jail_ai
