// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <stdexcept>

#include "base/unique_fd.h"
#include "must.h"

namespace jail_ai::test {
namespace {

static_assert(AT_FDCWD == -100, "the default of write_file");

void write_whole(int fd, std::string_view text, const std::string& path) {
    const ssize_t written = must(::write(fd, text.data(), text.size()), "write " + path);
    if (static_cast<std::size_t>(written) != text.size())
        throw std::runtime_error("write " + path + ": cut short");
}

}  // namespace

std::string read_file(const std::string& path) {
    const UniqueFd fd(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open " + path));
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t got = must(::read(fd.get(), buffer, sizeof buffer), "read " + path);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
    }
}

void write_file(const std::string& path, std::string_view text, int dir_fd) {
    const UniqueFd fd(must(::openat(dir_fd, path.c_str(), O_WRONLY | O_CLOEXEC), "open " + path));
    write_whole(fd.get(), text, path);
}

void create_file(const std::string& path, std::string_view text) {
    const UniqueFd fd(must(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
                           "create " + path));
    write_whole(fd.get(), text, path);
}

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) throw_errno("mkdir " + path);
}

}  // namespace jail_ai::test
