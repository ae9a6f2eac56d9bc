// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/machine_settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

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

}  // namespace

Result<Defaults> read_machine_settings() {
    auto fd = open_if_there(AT_FDCWD, kSettingsFile, O_RDONLY | O_NONBLOCK | O_NOCTTY);
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
