// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// A process that stays the same one: held by pidfd and by its /proc directory, so that a reused PID
// is noticed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace jail_ai {

class Process {
public:
    // Errors: EX_NOINPUT for no such process, or one that ended meanwhile.
    static Result<Process> open(pid_t pid);

    // The process that a descriptor from elsewhere stands for, under the number that it has in the
    // caller's PID namespace (fdinfo of a pidfd, pidfd_open(2)). Errors: EX_DATAERR for a
    // descriptor of any other kind, EX_NOINPUT for a process that has ended or that the caller's
    // /proc doesn't show. Looks at no file behind the descriptor, for that may be one that its
    // sender serves.
    static Result<Process> from_pidfd(UniqueFd pidfd);

    pid_t pid() const { return pid_; }
    int pidfd() const { return pidfd_.get(); }
    int proc_fd() const { return proc_fd_.get(); }

    // EX_NOINPUT once the process has ended; a zombie has.
    Status check_alive() const;

    // Is it in the same namespace ("net", "cgroup", "user" …) as the caller? Needs PTRACE_MODE_READ
    // access (namespaces(7)).
    Result<bool> shares_namespace(const char* kind) const;

    // Is it the first process of a PID namespace of its own, so that it sees no process but its
    // own? Needs Linux 4.1 (NSpid, proc(5)).
    Result<bool> is_first_of_pid_namespace() const;

    // Is its PID namespace the other's, or one made inside of that? (NS_GET_PARENT, ioctl_ns(2),
    // Linux 4.9)
    Result<bool> is_within_pid_namespace_of(const Process& other) const;

    // Is its user namespace the machine's, and if not, who made it: the effective uid of its maker
    // (NS_GET_OWNER_UID, ioctl_ns(2), Linux 4.11), in the caller's user namespace.
    struct UserNamespace {
        bool is_initial;
        uid_t owner;  // 0 for the initial one
    };
    Result<UserNamespace> user_namespace() const;

    // 0 if that is outside of the caller's PID namespace.
    Result<pid_t> parent() const;

    // A copy of one of its descriptors (pidfd_getfd(2), kernel 5.6). Needs PTRACE_MODE_ATTACH
    // access.
    Result<UniqueFd> duplicate_fd(int number) const;

private:
    Process(pid_t pid, UniqueFd pidfd, UniqueFd proc_fd)
        : pid_(pid), pidfd_(std::move(pidfd)), proc_fd_(std::move(proc_fd)) {}

    pid_t pid_;
    UniqueFd pidfd_;
    UniqueFd proc_fd_;
};

// The IDs of all processes that the caller's /proc shows. Errors: EX_OSERR, EX_NOPERM.
Result<std::vector<pid_t>> list_processes();

// The caller's own /proc directory; EX_OSFILE if /proc is not procfs.
Result<UniqueFd> open_proc_self();

// The inode of the caller's network namespace, which the kernel keeps in 32 bits (struct
// ns_common).
Result<std::uint32_t> current_network_namespace();

// Is the caller in the initial user namespace, where capabilities count for the whole machine?
Result<bool> in_initial_user_namespace();

}  // namespace jail_ai
