// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/owned_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/absence.h"
#include "base/quote.h"
#include "container/mountinfo.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// EX_OSERR if it isn't about the file: a sandbox, or a kernel before 5.6, has no openat2(2).
int exit_code_of(int number) {
    if (number == ENOSYS || number == EPERM) return EX_OSERR;
    return means_absent(Sought::file, number) || number == ESTALE ? EX_NOINPUT : EX_DATAERR;
}

// Without a question to the file system, which another may have to answer (AT_STATX_DONT_SYNC).
Result<struct statx> known_of(int fd, unsigned mask) {
    struct statx info {};
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, &info) != 0)
        return system_error("stat", errno);
    return info;
}

// To look at, not to read: O_PATH asks nothing of the file itself.
Result<UniqueFd> find(int dirfd, const std::string& path, std::uint64_t resolve, uid_t owner,
                      mode_t kind) {
    struct open_how how {};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = resolve;
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, dirfd, path.c_str(), &how, sizeof how)));
    if (!fd) return system_error(fmt::format("open {}", quote(path)), errno, exit_code_of(errno));
    const auto info = TRY(known_of(fd.get(), STATX_BASIC_STATS).context(quote(path)));
    if ((info.stx_mode & S_IFMT) != kind)
        return Error{EX_DATAERR, fmt::format("{} is not a {}", quote(path),
                                             kind == S_IFDIR ? "directory" : "regular file")};
    if (info.stx_uid != owner)
        return Error{EX_DATAERR,
                     fmt::format("{} belongs to uid {}, not {}", quote(path), info.stx_uid, owner)};
    if (kind == S_IFREG && info.stx_nlink > 1)
        return Error{EX_DATAERR,
                     fmt::format("{} has {} names (hard links)", quote(path), info.stx_nlink)};
    return fd;
}

}  // namespace

Result<UniqueFd> open_owned_directory(int dirfd, const std::string& path, std::uint64_t resolve,
                                      uid_t owner) {
    return find(dirfd, path, resolve, owner, S_IFDIR);
}

Status check_file_system(int fd, int above, std::string_view type) {
    const auto mount = TRY(known_of(fd, STATX_MNT_ID));
    const auto mount_above = TRY(known_of(above, STATX_MNT_ID));
    if (mount.stx_mnt_id == mount_above.stx_mnt_id) return ok();
    const auto self = TRY(open_proc_self());
    const auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    for (const MountEntry& each : parse_mountinfo(mountinfo))
        if (static_cast<std::uint64_t>(each.id) == mount.stx_mnt_id && each.type != type)
            return Error{EX_DATAERR,
                         fmt::format("a file system of type {} is mounted there, not {}",
                                     quote(each.type), type)};
    return ok();
}

Result<std::string> read_owned_file(int dirfd, const std::string& path, std::uint64_t resolve,
                                    uid_t owner, std::size_t most) {
    const auto found = TRY(find(dirfd, path, resolve, owner, S_IFREG));
    const UniqueFd fd(::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(),
                             O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) return system_error(fmt::format("open {}", quote(path)), errno);
    auto text = TRY(read_all(fd.get(), most).context(quote(path)));
    return text;
}

}  // namespace jail_ai
