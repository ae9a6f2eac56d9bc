// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>

#include "base/deadline.h"
#include "base/quote.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxKernelFile =
    16u << 20;  // mountinfo of a machine with thousands of containers is a few MB

}  // namespace

Status read_pieces(int fd, const std::function<Status(std::string_view)>& take) {
    constexpr std::size_t size = 64U << 10;
    // Not cleared: most files are short, and a start of a container reads many.
    const auto piece = std::make_unique_for_overwrite<char[]>(size);
    while (true) {
        const ssize_t got = ::read(fd, piece.get(), size);
        if (deadline_passed()) return system_error("read", EINTR, EX_IOERR);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return lookup_error("read", errno, Sought::kernel_file, EX_IOERR);
        if (got == 0) return ok();
        TRY(take({piece.get(), static_cast<std::size_t>(got)}));
    }
}

Result<std::string> read_all(int fd, std::size_t most) {
    std::string text;
    TRY(read_pieces(fd, [&](std::string_view piece) -> Status {
        if (text.size() + piece.size() > most)
            return Error{EX_DATAERR, fmt::format("more than {} bytes", most)};
        text += piece;
        return ok();
    }));
    return text;
}

Result<std::optional<UniqueFd>> open_if_there(int dirfd, const std::string& path, int flags,
                                              Sought what) {
    UniqueFd fd(::openat(dirfd, path.c_str(), flags | O_CLOEXEC));
    if (fd) return std::optional(std::move(fd));
    if (means_absent(what, errno)) return std::optional<UniqueFd>();
    return system_error(fmt::format("open {}", quote(path)), errno);
}

Result<std::optional<struct stat>> stat_if_there(int dirfd, const std::string& path, Sought what) {
    struct stat info {};
    if (::fstatat(dirfd, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return std::optional(info);
    if (means_absent(what, errno)) return std::optional<struct stat>();
    return system_error(fmt::format("stat {}", quote(path)), errno);
}

Result<UniqueFd> open_regular_file(int dirfd, const std::string& path) {
    UniqueFd fd(::openat(dirfd, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd)
        return lookup_error(fmt::format("open {}", quote(path)), errno, Sought::file, EX_IOERR);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        return system_error(fmt::format("stat {}", quote(path)), errno);
    if (!S_ISREG(info.st_mode))
        return Error{EX_DATAERR, fmt::format("{} is not a regular file", quote(path))};
    return fd;
}

Result<UniqueFd> find_in_root(int root, std::string path,
                              const std::function<Status(int fd)>& check) {
    constexpr int kMostLinks = 40;  // MAXSYMLINKS, include/linux/namei.h
    std::vector<UniqueFd> way;      // below the root, whose ".." is itself
    int links = 0;
    while (!path.empty()) {
        const std::string name = path.substr(0, path.find('/'));
        path.erase(0, std::min(name.size() + 1, path.size()));
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            if (!way.empty()) way.pop_back();
            continue;
        }
        UniqueFd next(::openat(way.empty() ? root : way.back().get(), name.c_str(),
                               O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next) return lookup_error("open", errno, Sought::file);
        TRY(check(next.get()));
        struct statx info {};
        if (::statx(next.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &info) != 0)
            return system_error("stat", errno);
        if (!S_ISLNK(info.stx_mode)) {
            way.push_back(std::move(next));
            continue;
        }
        if (++links > kMostLinks) return system_error("open", ELOOP, EX_DATAERR);
        const auto target = TRY(read_link(next.get(), ""));
        path = target + "/" + path;
        if (target.starts_with('/')) way.clear();
    }
    if (!way.empty()) return std::move(way.back());
    UniqueFd itself(::openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!itself) return system_error("open '/'", errno);
    return itself;
}

Result<UniqueFd> open_found(int found) {
    UniqueFd fd(::open(fmt::format("/proc/self/fd/{}", found).c_str(),
                       O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) return system_error("open", errno);
    return fd;
}

Result<std::string> read_regular_file(int dirfd, const std::string& path, std::size_t most) {
    auto fd = TRY(open_regular_file(dirfd, path));
    auto text = TRY(read_all(fd.get(), most).context(quote(path)));
    return text;
}

Result<std::string> read_kernel_file(int dirfd, const char* path) {
    const UniqueFd fd(::openat(dirfd, path, O_RDONLY | O_CLOEXEC));
    if (!fd) return lookup_error(fmt::format("open {}", quote(path)), errno, Sought::kernel_file);
    auto text = TRY(read_all(fd.get(), kMaxKernelFile).context(quote(path)));
    return text;
}

Result<std::string> read_link(int dirfd, const char* name) {
    std::array<char, PATH_MAX> buffer{};
    const ssize_t length = ::readlinkat(dirfd, name, buffer.data(), buffer.size());
    if (length < 0)
        return lookup_error(fmt::format("read link {}", quote(name)), errno, Sought::kernel_file);
    if (static_cast<std::size_t>(length) == buffer.size())
        return Error{EX_OSERR, "a path is longer than the kernel's limit"};
    return std::string(buffer.data(), static_cast<std::size_t>(length));
}

Result<std::vector<std::string>> list_directory(int dirfd, const std::string& path, Entries entries,
                                                std::size_t most) {
    const std::string what = fmt::format("list directory {}", quote(path));
    const int fd = ::openat(dirfd, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return lookup_error(what, errno, Sought::file);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd), ::closedir);
    if (!directory) return system_error(what, errno);
    std::vector<std::string> names;
    while (names.size() < most) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr && errno != 0) return system_error(what, errno);
        if (entry == nullptr) break;
        const std::string_view name = entry->d_name;
        const bool meant = entries == Entries::all || entry->d_type == DT_DIR;
        if (name != "." && name != ".." && meant) names.emplace_back(name);
    }
    return names;
}

Result<std::vector<std::string>> files_in(const std::string& directory, std::string_view suffix) {
    auto names = list_directory(AT_FDCWD, directory);
    if (is_absent(names)) return std::vector<std::string>();
    if (!names) return std::move(names).error();
    std::erase_if(*names, [&](const std::string& name) { return !name.ends_with(suffix); });
    for (std::string& name : *names) name.insert(0, directory + "/");
    std::ranges::sort(*names);
    return names;
}

Result<std::string> path_of(int fd) {
    return read_link(AT_FDCWD, fmt::format("/proc/self/fd/{}", fd).c_str());
}

}  // namespace jail_ai
