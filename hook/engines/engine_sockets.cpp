// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/engine_sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/lines.h"
#include "policy/risks.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// Directory and name. The socket itself may come later.
struct SocketPlace {
    const char* directory;  // glob(7)
    std::string_view name;
};

constexpr std::array kSocketPlaces =
    std::to_array<SocketPlace>({{"/run/podman", "podman.sock"},
                                {"/run", "docker.sock"},
                                {"/run/crio", "crio.sock"},
                                {"/run/containerd", "containerd.sock"},
                                {"/run/k3s/containerd", "containerd.sock"},
                                {"/run/user/*/podman", "podman.sock"},
                                {"/run/user/*", "docker.sock"}});

// Nothing where the directory is gone.
std::optional<EngineSocket> socket_in(const std::string& directory, std::string_view name) {
    const bool is_root = directory.size() == 1;
    EngineSocket found{fmt::format("{}/{}", is_root ? "" : directory, name), std::nullopt, {}};
    struct stat info {};
    for (std::size_t end = 0; end != std::string::npos;) {
        end = directory.find('/', end + 1);
        const std::string path = end == 1 ? "/" : directory.substr(0, end);
        if (::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
        found.directories.push_back({{info.st_dev, info.st_ino}, path.substr(path.rfind('/') + 1)});
    }
    if (::lstat(found.path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode))
        found.socket = Inode{info.st_dev, info.st_ino};
    return found;
}

Status add(std::vector<EngineSocket>& all, const std::string& directory, std::string_view name) {
    const UniqueFd fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return ok();
    auto path = TRY(path_of(fd.get()));
    auto found = socket_in(path, name);
    const auto same = [&](const EngineSocket& each) { return each.path == found->path; };
    if (found && std::ranges::none_of(all, same)) all.push_back(std::move(*found));
    return ok();
}

}  // namespace

Result<std::vector<EngineSocket>> find_engine_sockets() {
    std::vector<EngineSocket> all;
    for (const SocketPlace& place : kSocketPlaces) {
        glob_t matches{};
        const std::unique_ptr<glob_t, void (*)(glob_t*)> guard(&matches, ::globfree);
        if (::glob(place.directory, GLOB_NOSORT, nullptr, &matches) != 0) continue;
        for (std::size_t i = 0; i < matches.gl_pathc; ++i)
            TRY(add(all, matches.gl_pathv[i], place.name));
    }
    // Wherever else one listens: the path that it was bound to is the last field, proc(5).
    auto self = TRY(open_proc_self());
    const auto sockets = TRY(read_kernel_file(self.get(), "net/unix"));
    for (std::string_view text = sockets; !text.empty();) {
        const std::string_view line = next_line(text);
        const std::size_t path = line.find(" /");
        if (path == std::string_view::npos || !is_engine_socket(line)) continue;
        const std::string_view bound = line.substr(path + 1);
        const std::string directory(bound.substr(0, std::max<std::size_t>(bound.rfind('/'), 1)));
        TRY(add(all, directory, bound.substr(bound.rfind('/') + 1)));
    }
    return all;
}

}  // namespace jail_ai
