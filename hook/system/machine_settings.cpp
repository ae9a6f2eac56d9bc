// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/machine_settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>
#include <string>

#include "container/settings_file.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// In a user namespace that doesn't map it, root is shown as this one (user_namespaces(7),
// /proc/sys/kernel/overflowuid).
constexpr uid_t kUnmappedUser = 65534;

Result<bool> only_root_writes(const struct stat& info) {
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return false;
    if (info.st_uid == 0) return true;
    return info.st_uid == kUnmappedUser && !TRY(in_initial_user_namespace());
}

Result<Defaults> read_settings(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return system_error("stat", errno);
    if (!S_ISREG(info.st_mode)) return Error{EX_CONFIG, "not a regular file: remove it"};
    if (!TRY(only_root_writes(info)))
        return Error{EX_CONFIG, fmt::format("another user than root can write it: chown root {0}; "
                                            "chmod 644 {0}",
                                            kSettingsFile)};
    auto text = TRY(read_all(fd, kMaxSettingsBytes));
    return parse_settings_file(text);
}

// rootlesskit, in which users have Docker run, shows them /etc as it was when it started: links in
// a file system of its own to what it has in a directory there, the machine's /etc as it is now.
Result<std::optional<UniqueFd>> open_settings() {
    constexpr int kRead = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    const std::string path = kSettingsFile;
    auto fd = open_if_there(AT_FDCWD, path, kRead);
    if (!fd || *fd || TRY(in_initial_user_namespace())) return fd;
    const std::size_t slash = path.rfind('/');
    const std::string directory = path.substr(0, slash);
    for (const std::string& name : TRY(list_directory(AT_FDCWD, directory))) {
        if (!name.starts_with(".ro")) continue;
        auto copied = open_if_there(
            AT_FDCWD, fmt::format("{}/{}{}", directory, name, path.substr(slash)), kRead);
        if (!copied || *copied) return copied;
    }
    return std::optional<UniqueFd>();
}

}  // namespace

Result<Defaults> read_machine_settings() {
    auto fd = open_settings();
    if (!fd) {
        Error error = std::move(fd).error();
        if (error.exit_code == EX_NOPERM)
            error.message += fmt::format(": chmod 644 {}", kSettingsFile);
        return error;
    }
    if (!*fd) return Defaults{};
    auto defaults = read_settings((*fd)->get());
    if (!defaults) return std::move(defaults).error().context(kSettingsFile);
    return defaults;
}

}  // namespace jail_ai
