// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "facts/mounted.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/absence.h"
#include "base/lines.h"
#include "base/quote.h"
#include "container/mountinfo.h"
#include "engines/engine_sockets.h"
#include "system/file.h"

namespace jail_ai {
namespace {

constexpr int kAttempts = 8;

Result<std::vector<MountEntry>> mounts_of(int proc_fd) {
    auto text = TRY(read_kernel_file(proc_fd, "mountinfo"));
    return parse_mountinfo(text);
}

Result<std::vector<MountEntry>> mounts_of_caller() {
    auto self = TRY(open_proc_self());
    return mounts_of(self.get());
}

// What the container will see, and what a runtime has mounted beside it. `host` are the caller's
// mounts, read before.
Result<std::vector<MountEntry>> mounts_within(const Process& process, const std::string& root,
                                              const std::vector<MountEntry>& host) {
    auto all = TRY(mounts_of(process.proc_fd()));
    auto within = visible_mounts(all, root);
    if (within.empty())
        return Error{
            EX_CONFIG,
            fmt::format(
                "nothing is mounted at the container's root {}: what it will see is not known",
                quote(root))};
    if (root == "/") return within;
    for (MountEntry& added : added_mounts(all, host)) {
        const bool is_known = std::ranges::any_of(
            within, [&](const MountEntry& mount) { return mount.id == added.id; });
        const bool is_covered = is_at_or_below(added.mount_point, root);
        if (!is_known && !is_covered) within.push_back(std::move(added));
    }
    return within;
}

Inode inode_of(const struct statx& info) {
    return {makedev(info.stx_dev_major, info.stx_dev_minor), info.stx_ino};
}

// The directory, socket … that the mount shows; EX_TEMPFAIL if its path leads into another.
struct OpenedMount {
    UniqueFd fd;
    mode_t mode;
    Inode inode;
};

Result<OpenedMount> open_mount(const Process& process, const MountEntry& mount) {
    const std::string path = mount.mount_point == "/" ? "root/." : "root" + mount.mount_point;
    UniqueFd fd(::openat(process.proc_fd(), path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    const std::string what = fmt::format("look at mount {}", quote(mount.mount_point));
    if (!fd)
        return system_error(
            what, errno,
            means_absent(Sought::file, errno) || errno == ELOOP ? EX_TEMPFAIL : EX_OSERR);
    struct statx info {};
    if (::statx(fd.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                STATX_MNT_ID | STATX_TYPE | STATX_INO, &info) != 0)
        return system_error(what, errno);
    if ((info.stx_mask & STATX_MNT_ID) == 0)
        return Error{EX_UNAVAILABLE, "statx(2) gives no mount id (Linux 5.8)"};
    if (info.stx_mnt_id != static_cast<std::uint64_t>(mount.id))
        return Error{EX_TEMPFAIL, what + ": another is there"};
    return OpenedMount{std::move(fd), static_cast<mode_t>(info.stx_mode), inode_of(info)};
}

using Directories = std::vector<EngineSocket::Directory>;

// From a directory by names, none of them a link; nothing if that leads nowhere.
Result<std::optional<UniqueFd>> open_below(int fd, Directories::const_iterator from,
                                           Directories::const_iterator to) {
    constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
    auto at = TRY(open_if_there(fd, ".", kFlags, Sought::reachable_file));
    for (; at && from != to; ++from)
        at = TRY(open_if_there(at->get(), from->name, kFlags, Sought::reachable_file));
    return at;
}

Result<Inode> inode_of(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return system_error("stat a directory of an engine's", errno);
    return Inode{info.st_dev, info.st_ino};
}

// Is the first process of that procfs in the PID namespace of this one? In another's it is another,
// or can't be seen. Where that isn't known it is not.
bool is_procfs_of(const Process& process, const OpenedMount& opened) {
    struct stat its {};
    struct stat ours {};
    return ::fstatat(opened.fd.get(), "1/ns/pid", &its, 0) == 0 &&
           ::fstatat(process.proc_fd(), "ns/pid", &ours, 0) == 0 && its.st_dev == ours.st_dev &&
           its.st_ino == ours.st_ino;
}

// In all hierarchies, v1 and v2, without those whose root the process is in.
Result<std::vector<std::string>> cgroups_of(const Process& process) {
    auto text = TRY(read_kernel_file(process.proc_fd(), "cgroup"));
    std::vector<std::string> paths;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = next_line(rest);
        const std::size_t colon = line.find(':', line.find(':') + 1);
        if (colon != std::string_view::npos && line.substr(colon + 1) != "/")
            paths.emplace_back(line.substr(colon + 1));
    }
    return paths;
}

// One look at everything.
class Look {
public:
    Look(const Process& process, const Bundle& bundle, const std::string& root,
         const std::vector<EngineSocket>& sockets, Sockets expected)
        : process_(process), bundle_(bundle), root_(root), sockets_(sockets), expected_(expected) {}

    Result<std::vector<SeenMount>> run() {
        auto host = TRY(mounts_of_caller());
        auto cgroups = TRY(cgroups_of(process_));
        auto mounts = TRY(mounts_within(process_, root_, host));
        std::vector<SeenMount> seen;
        for (const MountEntry& mount : mounts) {
            auto opened = TRY(open_mount(process_, mount));
            const std::string source = path_of_part(host, mount.device, mount.root);
            auto socket =
                TRY(engine_socket_in(opened, source)
                        .context(fmt::format("look at mount {}", quote(mount.mount_point))));
            SeenMount one{inside(mount), source, std::move(socket), false,
                          shows_cgroups(mount, cgroups)};
            if (std::ranges::find(seen, one.engine_socket, &SeenMount::engine_socket) != seen.end())
                one.engine_socket.clear();  // mounted below it
            if (mount.type == "proc")
                one.shows_processes = !is_container_procfs(opened, mounts, mount);
            if (!one.engine_socket.empty() || one.shows_processes || one.shows_cgroups)
                seen.push_back(std::move(one));
        }
        auto again = TRY(mounts_within(process_, root_, host));
        if (again != mounts) return Error{EX_TEMPFAIL, "the container's mounts change"};
        return seen;
    }

private:
    // Does the mount show the directory that the socket is in, or will be? Of a process that lives
    // with what is there now: the socket itself.
    Result<bool> shows_place(const OpenedMount& opened, const EngineSocket& socket) const {
        const auto& directories = socket.directories;
        const auto here =
            std::ranges::find(directories, opened.inode, &EngineSocket::Directory::inode);
        if (here == directories.end()) return false;
        const auto directory = TRY(open_below(opened.fd.get(), here + 1, directories.end()));
        if (!directory) return false;
        const auto inode = TRY(inode_of(directory->get()));
        if (inode != directories.back().inode) return false;
        if (expected_ == Sockets::any) return true;
        const std::string name = socket.path.substr(socket.path.rfind('/') + 1);
        const auto info = TRY(stat_if_there(directory->get(), name, Sought::reachable_file));
        return info && socket.socket == Inode{info->st_dev, info->st_ino};
    }

    // The path on the host of an engine's socket that is the mount or below it; else empty.
    Result<std::string> engine_socket_in(const OpenedMount& opened,
                                         const std::string& source) const {
        for (const EngineSocket& socket : sockets_) {
            if (S_ISSOCK(opened.mode) && socket.socket == opened.inode) return socket.path;
            if (S_ISDIR(opened.mode) && TRY(shows_place(opened, socket))) return socket.path;
        }
        if (S_ISSOCK(opened.mode) && is_engine_socket(source)) return source;
        if (!S_ISDIR(opened.mode)) return std::string();
        const auto name = TRY(engine_socket_below(opened.fd.get()));
        return name ? fmt::format("{}/{}", source == "/" ? "" : source, *name) : std::string();
    }

    // The mount's place in the container.
    std::string inside(const MountEntry& mount) const {
        if (root_ == "/" || !is_at_or_below(mount.mount_point, root_)) return mount.mount_point;
        return mount.mount_point == root_ ? "/" : mount.mount_point.substr(root_.size());
    }

    // Only the whole of a procfs says whose it is; a part is checked by it if the container has
    // both.
    bool is_container_procfs(const OpenedMount& opened, const std::vector<MountEntry>& mounts,
                             const MountEntry& mount) const {
        if (mount.root == "/") return is_procfs_of(process_, opened);
        return std::ranges::any_of(mounts, [&](const MountEntry& other) {
            if (other.type != "proc" || other.root != "/" || other.device != mount.device)
                return false;
            const auto whole = open_mount(process_, other);
            return whole && is_procfs_of(process_, *whole);
        });
    }

    // crun makes mounts read-only once its hooks have run: until then only config.json says so.
    bool will_be_read_only(const std::string& destination) const {
        const auto is_there = [&](const Mount& mount) {
            return plain_path(mount.destination) == destination;
        };
        return std::ranges::count_if(bundle_.mounts, is_there) == 1 &&
               std::ranges::find_if(bundle_.mounts, is_there)->is_read_only();
    }

    // One that config.json has a runtime make of several hierarchies; policy/risks.cpp checks it by
    // the cgroup namespace.
    bool is_part_of_v1(const MountEntry& mount) const {
        const std::string destination = inside(mount);
        const Mount* nearest = nullptr;
        for (const Mount& each : bundle_.mounts)
            if (is_at_or_below(destination, plain_path(each.destination)) &&
                (nearest == nullptr ||
                 plain_path(each.destination).size() >= plain_path(nearest->destination).size()))
                nearest = &each;
        return mount.type == "cgroup" && nearest != nullptr &&
               (nearest->type == "cgroup" || nearest->type == "cgroup2") && !nearest->is_bind();
    }

    bool shows_cgroups(const MountEntry& mount, const std::vector<std::string>& cgroups) const {
        if ((mount.type != "cgroup" && mount.type != "cgroup2") || mount.read_only ||
            will_be_read_only(inside(mount)))
            return false;
        if (is_part_of_v1(mount)) return false;
        return std::ranges::none_of(
            cgroups, [&](const std::string& own) { return is_at_or_below(mount.root, own); });
    }

    const Process& process_;
    const Bundle& bundle_;
    const std::string& root_;
    const std::vector<EngineSocket>& sockets_;
    Sockets expected_;
};

}  // namespace

Result<bool> has_mounts_of_its_own(const Process& process, const std::string& root) {
    auto before = TRY(mounts_of_caller());
    auto all = TRY(mounts_of(process.proc_fd()));
    return !visible_mounts(all, root).empty() || !added_mounts(all, before).empty();
}

Result<std::vector<SeenMount>> read_mounted(const Process& process, const Bundle& bundle,
                                            const std::string& root, Sockets expected) {
    auto sockets = TRY(find_engine_sockets());
    for (int attempt = 1;; ++attempt) {
        auto seen = Look(process, bundle, root, sockets, expected).run();
        if (seen || seen.error().exit_code != EX_TEMPFAIL) return seen;
        if (attempt == kAttempts)
            return std::move(seen).error().context(
                "the container's mounts don't keep still: start it again");
    }
}

}  // namespace jail_ai
