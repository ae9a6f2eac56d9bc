// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "engines/user_network_processes.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <charconv>
#include <string>

#include "base/absence.h"
#include "system/file.h"
#include "system/process.h"

namespace jail_ai {
namespace {

constexpr std::string_view kPodman = "podman\n";

// The real user, of which what a process hides of itself (PR_SET_DUMPABLE) takes nothing away,
// unlike its directory's owner.
Result<bool> is_of(int proc_fd, uid_t owner) {
    const auto status = TRY(read_kernel_file(proc_fd, "status"));
    constexpr std::string_view kUid = "\nUid:\t";
    const std::size_t at = status.find(kUid);
    if (at == std::string::npos) return false;
    uid_t uid = 0;
    const char* digits = status.data() + at + kUid.size();
    return std::from_chars(digits, status.data() + status.size(), uid).ec == std::errc() &&
           uid == owner;
}

void add(const UserNetwork& more, bool with_forwards, UserNetwork& network) {
    network.mapped.insert(network.mapped.end(), more.mapped.begin(), more.mapped.end());
    if (with_forwards)
        network.forwards.insert(network.forwards.end(), more.forwards.begin(), more.forwards.end());
}

// What a process calls itself, as far as it is of interest.
struct Called {
    NetworkHelper helper;
    bool is_podman;

    bool is_neither() const { return helper == NetworkHelper::none && !is_podman; }
};

Result<Called> read_name(int fd, const std::string& path, const NetworkQuestion& question) {
    const auto comm = TRY(read_kernel_file(fd, path.c_str()));
    if (comm.empty()) return Called{NetworkHelper::none, false};
    return Called{helper_named(std::string_view(comm).substr(0, comm.size() - 1)),
                  question.is_deferred && comm == kPodman};
}

// Adds what the process says to the network.
Status collect_process(int proc_fd, const NetworkQuestion& question, UserNetwork& network) {
    const auto [helper, is_podman] = TRY(read_name(proc_fd, "comm", question));
    if (helper == NetworkHelper::none && !is_podman) return ok();
    const bool is_owners = TRY(is_of(proc_fd, question.owner));
    if (!is_owners) return ok();
    const auto command_line = TRY(read_kernel_file(proc_fd, "cmdline"));
    if (command_line.empty()) return ok();  // it ends
    if (is_podman)
        add(read_podman(command_line), true, network);
    else
        add(read_helper(helper, command_line), carries(command_line, question.network_path),
            network);
    return ok();
}

}  // namespace

Result<UserNetwork> find_user_network(const NetworkQuestion& question) {
    const auto pids = TRY(list_processes());
    UserNetwork network;
    for (const pid_t pid : pids) {
        // That most are neither shows by one file of each, before its directory is opened.
        const auto called = read_name(AT_FDCWD, fmt::format("/proc/{}/comm", pid), question);
        if (is_absent(called) || (called && called->is_neither())) continue;
        const auto directory =
            TRY(open_if_there(AT_FDCWD, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY));
        if (!directory) continue;
        const auto collected = collect_process(directory->get(), question, network);
        if (!collected && !is_absent(collected))  // it has ended
            return Error(collected.error())
                .context(fmt::format("the user-mode network's process {}", pid));
    }
    return network;
}

}  // namespace jail_ai
