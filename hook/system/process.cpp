// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "system/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <optional>

#include "base/absence.h"
#include "base/deadline.h"
#include "base/number.h"
#include "system/file.h"
#include "system/process_status.h"

namespace jail_ai {
namespace {

constexpr ino_t kInitialUserNamespace = 0xEFFFFFFD;  // PROC_USER_INIT_INO, include/linux/proc_ns.h

Result<UniqueFd> open_proc(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return system_error(fmt::format("open '{}'", path), errno, EX_OSFILE);
    struct statfs info {};
    if (::fstatfs(fd.get(), &info) != 0 || info.f_type != PROC_SUPER_MAGIC)
        return Error{EX_OSFILE, fmt::format("'{}' is not on procfs", path)};
    return fd;
}

Error ended(pid_t pid) {
    return Error{EX_NOINPUT, fmt::format("process {} has ended", pid)};
}

// By the link, which only the kernel writes: what fdinfo says of other kinds may hold text of their
// makers (the name of a dma-buf).
bool is_pidfd(std::string_view link) {
    return link == "anon_inode:[pidfd]" || link.starts_with("pidfd:[");
}

Result<struct stat> stat_namespace(int proc_fd, const char* kind) {
    struct stat info {};
    const std::string path = fmt::format("ns/{}", kind);
    if (::fstatat(proc_fd, path.c_str(), &info, 0) != 0)
        return lookup_error(fmt::format("look at {} namespace", kind), errno, Sought::kernel_file);
    return info;
}

}  // namespace

Result<Process> Process::open(pid_t pid) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd && means_absent(Sought::kernel_file, errno))
        return Error{EX_NOINPUT, fmt::format("process {} does not exist", pid)};
    if (!pidfd) return system_error(fmt::format("pidfd_open {}", pid), errno);
    auto proc = open_proc(fmt::format("/proc/{}", pid));
    Process process(pid, std::move(pidfd), proc ? std::move(*proc) : UniqueFd());
    // Alive after the directory was opened: then it was this process's directory.
    TRY(process.check_alive());
    if (!proc) return std::move(proc).error();
    return process;
}

Result<Process> Process::from_pidfd(UniqueFd pidfd) {
    const auto link = path_of(pidfd.get());
    if (!link || !is_pidfd(*link)) return Error{EX_DATAERR, "the descriptor is not a pidfd"};
    auto self = TRY(open_proc_self());
    auto info = TRY(read_kernel_file(self.get(), fmt::format("fdinfo/{}", pidfd.get()).c_str()));
    const auto pid = number_after(info, "\nPid:\t");
    if (!pid) return Error{EX_UNAVAILABLE, "fdinfo of a pidfd has no Pid"};
    if (*pid <= 0)
        return Error{
            EX_NOINPUT,
            "the process behind the pidfd has ended, or is outside of the broker's PID namespace"};
    auto proc = open_proc(fmt::format("/proc/{}", *pid));
    Process process(*pid, std::move(pidfd), proc ? std::move(*proc) : UniqueFd());
    TRY(process.check_alive());
    if (!proc) return std::move(proc).error();
    return process;
}

Status Process::check_alive() const {
    // A pidfd becomes readable when the process ends, also as a zombie, to which signal 0 could
    // still be sent (pidfd_open(2)).
    pollfd poll_fd{pidfd_.get(), POLLIN, 0};
    int ready = 0;
    do ready = ::poll(&poll_fd, 1, 0);
    while (ready < 0 && errno == EINTR && !deadline_passed());
    if (ready < 0) return system_error(fmt::format("poll process {}", pid_), errno);
    if (ready > 0) return ended(pid_);
    return ok();
}

Result<bool> Process::shares_namespace(const char* kind) const {
    auto self = TRY(open_proc_self());
    auto ours = TRY(stat_namespace(self.get(), kind));
    auto its = stat_namespace(proc_fd_.get(), kind);
    if (!its) return std::move(its).error().context(fmt::format("process {}", pid_));
    return ours.st_dev == its->st_dev && ours.st_ino == its->st_ino;
}

Result<bool> Process::is_first_of_pid_namespace() const {
    auto status = read_kernel_file(proc_fd_.get(), "status");
    if (!status) return std::move(status).error().context(fmt::format("process {}", pid_));
    const auto is_first = jail_ai::is_first_of_pid_namespace(*status);
    if (!is_first) return Error{EX_UNAVAILABLE, "/proc/PID/status has no NSpid"};
    return *is_first;
}

Result<bool> Process::is_within_pid_namespace_of(const Process& other) const {
    auto wanted = stat_namespace(other.proc_fd_.get(), "pid");
    if (!wanted) return std::move(wanted).error().context(fmt::format("process {}", other.pid_));
    UniqueFd fd(::openat(proc_fd_.get(), "ns/pid", O_RDONLY | O_CLOEXEC));
    if (!fd)
        return lookup_error(fmt::format("look at pid namespace of process {}", pid_), errno,
                            Sought::kernel_file);
    while (true) {
        struct stat info {};
        if (::fstat(fd.get(), &info) != 0) return system_error("stat a pid namespace", errno);
        if (info.st_dev == wanted->st_dev && info.st_ino == wanted->st_ino) return true;
        fd = UniqueFd(::ioctl(fd.get(), NS_GET_PARENT));
        if (!fd && errno == EPERM) return false;  // above the caller's, ioctl_ns(2)
        if (!fd) return system_error("ask for the parent of a pid namespace", errno);
    }
}

Result<Process::UserNamespace> Process::user_namespace() const {
    const UniqueFd fd(::openat(proc_fd_.get(), "ns/user", O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0)
        return system_error(fmt::format("look at user namespace of process {}", pid_), errno);
    if (info.st_ino == kInitialUserNamespace) return UserNamespace{true, 0};
    uid_t owner = 0;
    if (::ioctl(fd.get(), NS_GET_OWNER_UID, &owner) != 0)
        return system_error(fmt::format("ask who owns the user namespace of process {}", pid_),
                            errno);
    return UserNamespace{false, owner};
}

Result<pid_t> Process::parent() const {
    auto status = read_kernel_file(proc_fd_.get(), "status");
    if (!status) return std::move(status).error().context(fmt::format("process {}", pid_));
    const auto parent = number_after(*status, "\nPPid:\t");
    if (!parent) return Error{EX_UNAVAILABLE, "/proc/PID/status has no PPid"};
    return *parent;
}

Result<UniqueFd> Process::duplicate_fd(int number) const {
    UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0)));
    if (!fd) return system_error(fmt::format("pidfd_getfd {} of process {}", number, pid_), errno);
    return fd;
}

Result<std::vector<pid_t>> list_processes() {
    const auto names = TRY(list_directory(AT_FDCWD, "/proc", Entries::directories));
    std::vector<pid_t> pids;
    for (const std::string& name : names)
        if (const auto pid = parse_number<pid_t>(name)) pids.push_back(*pid);
    return pids;
}

Result<UniqueFd> open_proc_self() {
    return open_proc("/proc/self");
}

Result<std::uint32_t> current_network_namespace() {
    auto self = TRY(open_proc_self());
    struct stat info {};
    if (::fstatat(self.get(), "ns/net", &info, 0) != 0)
        return system_error("stat the network namespace", errno);
    return static_cast<std::uint32_t>(info.st_ino);
}

Result<bool> in_initial_user_namespace() {
    auto self = TRY(open_proc_self());
    auto user = TRY(stat_namespace(self.get(), "user"));
    return user.st_ino == kInitialUserNamespace;
}

}  // namespace jail_ai
