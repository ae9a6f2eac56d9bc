// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/quote.h"
#include "base/unique_fd.h"

namespace jail_ai {
namespace {

Status write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_error("write", errno, EX_IOERR);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return ok();
}

Status fill(int fd, std::string_view text, int like) {
    struct stat old {};
    struct stat made {};
    if (::fstat(like, &old) != 0 || ::fstat(fd, &made) != 0)
        return system_error("stat", errno, EX_IOERR);
    if ((old.st_uid != made.st_uid || old.st_gid != made.st_gid) &&
        ::fchown(fd, old.st_uid, old.st_gid) != 0)
        return system_error("change the owner", errno, EX_IOERR);
    if (::fchmod(fd, old.st_mode & 07777) != 0)
        return system_error("change the mode", errno, EX_IOERR);
    return write_all(fd, text);
}

}  // namespace

Status replace_file(int directory, const std::string& name, std::string_view text, int like) {
    const std::string beside = fmt::format(".{}.jail-ai-hook", name);
    ::unlinkat(directory, beside.c_str(), 0);  // of one that was killed
    const UniqueFd fd(
        ::openat(directory, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) return system_error(fmt::format("make {}", quote(beside)), errno, EX_IOERR);
    Status replaced = fill(fd.get(), text, like).context(quote(beside));
    if (replaced && ::renameat(directory, beside.c_str(), directory, name.c_str()) != 0)
        replaced = system_error(fmt::format("replace {}", quote(name)), errno, EX_IOERR);
    if (!replaced) ::unlinkat(directory, beside.c_str(), 0);
    return replaced;
}

}  // namespace jail_ai
