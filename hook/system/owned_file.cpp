// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/owned_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/absence.h"
#include "base/quote.h"
#include "container/mountinfo.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

int exit_code_of(int number) {
    return means_absent(Sought::file, number) || number == ESTALE ? EX_NOINPUT : EX_DATAERR;
}

// Without a question to the file system, which another may have to answer (AT_STATX_DONT_SYNC).
Result<struct statx> known_of(int fd, unsigned mask) {
    struct statx info {};
    if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, &info) != 0)
        return system_error("stat", errno);
    return info;
}

Status check_owned(int fd, const std::string& path, uid_t owner, mode_t kind) {
    const auto info = TRY(known_of(fd, STATX_BASIC_STATS).context(quote(path)));
    if ((info.stx_mode & S_IFMT) != kind)
        return Error{EX_DATAERR, fmt::format("{} is not a {}", quote(path),
                                             kind == S_IFDIR ? "directory" : "regular file")};
    if (info.stx_uid != owner)
        return Error{EX_DATAERR,
                     fmt::format("{} belongs to uid {}, not {}", quote(path), info.stx_uid, owner)};
    if (kind == S_IFREG && info.stx_nlink > 1)
        return Error{EX_DATAERR,
                     fmt::format("{} has {} names (hard links)", quote(path), info.stx_nlink)};
    return ok();
}

// The type of the file system that it is on.
class FileSystems {
public:
    static Result<FileSystems> read() {
        const auto self = TRY(open_proc_self());
        const auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
        FileSystems all;
        for (MountEntry& each : parse_mountinfo(mountinfo))
            all.types_.emplace(static_cast<std::uint64_t>(each.id), std::move(each.type));
        return all;
    }

    // Empty for one that was mounted since.
    Result<std::string> type_of(int fd) const {
        const auto info = TRY(known_of(fd, STATX_MNT_ID));
        const auto found = types_.find(info.stx_mnt_id);
        return found == types_.end() ? std::string() : found->second;
    }

private:
    std::map<std::uint64_t, std::string> types_;
};

// Neither what a process serves (FUSE), which may answer when it likes, nor procfs, whose links
// lead into other processes.
Status check_asks_no_process(const FileSystems& file_systems, int fd) {
    const auto type = TRY(file_systems.type_of(fd));
    if (!type.empty() && type != "proc" && !type.starts_with("fuse")) return ok();
    return Error{EX_DATAERR, fmt::format("a file system of type {} is on the way", quote(type))};
}

// So that each name is looked up only where that asks no process.
Result<UniqueFd> find_through_links(const std::string& path) {
    const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_error("open '/'", errno);
    const auto file_systems = TRY(FileSystems::read());
    auto found = find_in_root(root.get(), path,
                              [&](int fd) { return check_asks_no_process(file_systems, fd); });
    if (!found && !is_absent(found)) return Error{EX_DATAERR, std::move(found).error().message};
    return found;
}

Result<std::string> read_found(const UniqueFd& found, const std::string& path, std::size_t most) {
    const auto fd = TRY(open_found(found.get()).context(quote(path)));
    auto text = TRY(read_all(fd.get(), most).context(quote(path)));
    return text;
}

// To look at, not to read: O_PATH asks nothing of the file itself. Name by name: what openat2(2)
// does in one call, whose flags a system call filter doesn't see.
Result<UniqueFd> find(int dirfd, const std::string& path, Crossing crossing, uid_t owner,
                      mode_t kind) {
    const auto above = TRY(known_of(dirfd, STATX_MNT_ID));
    UniqueFd fd;
    for (std::string_view rest = path; !rest.empty();) {
        const std::string name(rest.substr(0, rest.find('/')));
        rest.remove_prefix(std::min(name.size() + 1, rest.size()));
        if (name.empty() || name == "." || name == "..")
            return Error{EX_DATAERR, fmt::format("{} does not lead below", quote(path))};
        fd = UniqueFd(
            ::openat(fd ? fd.get() : dirfd, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!fd)
            return system_error(fmt::format("open {}", quote(path)), errno, exit_code_of(errno));
        const auto info = TRY(known_of(fd.get(), STATX_TYPE | STATX_MNT_ID));
        if (crossing == Crossing::none && info.stx_mnt_id != above.stx_mnt_id)
            return Error{EX_DATAERR, fmt::format("{} is in another mount", quote(path))};
        if (!rest.empty() && S_ISLNK(info.stx_mode))
            return Error{EX_DATAERR, fmt::format("{} leads through a link", quote(path))};
    }
    TRY(check_owned(fd.get(), path, owner, kind));
    return fd;
}

}  // namespace

Result<UniqueFd> open_owned_directory(int dirfd, const std::string& path, Crossing crossing,
                                      uid_t owner) {
    return find(dirfd, path, crossing, owner, S_IFDIR);
}

Status check_file_system(int fd, int above, std::string_view type) {
    const auto mount = TRY(known_of(fd, STATX_MNT_ID));
    const auto mount_above = TRY(known_of(above, STATX_MNT_ID));
    if (mount.stx_mnt_id == mount_above.stx_mnt_id) return ok();
    const auto file_systems = TRY(FileSystems::read());
    const auto its = TRY(file_systems.type_of(fd));
    if (its == type) return ok();
    return Error{EX_DATAERR, fmt::format("a file system of type {} is mounted there, not {}",
                                         quote(its), type)};
}

Result<std::string> read_owned_file(int dirfd, const std::string& path, Crossing crossing,
                                    uid_t owner, std::size_t most) {
    const auto found = TRY(find(dirfd, path, crossing, owner, S_IFREG));
    return read_found(found, path, most);
}

Result<std::string> read_owned_file_through_links(const std::string& path, uid_t owner,
                                                  std::size_t most) {
    const auto found = TRY(find_through_links(path).context(quote(path)));
    TRY(check_owned(found.get(), path, owner, S_IFREG));
    return read_found(found, path, most);
}

}  // namespace jail_ai
