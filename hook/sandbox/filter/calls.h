// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Every system call that a confined process may make, by role, each group with its reason. Read by
// generate.cpp when the hook is built.
//
// The lists are wider than what one C library calls on one architecture: what glibc and musl, old
// and new, use for the same functions is on them, and what libbpf tries out on the kernel before it
// loads. Names that an architecture doesn't have are passed over.
//
// An argument that is an int to the kernel is compared in its lower 32 bits, which are all that the
// kernel looks at.
#pragma once

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace jail_ai::filter {

// Bits, so that a call can be on several lists.
enum Roles : unsigned {
    create_runtime = 1,
    precreate = 2,
    ask_broker = 4,
    broker = 8,
    prober = 16,
    show = 32,
    verify = 64,
    detach = 128,
    attach = 256,
    explain = 512,
    refresh = 1024,
    watch = 2048,
    follow = 4096,
    ask_to_show = 8192,
    asking = ask_broker | ask_to_show,
    jailing = create_runtime | broker | attach,
    updating = refresh | watch,
    // By root, of what users wrote.
    looking = show | verify | detach | attach | explain | updating | follow,
    knowing_addresses = jailing | verify | explain | updating,
    reading_maps = show | verify | attach | explain | updating | follow | broker,
    everybody = create_runtime | precreate | asking | broker | prober | looking,
};

// (argument & mask) == value
struct Condition {
    unsigned argument;
    std::uint64_t mask;
    std::uint64_t value;
};

struct Call {
    Roles roles;
    const char* name;
    std::vector<Condition> conditions;  // all of them hold; a call may be on the list several times
};

inline constexpr std::uint64_t kInt = 0xffffffff;

constexpr Condition is(unsigned argument, std::uint64_t value) {
    return {argument, kInt, value & kInt};
}
constexpr Condition has_none_of(unsigned argument, std::uint64_t bits) {
    return {argument, bits, 0};
}
constexpr Condition is_null(unsigned argument) {
    return {argument, ~std::uint64_t{0}, 0};
}

// O_RDONLY is 0, O_TMPFILE includes O_DIRECTORY, which is allowed.
inline constexpr std::uint64_t kOpensForWriting =
    O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

// Constants that this machine's headers may be too old for.
inline constexpr unsigned kBpfProgBindMap = 35;    // Linux 5.10
inline constexpr unsigned kBpfTokenCreate = 36;    // 6.9; libbpf 1.5 asks for one and takes a no
inline constexpr unsigned kPrSetVma = 0x53564d41;  // 5.17; glibc 2.38 names its mappings with it

inline const std::vector<Call>& calls() {
    static const std::vector<Call> all = [] {
        std::vector<Call> list;
        const auto add = [&](Roles roles, std::initializer_list<const char*> names,
                             std::vector<Condition> conditions = {}) {
            for (const char* name : names) list.push_back({roles, name, conditions});
        };

        // Memory, none of it executable: no code comes in but by what is there.
        add(everybody, {"brk", "munmap", "mremap", "madvise"});
        add(everybody, {"mmap", "mmap2", "mprotect"}, {has_none_of(2, PROT_EXEC)});
        add(everybody, {"prctl"}, {is(0, kPrSetVma)});

        // To end, to get signals and the deadline, to know the time and who one is.
        add(everybody, {"exit", "exit_group", "rt_sigreturn", "sigreturn", "rt_sigaction",
                        "rt_sigprocmask", "restart_syscall"});
        add(everybody, {"alarm", "setitimer"});
        add(static_cast<Roles>(looking | ask_to_show),
            {"timer_delete"});  // people may take their time to read
        add(everybody, {"clock_gettime", "clock_gettime64", "gettimeofday", "time"});
        add(everybody,
            {"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname"});
        add(everybody, {"futex", "futex_time64", "getrandom"});

        // Files, to read. openat2(2) is missing: a filter doesn't see the flags that it is given.
        add(everybody, {"openat"}, {has_none_of(2, kOpensForWriting)});
        add(everybody, {"open"}, {has_none_of(1, kOpensForWriting)});
        add(everybody, {"close", "read", "readv", "pread64", "lseek", "_llseek", "getdents64",
                        "readlink", "readlinkat"});
        add(everybody, {"fstat", "fstat64", "newfstatat", "fstatat64", "statx", "stat", "stat64",
                        "lstat", "lstat64"});
        add(everybody,
            {"statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2"});
        for (const int command : {F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC})
            add(everybody, {"fcntl", "fcntl64"}, {is(1, static_cast<unsigned>(command))});
        add(everybody, {"poll", "ppoll", "ppoll_time64"});

        // To what is open for writing: standard output and error, syslog, netlink, the broker's or
        // the caller's socket. No address, so that no other process is reached.
        add(everybody, {"write", "writev"});
        add(everybody, {"sendto"}, {is_null(4)});
        add(everybody, {"send"});

        // One request for a cgroup at a time: a byte of a file that was opened before.
        add(broker, {"fcntl", "fcntl64"}, {is(1, static_cast<unsigned>(F_OFD_SETLK))});

        // The container's process and its descriptors, and its cgroup's id.
        add(static_cast<Roles>(jailing | asking | looking), {"pidfd_open"});
        add(jailing, {"pidfd_getfd", "getsockopt", "name_to_handle_at"});

        // Who owns a user namespace.
        for (const unsigned long request :
             {NS_GET_USERNS, NS_GET_PARENT, NS_GET_NSTYPE, NS_GET_OWNER_UID})
            add(static_cast<Roles>(jailing | looking | ask_to_show), {"ioctl"}, {is(1, request)});

        // The host's addresses and the names of its interfaces, by rtnetlink; who listens on vsock,
        // by sock_diag, and whether that can be reached from here, which only binding to the
        // address says.
        add(knowing_addresses, {"socket"}, {is(0, AF_NETLINK), is(2, NETLINK_ROUTE)});
        add(jailing, {"socket"}, {is(0, AF_NETLINK), is(2, NETLINK_SOCK_DIAG)});
        add(jailing, {"socket"}, {is(0, AF_VSOCK), is(1, SOCK_STREAM | SOCK_CLOEXEC)});
        add(jailing, {"bind"});
        add(knowing_addresses, {"setsockopt"}, {is(1, SOL_NETLINK)});
        add(static_cast<Roles>(knowing_addresses | asking), {"recvfrom", "recv"});
        add(knowing_addresses, {"ioctl"}, {is(1, SIOCGIFNAME)});

        // Connections from before are ended, by sock_diag in the network namespace of each.
        add(updating, {"socket"}, {is(0, AF_NETLINK), is(2, NETLINK_SOCK_DIAG)});
        add(static_cast<Roles>(attach | updating), {"setns"}, {is(1, CLONE_NEWNET)});

        // One process at a time changes rules that are in force: a file that was opened before.
        add(updating, {"flock"});

        // A jail's cgroup by the id that its reader has noted.
        add(static_cast<Roles>(verify | updating), {"open_by_handle_at"},
            {has_none_of(2, kOpensForWriting)});

        // The broker is looked for, and again after a while if it has too much to do.
        add(asking, {"socket"}, {is(0, AF_UNIX), is(1, SOCK_STREAM | SOCK_CLOEXEC)});
        add(asking, {"connect", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64"});
        // A descriptor goes over with the request. The answer has none, and is written by send(2).
        add(asking, {"sendmsg"});
        add(broker, {"recvmsg"});

        // The prober is ended, and waited for, by the process that has started it.
        add(static_cast<Roles>(jailing | verify), {"shutdown", "waitid"});

        // A child in a cgroup, or one that moves there, and that it has ended.
        add(prober, {"clone3", "wait4", "waitpid", "waitid"});
        add(prober, {"openat"}, {has_none_of(2, kOpensForWriting & ~std::uint64_t{O_WRONLY})});
        // What the jail is to deny.
        for (const int family : {AF_INET, AF_INET6, AF_UNIX})
            add(prober, {"socket"},
                {is(0, static_cast<unsigned>(family)), is(1, SOCK_DGRAM | SOCK_CLOEXEC)});
        add(prober, {"setsockopt", "getsockopt", "connect", "sendto"});

        // BPF: build, attach, ask, undo. No pins and no links; nothing that runs a program, walks
        // the machine's or opens another's maps; of other objects only the kernel's types, which
        // libbpf looks for in its modules.
        for (const unsigned command : std::initializer_list<unsigned>{
                 BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM,
                 BPF_MAP_FREEZE, BPF_BTF_LOAD, BPF_PROG_LOAD, kBpfProgBindMap, BPF_PROG_ATTACH,
                 BPF_PROG_DETACH, BPF_PROG_QUERY, BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD,
                 BPF_BTF_GET_NEXT_ID, BPF_BTF_GET_FD_BY_ID, kBpfTokenCreate})
            add(jailing, {"bpf"}, {is(0, command)});
        // BPF: look at what is attached. Then, by role: what it holds; whether that acts, and all
        // of the machine's; or take it away.
        for (const unsigned command : std::initializer_list<unsigned>{
                 BPF_PROG_QUERY, BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD})
            add(looking, {"bpf"}, {is(0, command)});
        for (const unsigned command :
             std::initializer_list<unsigned>{BPF_MAP_GET_FD_BY_ID, BPF_MAP_LOOKUP_ELEM,
                                             BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH})
            add(reading_maps, {"bpf"}, {is(0, command)});
        for (const unsigned command :
             std::initializer_list<unsigned>{BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM})
            add(static_cast<Roles>(verify | updating), {"bpf"}, {is(0, command)});
        add(static_cast<Roles>(verify | updating | follow), {"bpf"}, {is(0, BPF_PROG_GET_NEXT_ID)});
        add(detach, {"bpf"}, {is(0, BPF_PROG_DETACH)});
        // The kernel's types for the guard go to libbpf in a file in memory, and libbpf puts a map
        // into place by dup3.
        add(jailing, {"memfd_create", "dup3"});
        // libbpf raises it if the kernel counts BPF memory so; prepare() has done it already.
        add(jailing, {"prlimit64"}, {is(0, 0), is(1, RLIMIT_MEMLOCK)});
        add(jailing, {"setrlimit", "getrlimit", "ugetrlimit"}, {is(0, RLIMIT_MEMLOCK)});
        return list;
    }();
    return all;
}

}  // namespace jail_ai::filter
