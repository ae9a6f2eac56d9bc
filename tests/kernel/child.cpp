// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "child.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <stdexcept>

#include "files.h"
#include "must.h"

namespace jail_ai::test {
void become_root_of(int user_namespace) {
    must(::setns(user_namespace, CLONE_NEWUSER), "enter a user namespace");
    must(::setresgid(0, 0, 0), "become its root group");
    must(::setresuid(0, 0, 0), "become its root");
}

namespace {

constexpr int kContainerNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;

void take_place(const Whereabouts& where) {
    if (where.cgroup != nullptr) write_file("cgroup.procs", "0", where.cgroup->fd());
    if (where.cgroup_directory >= 0) write_file("cgroup.procs", "0", where.cgroup_directory);
    if (where.network != nullptr)
        must(::setns(where.network->fd(), CLONE_NEWNET), "enter a network namespace");
    if (where.user_namespace >= 0) {
        become_root_of(where.user_namespace);
        must(::prctl(PR_SET_DUMPABLE, 1), "be visible to its user, as after an exec");
    }
    if (where.container_namespaces) must(::unshare(CLONE_NEWCGROUP), "make a cgroup namespace");
}

}  // namespace

Child::Child(const Whereabouts& where) {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a command channel");
    commands_ = UniqueFd(ends[0]);
    const UniqueFd childs(ends[1]);
    const unsigned long flags =
        SIGCHLD | static_cast<unsigned long>(where.container_namespaces ? kContainerNamespaces : 0);
    pid_ = static_cast<pid_t>(
        must(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr), "start a child"));
    if (pid_ == 0) {
        commands_.reset();
        try {
            take_place(where);
        } catch (const std::exception& error) {
            ::dprintf(STDOUT_FILENO, "# child: %s\n", error.what());
            ::_exit(1);
        }
        obey(childs.get());
    }
    try {
        run([] { return 0; });  // it is in its place
    } catch (...) {
        end();  // no destructor runs for a constructor that throws
        throw;
    }
}

Child::~Child() {
    end();
}

void Child::obey(int commands) {
    Command command{};
    while (::recv(commands, &command, sizeof command, 0) == sizeof command) {
        Answer answer{};
        try {
            command.call(command.closure.data(), answer.returned.data());
        } catch (const std::exception& error) {
            ::dprintf(STDOUT_FILENO, "# child: %s\n", error.what());
            break;
        }
        if (::send(commands, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
    }
    ::_exit(1);
}

Child::Answer Child::ask(const Command& command) {
    must(::send(commands_.get(), &command, sizeof command, MSG_NOSIGNAL), "command a child");
    pollfd polled{commands_.get(), POLLIN, 0};
    constexpr int patience_ms = 60'000;
    if (must(::poll(&polled, 1, patience_ms), "wait for a child") == 0)
        throw std::runtime_error("a child does not answer");
    Answer answer{};
    const ssize_t got = must(::recv(commands_.get(), &answer, sizeof answer, 0), "hear a child");
    if (got != sizeof answer) throw std::runtime_error("a child ended instead of answering");
    return answer;
}

void Child::kill() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    siginfo_t info{};
    if (pid_ > 0) ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
}

void Child::end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace jail_ai::test
