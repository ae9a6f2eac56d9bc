// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/deadline.h"

namespace jail_ai {

Result<UniqueFd> open_runtime_file(const char* name) {
    if (::mkdir(kRuntimeDirectory, 0700) != 0 && errno != EEXIST)
        return system_error(fmt::format("make '{}'", kRuntimeDirectory), errno);
    const UniqueFd directory(
        ::open(kRuntimeDirectory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return system_error(fmt::format("open '{}'", kRuntimeDirectory), errno);
    UniqueFd fd(::openat(directory.get(), name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return system_error(fmt::format("open '{}/{}'", kRuntimeDirectory, name), errno);
    return fd;
}

Result<UniqueFd> take_lock(const char* name, bool wait) {
    auto fd = open_runtime_file(name);
    if (!fd) return fd;
    int failed = 0;
    do failed = ::flock(fd->get(), LOCK_EX | (wait ? 0 : LOCK_NB));
    while (failed != 0 && errno == EINTR && wait && !deadline_passed());
    if (failed != 0 && errno == EWOULDBLOCK)
        return Error{EX_TEMPFAIL,
                     fmt::format("'{}/{}' is held by another process", kRuntimeDirectory, name)};
    if (failed != 0)
        return system_error(fmt::format("lock '{}/{}'", kRuntimeDirectory, name), errno);
    return fd;
}

}  // namespace jail_ai
