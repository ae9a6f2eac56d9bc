// SPDX-License-Identifier: Apache-2.0 OR MIT
// What an installed program says of its version.
#include "doctor/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>

#include "base/unique_fd.h"

namespace jail_ai {
namespace {

constexpr std::chrono::seconds kPatience{5};

std::string find_program(const std::string& name) {
    for (const char* directory :
         {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"})
        if (const std::string path = directory + name; ::access(path.c_str(), X_OK) == 0)
            return path;
    return "";
}

// Up to the first line's end, the end of all output, or the end of patience.
std::string read_line(int fd) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::string line;
    while (line.find('\n') == std::string::npos) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd polled{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) <= 0) return "";
        std::array<char, 512> chunk{};
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got <= 0) break;
        line.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return line.substr(0, line.find('\n'));
}

}  // namespace

std::optional<std::string> program_version(const std::string& name) {
    std::string path = find_program(name);
    if (path.empty()) return std::nullopt;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "it can't be asked for its version";
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string option = "--version";
    std::string search = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const std::array<char*, 3> words = {path.data(), option.data(), nullptr};
    const std::array<char*, 2> environment = {search.data(), nullptr};
    pid_t pid = -1;
    const int failed =
        ::posix_spawn(&pid, path.c_str(), &actions, nullptr, words.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) return "it doesn't start";
    writer.reset();
    std::string line = read_line(reader.get());
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return line.empty() ? "it doesn't say its version" : line;
}

}  // namespace jail_ai
