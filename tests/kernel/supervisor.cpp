// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "supervisor.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdio>

#include "must.h"
#include "pipe.h"
#include "test_cgroup.h"

namespace jail_ai::test {
namespace {

constexpr int kPassedOn[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

volatile pid_t tests_pid = 0;
volatile sig_atomic_t caught = 0;

extern "C" void on_signal(int signal) {
    caught = signal;
    if (tests_pid > 0) ::kill(tests_pid, SIGKILL);
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (const int signal : kPassedOn)
        must(::sigaction(signal, &action, nullptr), "catch a signal");
}

// Reads until all who hold the other end have let go of it, on purpose or by dying.
void await_end_of(int pipe) {
    char byte;
    while (::read(pipe, &byte, 1) != 0)
        if (errno != EINTR) return;
}

bool has_ended(int pipe) {
    pollfd polled{pipe, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP) != 0;
}

pid_t start_keeper(Pipe& alive, const std::string& cgroup) {
    const pid_t pid = must(::fork(), "start the keeper");
    if (pid != 0) return pid;
    ::setsid();  // out of reach of what is sent to the supervisor's group
    alive.writer.reset();
    await_end_of(alive.reader.get());
    try {
        remove_cgroup(cgroup);
    } catch (const std::exception& error) {
        ::dprintf(STDERR_FILENO, "# %s\n", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

void enter_private_world() {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    must(::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr),
         "mount the pid namespace's /proc");
    must(::unshare(CLONE_NEWNET | CLONE_NEWUTS), "leave the machine's network");
}

[[noreturn]] void become_tests(const std::function<int(const std::string&)>& tests,
                               const std::string& cgroup, Pipe& supervisor) {
    int status = 1;
    try {
        supervisor.writer.reset();
        must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "die with the supervisor");
        if (has_ended(supervisor.reader.get())) ::_exit(1);  // before the prctl
        for (const int signal : kPassedOn) ::signal(signal, SIG_DFL);
        ::signal(SIGPIPE, SIG_IGN);
        enter_private_world();
        status = tests(cgroup);
    } catch (const std::exception& error) {
        std::printf("not ok - laboratory: %s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
}

}  // namespace

int supervised(const std::function<int(const std::string&)>& tests) {
    const std::string cgroup =
        cgroup2_mount() + "/jail-ai-kernel-tests." + std::to_string(::getpid());
    catch_signals();
    Pipe alive;  // held by the supervisor, the tests and all their children
    const pid_t keeper = start_keeper(alive, cgroup);
    must(::mkdir(cgroup.c_str(), 0755), "mkdir " + cgroup);
    Pipe supervisor;  // held by the supervisor alone
    std::fflush(nullptr);
    constexpr unsigned long flags = SIGCHLD | CLONE_NEWPID | CLONE_NEWNS;
    const auto pid = static_cast<pid_t>(
        must(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr), "start the tests"));
    if (pid == 0) become_tests(tests, cgroup, supervisor);
    tests_pid = pid;
    if (caught != 0) ::kill(pid, SIGKILL);  // it came before there was somebody to pass it on to
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) throw_errno("wait for the tests");
    tests_pid = 0;

    alive.writer.reset();
    int kept = 0;
    while (::waitpid(keeper, &kept, 0) < 0)
        if (errno != EINTR) throw_errno("wait for the keeper");
    remove_cgroup(cgroup);  // should somebody have killed the keeper
    if (caught != 0) return 128 + caught;
    if (WIFSIGNALED(status)) {
        std::printf("not ok - tests: ended by signal %d\n", WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    return kept != 0 && WEXITSTATUS(status) == 0 ? 1 : WEXITSTATUS(status);
}

}  // namespace jail_ai::test
