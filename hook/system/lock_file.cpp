// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See lock_file.h.
#include "system/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "base/quoted.h"

namespace jail_ai {

Result<UniqueFd> take_lock(const std::string& path, bool wait) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return system_error(fmt::format("open {}", quoted(path)), errno, EX_CANTCREAT);
    int failed = 0;
    do failed = ::flock(fd.get(), LOCK_EX | (wait ? 0 : LOCK_NB));
    while (failed != 0 && errno == EINTR && wait);
    if (failed != 0 && errno == EWOULDBLOCK) return Error{EX_TEMPFAIL, fmt::format("{} is held by another process", quoted(path))};
    if (failed != 0) return system_error(fmt::format("lock {}", quoted(path)), errno);
    return fd;
}

}  // namespace jail_ai
