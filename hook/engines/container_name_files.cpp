// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/container_name_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/absence.h"
#include "system/file.h"
#include "system/name_files.h"

namespace jail_ai {

NameFiles name_files(const Bundle& bundle, std::string hosts, std::string resolv_conf) {
    const bool follows =
        bundle.mounted_at("/etc/resolv.conf") != nullptr && name_servers(resolv_conf).empty();
    return {std::move(hosts), std::move(resolv_conf), follows};
}

Result<std::string> read_host_lines(int fd) {
    HostLines lines;
    TRY(read_pieces(fd, [&](std::string_view piece) { return lines.take(piece); }));
    return std::move(lines).finish();
}

Result<NameFiles> read_name_files(const Process& process) {
    const UniqueFd root(::openat(process.proc_fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        return system_error(fmt::format("open the root of process {}", process.pid()), errno);
    NameFiles names;
    for (const auto& [path, text] :
         {std::pair("etc/hosts", &names.hosts), std::pair("etc/resolv.conf", &names.resolv_conf)}) {
        auto found = find_in_root(root.get(), path, [](int /*fd*/) { return ok(); });
        // The container has made what is there: its own libraries read no loop and no socket.
        if (!found && (is_absent(found) || found.error().exit_code == EX_DATAERR)) continue;
        if (!found)
            return std::move(found).error().context(fmt::format("the container's /{}", path));
        struct stat info {};
        if (::fstat(found->get(), &info) != 0)
            return system_error(fmt::format("the container's /{}", path), errno);
        if (!S_ISREG(info.st_mode)) continue;
        const auto fd =
            TRY(open_found(found->get()).context(fmt::format("the container's /{}", path)));
        *text = TRY(
            (text == &names.hosts ? read_host_lines(fd.get()) : read_all(fd.get(), kMaxResolvConf))
                .context(path));
    }
    return names;
}

}  // namespace jail_ai
