// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Starts a process where an adversary would be; see sender.h.
#include "sender.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "failure.h"

namespace escape {

namespace {

constexpr unsigned nobody = 65534;

// Leaves exactly these capabilities, through exec too. Bounding set, user, then the rest: the order
// in which each is still permitted.
bool restrict_to(uint64_t mask, bool root) {
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (((mask >> capability) & 1) == 0 && ::prctl(PR_CAPBSET_DROP, capability) != 0)
            return false;
    if (!root &&
        (::prctl(PR_SET_KEEPCAPS, 1) != 0 || ::setgroups(0, nullptr) != 0 ||
         ::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0))
        return false;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    for (unsigned word = 0; word < 2; word++) {
        auto part = static_cast<uint32_t>(mask >> (32 * word));
        data[word] = {part, part, part};
    }
    if (::syscall(SYS_capset, &header, data) != 0) return false;
    for (int capability = 0; capability < 64; capability++)
        if (((mask >> capability) & 1) != 0 &&
            ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0)
            return false;
    return true;
}

Bytes from_hex(const std::string& text) {
    Bytes bytes;
    for (size_t at = 0; at + 1 < text.size(); at += 2)
        bytes.push_back(static_cast<uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)));
    return bytes;
}

}  // namespace

pid_t start_in(const Place& place, const std::function<int()>& work) {
    std::fflush(stdout);
    pid_t pid = ::fork();
    if (pid < 0) give_up("fork");
    if (pid != 0) return pid;
    ::setsid();  // so that all it starts can be killed with it
    if (::write(place.cgroup->procs.get(), "0", 1) != 1 ||
        ::setns(place.netns, CLONE_NEWNET) != 0 || !restrict_to(place.capabilities, place.root))
        ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // here, since changing the user resets it
    ::_exit(work());
}

int finish(pid_t child) {
    int status = 0;
    siginfo_t ended{};
    // Left unreaped until the rest of its session is gone, so that the number means nobody else.
    if (::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) != 0)
        give_up("wait for a process");
    ::kill(-child, SIGKILL);
    if (::waitpid(child, &status, 0) != child) give_up("wait for a process");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Sender start_adversary(const Place& place, int binary, const std::vector<std::string>& arguments,
                       const std::vector<std::pair<int, int>>& inherited) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC)) give_up("make a pipe");
    pid_t pid = start_in(place, [&] {
        std::vector<char*> argv;
        static char name[] = "adversary";
        argv.push_back(name);
        for (const std::string& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        char* environment[] = {nullptr};
        // Out of the way of the numbers that dup2() is about to take.
        int program = ::fcntl(binary, F_DUPFD_CLOEXEC, 100);
        std::vector<int> sources;
        for (const auto& [from, to] : inherited)
            sources.push_back(::fcntl(from, F_DUPFD_CLOEXEC, 100));
        ::dup2(ends[1], 1);
        for (size_t i = 0; i < inherited.size(); i++) ::dup2(sources[i], inherited[i].second);
        ::syscall(SYS_execveat, program, "", argv.data(), environment, AT_EMPTY_PATH);
        return 127;
    });
    ::close(ends[1]);
    Sender sender{pid, jail_ai::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
                  jail_ai::UniqueFd(ends[0])};
    if (!sender.exited) give_up("open a pidfd");
    return sender;
}

Report read_report(Sender& sender) {
    Report report;
    std::string text;
    char part[512];
    // What it said is there by now; whatever it started may still hold the other end.
    ::fcntl(sender.output.get(), F_SETFL, O_NONBLOCK);
    for (ssize_t size; (size = ::read(sender.output.get(), part, sizeof(part))) > 0;)
        text.append(part, static_cast<size_t>(size));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("errno=", 0) == 0) report.error = std::stoi(line.substr(6));
        if (line.rfind("marker=", 0) == 0) report.markers.push_back(from_hex(line.substr(7)));
    }
    return report;
}

}  // namespace escape
