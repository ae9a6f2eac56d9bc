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

LockFile::Held::~Held() {
    if (file_ != nullptr) ::flock(file_->fd_.get(), LOCK_UN);
}

Result<LockFile> LockFile::open(const char* name) {
    auto fd = TRY(open_runtime_file(name));
    return LockFile(name, std::move(fd));
}

Result<LockFile::Held> LockFile::wait() const {
    while (::flock(fd_.get(), LOCK_EX) != 0) {
        if (errno == EINTR && !deadline_passed()) continue;
        return system_error(fmt::format("lock '{}/{}'", kRuntimeDirectory, name_), errno);
    }
    return Held(*this);
}

}  // namespace jail_ai
