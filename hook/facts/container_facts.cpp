// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "facts/container_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <iterator>
#include <memory>
#include <optional>

#include "base/absence.h"
#include "base/quote.h"
#include "container/cgroup_path.h"
#include "engines/engine_sockets.h"
#include "engines/runtime_arguments.h"
#include "facts/mounted.h"
#include "system/file.h"
#include "system/lsm.h"
#include "system/vsock.h"

namespace jail_ai {
namespace {

// Nothing for a source that isn't there: the runtime would have failed to mount it, or it is gone
// already.
Result<std::optional<BoundPath>> resolve_bind(const Mount& mount, int bundle_fd) {
    const auto fd =
        TRY(open_if_there(bundle_fd, mount.source, O_PATH)
                .context(fmt::format("look at the source of mount {}", quote(mount.destination))));
    if (!fd) return std::optional<BoundPath>();
    struct stat info {};
    struct statfs file_system {};
    if (::fstat(fd->get(), &info) != 0 || ::fstatfs(fd->get(), &file_system) != 0)
        return system_error(fmt::format("stat {}", quote(mount.source)), errno);
    auto path = TRY(path_of(fd->get()));
    BoundPath bound{};
    bound.source = std::move(path);
    bound.destination = mount.destination;
    bound.recursive = !mount.has_option("bind") || mount.has_option("rbind");
    bound.read_only = mount.is_read_only();
    bound.is_socket = S_ISSOCK(info.st_mode);
    bound.is_procfs = file_system.f_type == PROC_SUPER_MAGIC;
    if (S_ISDIR(info.st_mode))
        bound.engine_socket =
            TRY(engine_socket_below(fd->get()).context(quote(mount.source))).value_or("");
    return std::optional(std::move(bound));
}

std::string family_name(int family) {
    switch (family) {
        case AF_INET: return "an inet socket";
        case AF_INET6: return "an inet6 socket";
        case AF_PACKET: return "a packet socket";
        case AF_VSOCK: return "a vsock socket";
        case AF_NETLINK: return "a netlink socket";
        default: return fmt::format("a socket of family {}", family);
    }
}

// By number, since a user may give a node any name; the guard goes by the same
// (bpf/guard.bpf.c).
bool is_network_device(const struct stat& info) {
    const std::array devices = {makedev(10, 200), makedev(10, 238), makedev(10, 241),
                                makedev(108, 0)};  // tun, vhost-net, vhost-vsock, ppp
    return S_ISCHR(info.st_mode) && std::ranges::find(devices, info.st_rdev) != devices.end();
}

// A directory leads to all that is below it on the host, a Unix socket's path to anyone who listens
// there; a file on cgroupfs moves processes.
Result<std::optional<std::string>> check_file(int fd) {
    struct stat info {};
    struct statfs file_system {};
    if (::fstat(fd, &info) != 0 || ::fstatfs(fd, &file_system) != 0)
        return system_error("stat it", errno);
    if (S_ISDIR(info.st_mode)) return std::optional<std::string>("a directory");
    if (S_ISSOCK(info.st_mode)) return std::optional<std::string>("the path of a Unix socket");
    if (is_network_device(info)) return std::optional<std::string>("a network device");
    if (file_system.f_type == CGROUP2_SUPER_MAGIC || file_system.f_type == CGROUP_SUPER_MAGIC)
        return std::optional<std::string>("a file of the cgroup file system");
    return std::optional<std::string>();
}

// Runtimes mark directories of their own so. Sockets count anyway: nothing says that a
// runtime won't take the mark off.
Result<bool> closes_on_exec(const Process& process, int number) {
    const auto info =
        TRY(read_kernel_file(process.proc_fd(), fmt::format("fdinfo/{}", number).c_str()));
    constexpr std::string_view kFlags = "flags:\t";
    const std::size_t at = info.find(kFlags);
    if (at == std::string::npos) return false;
    unsigned flags = 0;
    std::from_chars(info.data() + at + kFlags.size(), info.data() + info.size(), flags, 8);
    return (flags & O_CLOEXEC) != 0;
}

// What a descriptor would let the container do beside its cgroup's programs; nothing if it is
// harmless.
Result<std::optional<std::string>> check_descriptor(const Process& process, int number,
                                                    std::string_view link) {
    if (link == "anon_inode:[io_uring]") return std::optional<std::string>("an io_uring");
    if (link == "/dev/net/tun") return std::optional<std::string>("a tun device");
    if (link.starts_with("anon_inode:[pidfd]") || link.starts_with("pidfd:"))
        return std::optional<std::string>("a process descriptor");
    auto fd = TRY(process.duplicate_fd(number));
    if (!link.starts_with("socket:")) {
        const bool closes = TRY(closes_on_exec(process, number));
        return closes ? std::optional<std::string>() : check_file(fd.get());
    }
    int family = 0;
    socklen_t size = sizeof family;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        return system_error("SO_DOMAIN", errno);
    // The runtime talks to the container's process over Unix sockets of its own.
    if (family == AF_UNIX) return std::optional<std::string>();
    return std::optional(family_name(family));
}

// The first descriptor that the runtime closes before the container's process starts. Under crun
// the sockets that podman binds for published ports are still open now; crun doesn't mark what it
// will close. Other runtimes leave nothing open that they would close.
Result<int> first_closed_by_runtime(pid_t pid) {
    if (pid <= 0) return INT_MAX;
    const auto runtime = Process::open(pid);
    if (is_absent(runtime)) return INT_MAX;
    if (!runtime) return runtime.error();
    // Not its executable: crun runs from a sealed copy of itself, whose link says nothing.
    auto name = TRY(read_kernel_file(runtime->proc_fd(), "comm").context("the runtime's name"));
    if (name != "crun\n") return INT_MAX;
    auto command_line =
        TRY(read_kernel_file(runtime->proc_fd(), "cmdline").context("crun's command line"));
    auto environment =
        TRY(read_kernel_file(runtime->proc_fd(), "environ").context("crun's environment"));
    const int left = descriptors_left_by_crun(command_line, environment);
    return left > INT_MAX - kFirstInherited ? INT_MAX : kFirstInherited + left;
}

Result<std::vector<ForeignDescriptor>> find_descriptors(const Process& process, pid_t runtime) {
    const auto names =
        TRY(list_directory(process.proc_fd(), "fd").context("the process's descriptors"));
    auto first_closed = TRY(first_closed_by_runtime(runtime));
    std::vector<ForeignDescriptor> found;
    for (const std::string& name : names) {
        int number = -1;
        if (std::from_chars(name.data(), name.data() + name.size(), number).ec != std::errc() ||
            number >= first_closed)
            continue;
        const std::string what = fmt::format("look at descriptor {}", number);
        const auto link = TRY(read_link(process.proc_fd(), ("fd/" + name).c_str()).context(what));
        auto kind = TRY(check_descriptor(process, number, link).context(what));
        if (kind) found.push_back({number, std::move(*kind)});
    }
    return found;
}

Result<Unguarded> read_unguarded(const Container& container, Guard guard) {
    const bool abstract_unix = container.shares_network && guard == Guard::none;
    const bool could_have_guard = TRY(kernel_has_lsm_cgroup());
    Unguarded unguarded{could_have_guard,
                        abstract_unix,
                        {true, {}},
                        find_reachable_families(container.files.config.json())};
    if (unguarded.open_sockets.vsock == SocketAccess::no) return unguarded;
    unguarded.listeners = TRY(find_vsock_listeners().context("vsock"));
    return unguarded;
}

// The mounts of config.json that are still to be made.
Result<ContainerFacts> read_pending_mounts(const BundleFiles& files) {
    ContainerFacts facts{};
    for (const Mount& mount : files.bundle.mounts) {
        if (!mount.is_bind() || mount.source.empty()) continue;
        auto bound = TRY(resolve_bind(mount, files.directory.get()));
        if (bound) facts.binds.push_back(std::move(*bound));
    }
    auto self = TRY(open_proc_self());
    auto mountinfo = TRY(read_kernel_file(self.get(), "mountinfo"));
    facts.cgroup_mounts = find_cgroup_mounts(mountinfo);
    auto sockets = TRY(find_engine_sockets());
    std::ranges::transform(sockets, std::back_inserter(facts.engine_sockets), &EngineSocket::path);
    return facts;
}

// Where the container's root is mounted, before the process has made it its own; empty if there
// is none.
Result<std::string> root_of(const BundleFiles& files) {
    const std::string& path = files.bundle.root;
    if (path.empty()) return std::string();
    const auto root = TRY(open_if_there(files.directory.get(), path, O_PATH | O_DIRECTORY)
                              .context("the container's root"));
    return root ? path_of(root->get()) : Result<std::string>(std::string());
}

}  // namespace

Result<ContainerFacts> read_mount_facts(const Process& process, const BundleFiles& files,
                                        Mounts mounts) {
    ContainerFacts facts{};
    if (mounts == Mounts::elsewhere) return facts;
    if (mounts == Mounts::pending) return read_pending_mounts(files);
    auto root = TRY(mounts == Mounts::entered ? Result<std::string>("/") : root_of(files));
    if (mounts == Mounts::made && !TRY(has_mounts_of_its_own(process, root)))
        return read_pending_mounts(files);
    // With the host's mounts it is there when an engine starts.
    auto at_home = TRY(process.shares_namespace("mnt"));
    const Sockets sockets = files.bundle.of_process && !at_home ? Sockets::existing : Sockets::any;
    facts.mounts = TRY(read_mounted(process, files.bundle, root, sockets));
    return facts;
}

Result<ContainerFacts> read_container_facts(const Container& container, Guard guard) {
    const Process& process = container.process;
    ContainerFacts facts = TRY(read_mount_facts(process, container.files, container.mounts));
    facts.shares_cgroup_namespace = TRY(process.shares_namespace("cgroup"));
    facts.sees_other_processes = !TRY(process.is_first_of_pid_namespace());
    facts.in_user_namespace = !TRY(process.user_namespace()).is_initial;
    if (container.runtime) facts.descriptors = TRY(find_descriptors(process, *container.runtime));
    if (guard != Guard::lsm) facts.unguarded = TRY(read_unguarded(container, guard));
    return facts;
}

}  // namespace jail_ai
