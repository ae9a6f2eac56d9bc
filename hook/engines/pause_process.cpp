// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/pause_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <vector>

#include "system/file.h"

namespace jail_ai {
namespace {

constexpr std::size_t kMostDigits = 64;

std::vector<std::string> runtime_dirs(const std::string& runtime_dir) {
    if (!runtime_dir.empty()) return {runtime_dir};
    const uid_t user = ::geteuid();
    return {fmt::format("/run/user/{}", user), fmt::format("/tmp/podman-run-{}", user),
            fmt::format("/tmp/storage-run-{}", user)};
}

}  // namespace

std::optional<Process> find_pause_process(const std::string& runtime_dir) {
    for (const std::string& directory : runtime_dirs(runtime_dir)) {
        const auto text =
            read_regular_file(AT_FDCWD, directory + "/libpod/tmp/pause.pid", kMostDigits);
        if (!text) continue;
        pid_t pid = 0;
        if (std::from_chars(text->data(), text->data() + text->size(), pid).ec != std::errc() ||
            pid <= 0)
            continue;
        auto process = Process::open(pid);
        if (!process) continue;
        // No process can join the user namespace that it is in, and a user may not read another's.
        if (const auto shared = process->shares_namespace("user"); shared && !*shared)
            return std::move(*process);
    }
    return std::nullopt;
}

bool is_hidden_from(const Process& process, const std::string& path) {
    const UniqueFd root(::openat(process.proc_fd(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root || path.empty() || path.front() != '/') return false;
    const auto found = open_if_there(root.get(), path.substr(1), O_PATH);
    return found && !*found;
}

}  // namespace jail_ai
