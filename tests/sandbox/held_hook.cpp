// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A seccomp filter with a listener, installed before the hook is executed, stops read(2) and
// recvmsg(2) of descriptor 0, write(2) to descriptor 2, or of much to descriptor 1, or poll(2).
#include "held_hook.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "files.h"
#include "must.h"

namespace jail_ai::test {
namespace {

constexpr int kPatience = 60'000;  // milliseconds

// A call with that first argument, or with any (BPF_JGE 0), and a third one of at least so much.
struct Stop {
    std::uint32_t call, other_call;
    std::uint16_t comparison;
    std::uint32_t first;
    std::uint32_t least_third;
};

Stop stopped_at(HeldAt at) {
#ifdef SYS_poll
    constexpr std::uint32_t kPoll = SYS_poll;
#else
    constexpr std::uint32_t kPoll = SYS_ppoll;
#endif
    // Bytes: more than what a program that doctor asks says of its version.
    constexpr std::uint32_t kAnswer = 500;
    switch (at) {
        case HeldAt::first_read: return {SYS_read, SYS_recvmsg, BPF_JEQ, STDIN_FILENO, 0};
        case HeldAt::first_message: return {SYS_write, SYS_write, BPF_JEQ, STDERR_FILENO, 0};
        case HeldAt::first_print: return {SYS_write, SYS_write, BPF_JEQ, STDOUT_FILENO, kAnswer};
        case HeldAt::first_wait: return {kPoll, SYS_ppoll, BPF_JGE, 0, 0};
    }
    throw std::logic_error("no such stop");
}

constexpr std::uint32_t offset_of_argument(std::size_t number) {
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                      number * sizeof(std::uint64_t));
}

int stop_at(HeldAt at) {
    const Stop stop = stopped_at(at);
    constexpr auto number = static_cast<std::uint32_t>(offsetof(seccomp_data, nr));
    sock_filter steps[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, number},
        {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, stop.call},  // to the arguments
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 5,
         stop.other_call},  // another system call: to the last step
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset_of_argument(0)},
        {static_cast<std::uint16_t>(BPF_JMP | stop.comparison | BPF_K), 0, 3, stop.first},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset_of_argument(2)},
        {BPF_JMP | BPF_JGE | BPF_K, 0, 1, stop.least_third},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog program{sizeof steps / sizeof steps[0], steps};
    return static_cast<int>(must(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program),
        "install a seccomp filter"));
}

std::string hook_path() {
    const char* from_environment = std::getenv("JAIL_AI_HOOK");
    return from_environment != nullptr ? from_environment : DEFAULT_HOOK;
}

// In the new process. Ends it where anything fails, and the listener with it.
[[noreturn]] void become_hook(const std::vector<const char*>& words, HeldAt at, int input,
                              const std::function<void()>& before_exec, int to_parent,
                              int from_parent) {
    try {
        const UniqueFd binary(
            must(::open(hook_path().c_str(), O_RDONLY | O_CLOEXEC), "open the hook"));
        const UniqueFd nothing(must(::open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null"));
        for (int fd = 0; fd < 3; ++fd)
            must(::dup2(fd == 0 && input >= 0 ? input : nothing.get(), fd),
                 "hand over standard input and output");
        const int listener = stop_at(at);
        must(::write(to_parent, &listener, sizeof listener), "tell the listener");
        char taken = 0;
        must(::read(from_parent, &taken, 1), "wait for the listener to be taken");
        if (before_exec) before_exec();
        std::vector<const char*> arguments = words;
        arguments.insert(arguments.begin(), "jail-ai-hook");
        arguments.push_back(nullptr);
        const char* environment[] = {nullptr};
        ::fexecve(binary.get(), const_cast<char**>(arguments.data()),
                  const_cast<char**>(environment));
    } catch (const std::exception&) {
    }
    ::_exit(125);
}

}  // namespace

HeldHook::HeldHook(const std::vector<const char*>& words, HeldAt at,
                   const std::function<void()>& before_exec, int input)
    : pid_(-1) {
    int up[2];
    int down[2];
    must(::pipe2(up, O_CLOEXEC), "make a pipe");
    must(::pipe2(down, O_CLOEXEC), "make a pipe");
    const UniqueFd ends[] = {UniqueFd(up[0]), UniqueFd(down[1])};
    UniqueFd its_end(up[1]);
    const UniqueFd its_other_end(down[0]);
    pid_ = must(::fork(), "start the hook");
    if (pid_ == 0) become_hook(words, at, input, before_exec, its_end.get(), its_other_end.get());
    its_end.reset();
    int listener = -1;
    if (::read(ends[0].get(), &listener, sizeof listener) != sizeof listener)
        throw std::runtime_error("the hook was not started");
    const UniqueFd pidfd(static_cast<int>(must(::syscall(SYS_pidfd_open, pid_, 0), "pidfd_open")));
    listener_ = UniqueFd(static_cast<int>(
        must(::syscall(SYS_pidfd_getfd, pidfd.get(), listener, 0), "take the listener")));
    must(::write(ends[1].get(), "x", 1), "let the hook go");

    pollfd polled[] = {{listener_.get(), POLLIN, 0}, {pidfd.get(), POLLIN, 0}};
    if (must(::poll(polled, 2, kPatience), "wait for the hook") == 0)
        throw std::runtime_error("the hook doesn't come that far");
    if ((polled[0].revents & POLLIN) == 0) throw std::runtime_error("the hook ended before");
    seccomp_notif request{};
    must(::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &request), "receive where the hook is");
}

HeldHook::~HeldHook() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

std::string HeldHook::path(const std::string& name) const {
    return "/proc/" + std::to_string(pid_) + "/" + name;
}

std::string HeldHook::status(const std::string& field) const {
    std::istringstream lines(read_file(path("status")));
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(field + ":")) continue;
        const std::size_t at = line.find_first_not_of(" \t", field.size() + 1);
        return at == std::string::npos ? "" : line.substr(at);
    }
    return "";
}

}  // namespace jail_ai::test
