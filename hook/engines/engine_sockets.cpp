// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/engine_sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/absence.h"
#include "base/lines.h"
#include "policy/risks.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// Directory and name. The socket itself may come later.
struct SocketPlace {
    std::string_view directory;
    std::string_view name;
};

constexpr std::array kSocketPlaces =
    std::to_array<SocketPlace>({{"/run/podman", "podman.sock"},
                                {"/run", "docker.sock"},
                                {"/run/crio", "crio.sock"},
                                {"/run/containerd", "containerd.sock"},
                                {"/run/k3s/containerd", "containerd.sock"}});

// Below each user's own directory.
constexpr const char* kUsersDirectories = "/run/user";
constexpr std::array kUsersSocketPlaces =
    std::to_array<SocketPlace>({{"/podman", "podman.sock"}, {"", "docker.sock"}});

// What systemd mounts over a socket that a unit must not reach (InaccessiblePaths=). No process is
// bound to it.
constexpr const char* kInaccessibleSocket = "/run/systemd/inaccessible/sock";

// Nothing if the directory is gone.
Result<std::optional<EngineSocket>> socket_in(const std::string& directory, std::string_view name) {
    const bool is_root = directory.size() == 1;
    EngineSocket found{fmt::format("{}/{}", is_root ? "" : directory, name), std::nullopt, {}};
    for (std::size_t end = 0; end != std::string::npos;) {
        end = directory.find('/', end + 1);
        const std::string path = end == 1 ? "/" : directory.substr(0, end);
        const auto info = TRY(stat_if_there(AT_FDCWD, path, Sought::reachable_file));
        if (!info || !S_ISDIR(info->st_mode)) return std::optional<EngineSocket>();
        found.directories.push_back(
            {{info->st_dev, info->st_ino}, path.substr(path.rfind('/') + 1)});
    }
    const auto info = TRY(stat_if_there(AT_FDCWD, found.path, Sought::reachable_file));
    if (info && S_ISSOCK(info->st_mode)) found.socket = Inode{info->st_dev, info->st_ino};
    return std::optional(std::move(found));
}

enum class Place {
    of_root,    // an engine's socket is or will be there
    of_user,    // likewise, but a link there leads to what another user than its owner may mount
    by_socket,  // only if the socket is there: the path is what a process once bound it to
};

Status add(std::vector<EngineSocket>& all, const std::string& directory, std::string_view name,
           Place place) {
    const int follow = place == Place::of_user ? O_NOFOLLOW : 0;
    const auto fd = TRY(
        open_if_there(AT_FDCWD, directory, O_PATH | O_DIRECTORY | follow, Sought::reachable_file));
    if (!fd) return ok();
    auto path = TRY(path_of(fd->get()));
    auto found = TRY(socket_in(path, name));
    if (found && place == Place::by_socket && !found->socket) return ok();
    const auto same = [&](const EngineSocket& each) { return each.path == found->path; };
    if (found && std::ranges::none_of(all, same)) all.push_back(std::move(*found));
    return ok();
}

}  // namespace

Result<std::optional<std::string_view>> engine_socket_below(int directory) {
    // One of BPF's holds no sockets, and answers EPERM for a name with a dot (bpf_lookup() in
    // kernel/bpf/inode.c).
    struct statfs file_system {};
    if (::fstatfs(directory, &file_system) != 0)
        return system_error("look at a directory's file system", errno);
    if (file_system.f_type == BPF_FS_MAGIC) return std::optional<std::string_view>();
    const auto covered = TRY(stat_if_there(AT_FDCWD, kInaccessibleSocket, Sought::reachable_file));
    for (const std::string_view name : kEngineSocketNames) {
        const auto info = TRY(stat_if_there(directory, std::string(name), Sought::reachable_file));
        if (!info || !S_ISSOCK(info->st_mode)) continue;
        if (covered && info->st_dev == covered->st_dev && info->st_ino == covered->st_ino) continue;
        return std::optional(name);
    }
    return std::optional<std::string_view>();
}

Result<std::vector<EngineSocket>> find_engine_sockets() {
    std::vector<EngineSocket> all;
    for (const auto& [directory, name] : kSocketPlaces)
        TRY(add(all, std::string(directory), name, Place::of_root));
    const auto users = TRY(files_in(kUsersDirectories, ""));
    for (const std::string& user : users)
        for (const auto& [directory, name] : kUsersSocketPlaces)
            TRY(add(all, user + std::string(directory), name, Place::of_user));
    // Wherever else one listens: the path that it was bound to is the last field, proc(5).
    auto self = TRY(open_proc_self());
    const auto sockets = TRY(read_kernel_file(self.get(), "net/unix"));
    for (std::string_view text = sockets; !text.empty();) {
        const std::string_view line = next_line(text);
        const std::size_t path = line.find(" /");
        if (path == std::string_view::npos || !is_engine_socket(line)) continue;
        const std::string_view bound = line.substr(path + 1);
        const std::string directory(bound.substr(0, std::max<std::size_t>(bound.rfind('/'), 1)));
        TRY(add(all, directory, bound.substr(bound.rfind('/') + 1), Place::by_socket));
    }
    return all;
}

}  // namespace jail_ai
