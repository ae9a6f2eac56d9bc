// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/user_network_processes.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>

#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::string_view kPodman = "podman\n";

// The real user, of which what a process hides of itself (PR_SET_DUMPABLE) takes nothing away,
// unlike its directory's owner.
bool is_of(int proc_fd, uid_t owner) {
    auto status = read_kernel_file(proc_fd, "status");
    constexpr std::string_view kUid = "\nUid:\t";
    const std::size_t at = status ? status->find(kUid) : std::string::npos;
    if (at == std::string::npos) return false;
    uid_t uid = 0;
    const char* digits = status->data() + at + kUid.size();
    return std::from_chars(digits, status->data() + status->size(), uid).ec == std::errc() &&
           uid == owner;
}

void add(const UserNetwork& more, bool with_forwards, UserNetwork& network) {
    network.mapped.insert(network.mapped.end(), more.mapped.begin(), more.mapped.end());
    if (with_forwards)
        network.forwards.insert(network.forwards.end(), more.forwards.begin(), more.forwards.end());
}

// What the processes say, gathered one by one.
struct Gathered {
    UserNetwork network;
    bool found_own = false;
    std::optional<Error> unreadable;
};

void collect_process(int proc_fd, pid_t pid, const NetworkQuestion& question, Gathered& gathered) {
    auto comm = read_kernel_file(proc_fd, "comm");
    if (!comm || comm->empty()) return;  // it has ended
    const NetworkHelper helper = helper_named(std::string_view(*comm).substr(0, comm->size() - 1));
    const bool is_podman = question.is_deferred && *comm == kPodman;
    if ((helper == NetworkHelper::none && !is_podman) || !is_of(proc_fd, question.owner)) return;
    auto command_line = read_kernel_file(proc_fd, "cmdline");
    if (!command_line) {
        gathered.unreadable = std::move(command_line)
                                  .error()
                                  .context(fmt::format("the user-mode network's process {}", pid));
        return;
    }
    if (command_line->empty()) return;  // it ends
    if (is_podman) {
        add(read_podman(*command_line), true, gathered.network);
        return;
    }
    const bool is_own = carries(*command_line, question.network_path);
    gathered.found_own = gathered.found_own || is_own;
    add(read_helper(helper, *command_line), is_own, gathered.network);
}

}  // namespace

Result<UserNetwork> find_user_network(const NetworkQuestion& question) {
    const auto pids = TRY(list_processes());
    Gathered gathered;
    for (const pid_t pid : pids) {
        const UniqueFd proc_fd(
            ::open(fmt::format("/proc/{}", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (proc_fd) collect_process(proc_fd.get(), pid, question, gathered);
    }
    if (gathered.unreadable && !gathered.found_own && !question.is_deferred)
        return std::move(*gathered.unreadable);
    return std::move(gathered.network);
}

}  // namespace jail_ai
