// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// See file.h.
#include "system/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "base/deadline.h"
#include "base/quote.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMaxKernelFile = 16u << 20;  // mountinfo of a machine with thousands of containers is a few MB

}  // namespace

Result<std::string> read_all(int fd, std::size_t most) {
    std::string text;
    constexpr std::size_t kChunk = 64u << 10;
    while (true) {
        const std::size_t had = text.size();
        text.resize(had + kChunk);
        ssize_t got = 0;
        do got = ::read(fd, text.data() + had, kChunk);
        while (got < 0 && errno == EINTR && !deadline_passed());
        if (got < 0) return system_error("read", errno, EX_IOERR);
        text.resize(had + static_cast<std::size_t>(got));
        if (text.size() > most) return Error{EX_DATAERR, fmt::format("more than {} bytes", most)};
        if (got == 0) return text;
    }
}

Result<std::string> read_regular_file(int dirfd, const std::string& path, std::size_t most) {
    const UniqueFd fd(::openat(dirfd, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return system_error(fmt::format("open {}", quote(path)), errno, errno == ENOENT || errno == ENOTDIR ? EX_NOINPUT : EX_IOERR);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return system_error(fmt::format("stat {}", quote(path)), errno);
    if (!S_ISREG(info.st_mode)) return Error{EX_DATAERR, fmt::format("{} is not a regular file", quote(path))};
    auto text = read_all(fd.get(), most);
    if (!text) return std::move(text).error().context(quote(path));
    return text;
}

Result<std::string> read_kernel_file(int dirfd, const char* path) {
    const UniqueFd fd(::openat(dirfd, path, O_RDONLY | O_CLOEXEC));
    if (!fd) return system_error(fmt::format("open {}", quote(path)), errno);
    auto text = read_all(fd.get(), kMaxKernelFile);
    if (!text) return std::move(text).error().context(quote(path));
    return text;
}

Result<std::string> path_of(int fd) {
    std::array<char, PATH_MAX> buffer{};
    const ssize_t length = ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), buffer.data(), buffer.size());
    if (length < 0) return system_error("read link in /proc/self/fd", errno);
    if (static_cast<std::size_t>(length) == buffer.size()) return Error{EX_OSERR, "a path is longer than the kernel's limit"};
    return std::string(buffer.data(), static_cast<std::size_t>(length));
}

}  // namespace jail_ai
