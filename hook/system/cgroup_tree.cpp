// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// The way up is by "..", from a directory that is open: no path, and cgroup2 knows no rename(2).
#include "system/cgroup_tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <string_view>

#include "system/file.h"

namespace jail_ai {
namespace {

constexpr int kMaxDepth = 64;

bool is_cgroup(int fd) {
    struct statfs info {};
    return ::fstatfs(fd, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

Result<UniqueFd> open_directory(int dirfd, const char* name) {
    UniqueFd fd(::openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return system_error("open a cgroup", errno);
    return fd;
}

// Calls it with each directory from the cgroup upwards.
template <typename Each>
Status for_each_above(int cgroup_fd, Each&& each) {
    auto directory = TRY(open_directory(cgroup_fd, "."));
    ino_t last = 0;
    for (int depth = 0; depth < kMaxDepth && is_cgroup(directory.get()); ++depth) {
        struct stat info {};
        if (::fstat(directory.get(), &info) != 0) return system_error("stat a cgroup", errno);
        if (info.st_ino == last) return ok();  // the root of a file system that is mounted nowhere, or everywhere
        last = info.st_ino;
        auto above = TRY(open_directory(directory.get(), ".."));
        each(info.st_uid, std::move(directory));
        directory = std::move(above);
    }
    return ok();
}

Status walk(int cgroup_fd, int depth, int& visited, const std::function<Status(int)>& each) {
    if (depth > kMaxDepth || ++visited > kMaxWalkedCgroups)
        return Error{EX_UNAVAILABLE, fmt::format("more than {} cgroups, or nested deeper than {} levels", kMaxWalkedCgroups, kMaxDepth)};
    TRY(each(cgroup_fd));
    auto again = TRY(open_directory(cgroup_fd, "."));
    const Directory directory(::fdopendir(again.release()));
    if (!directory) return system_error("list a cgroup", errno);
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_type != DT_DIR || std::string_view(entry->d_name) == "." || std::string_view(entry->d_name) == "..") continue;
        const UniqueFd child(::openat(cgroup_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!child && (errno == ENOENT || errno == ENODEV)) continue;
        if (!child) return system_error("open a cgroup", errno);
        TRY(walk(child.get(), depth + 1, visited, each));
    }
    return ok();
}

}  // namespace

Result<std::vector<uid_t>> cgroup_owners(int cgroup_fd) {
    std::vector<uid_t> owners;
    TRY(for_each_above(cgroup_fd, [&](uid_t owner, UniqueFd) { owners.push_back(owner); }));
    return owners;
}

Result<UniqueFd> topmost_of(int cgroup_fd, uid_t owner) {
    UniqueFd topmost;
    TRY(for_each_above(cgroup_fd, [&](uid_t its_owner, UniqueFd directory) {
        if (its_owner == owner) topmost = std::move(directory);
    }));
    if (!topmost) return Error{EX_NOPERM, fmt::format("no cgroup here belongs to uid {}", owner)};
    return topmost;
}

Status for_each_cgroup(int cgroup_fd, const std::function<Status(int fd)>& each) {
    int visited = 0;
    return walk(cgroup_fd, 0, visited, each);
}

}  // namespace jail_ai
