// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// What is still to be visited is kept as paths: users nest cgroups as deep as they like, and descriptors are few.
#include "system/every_cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/quote.h"
#include "base/unique_fd.h"
#include "container/cgroup_path.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

Result<UniqueFd> open_cgroup2_mount() {
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    for (const std::string& mount : find_cgroup_mounts(mountinfo)) {
        UniqueFd fd(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        struct statfs info {};
        if (fd && ::fstatfs(fd.get(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) return fd;
    }
    return Error{EX_UNAVAILABLE, "no cgroup v2 is mounted here"};
}

bool has_gone(int number) {
    return number == ENOENT || number == ENODEV;
}

Status add_children(int cgroup_fd, const std::string& path, std::vector<std::string>& paths) {
    const int again = ::openat(cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const Directory directory(again < 0 ? nullptr : ::fdopendir(again));
    if (directory == nullptr) return has_gone(errno) ? ok() : Status(system_error("list it", errno));
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        if (entry->d_type == DT_DIR && name != "." && name != "..") paths.push_back(fmt::format("{}/{}", path == "/" ? "" : path, name));
        errno = 0;
    }
    return errno == 0 || has_gone(errno) ? ok() : Status(system_error("list it", errno));
}

Status visit(int cgroup_fd, const std::string& path, const std::function<Status(int, const std::string&)>& each, std::vector<std::string>& paths) {
    if (auto called = each(cgroup_fd, path); !called) {
        // The kernel has no answers about a cgroup that has gone.
        const bool gone = ::faccessat(cgroup_fd, "cgroup.procs", F_OK, 0) != 0 && has_gone(errno);
        return gone ? ok() : std::move(called);
    }
    return add_children(cgroup_fd, path, paths);
}

}  // namespace

Status for_each_cgroup_here(const std::function<Status(int fd, const std::string& path)>& each) {
    const auto mount = TRY(open_cgroup2_mount());
    std::vector<std::string> paths = {"/"};
    while (!paths.empty()) {
        const std::string path = std::move(paths.back());
        paths.pop_back();
        const UniqueFd fd(::openat(mount.get(), path == "/" ? "." : path.c_str() + 1, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd && (has_gone(errno) || errno == ENAMETOOLONG)) continue;
        if (!fd) return system_error(fmt::format("open cgroup {}", quote(path)), errno);
        if (auto visited = visit(fd.get(), path, each, paths); !visited)
            return std::move(visited).error().context(fmt::format("cgroup {}", quote(path)));
    }
    return ok();
}

Result<std::optional<UniqueFd>> open_cgroup_by_id(std::uint64_t id) {
    const auto mount = TRY(open_cgroup2_mount());
    constexpr int kKernfsHandle = 0xfe;  // FILEID_KERNFS of include/linux/exportfs.h, Linux 5.5: the id and nothing else
    union {
        file_handle handle;
        std::byte room[sizeof(file_handle) + sizeof id];
    } named{};
    named.handle.handle_bytes = sizeof id;
    named.handle.handle_type = kKernfsHandle;
    std::memcpy(named.room + offsetof(file_handle, f_handle), &id, sizeof id);
    UniqueFd fd(::open_by_handle_at(mount.get(), &named.handle, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd && (errno == ESTALE || has_gone(errno))) return std::optional<UniqueFd>();
    if (!fd) return system_error(fmt::format("open the cgroup of id {}", id), errno);
    return std::optional<UniqueFd>(std::move(fd));
}

}  // namespace jail_ai
