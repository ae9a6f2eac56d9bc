// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Phase 6: the filter. Each row is tried unconfined as well, if it must not kill; arguments are
// such that nothing comes of it there.
#include <sys/socket.h>  // which older <linux/vm_sockets.h> does not include

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "base/report.h"
#include "confined.h"
#include "container.h"
#include "protocol_reporter.h"
#include "sandbox/phases.h"

#define NEED_FILTER() \
    if (!kHasSyscallFilter) SKIP_CASE("a build with sanitizers has no filter")

namespace jail_ai::test {
namespace {

constexpr std::array kRoles = {
    Role::create_runtime, Role::precreate, Role::ask_broker, Role::broker,     Role::prober,
    Role::show,           Role::verify,    Role::detach,     Role::attach,     Role::explain,
    Role::refresh,        Role::watch,     Role::follow,     Role::ask_to_show};

constexpr unsigned bit(Role role) {
    return 1U << static_cast<unsigned>(role);
}

constexpr unsigned kToShow = bit(Role::ask_to_show);
constexpr unsigned kAsker = bit(Role::ask_broker) | kToShow;
constexpr unsigned kBroker = bit(Role::broker);
constexpr unsigned kAttach = bit(Role::attach);
constexpr unsigned kHooks = bit(Role::create_runtime) | kBroker;
constexpr unsigned kJailing = kHooks | kAttach;
constexpr unsigned kProber = bit(Role::prober);
constexpr unsigned kVerify = bit(Role::verify);
constexpr unsigned kDetach = bit(Role::detach);
constexpr unsigned kExplain = bit(Role::explain);
constexpr unsigned kUpdating = bit(Role::refresh) | bit(Role::watch);
constexpr unsigned kFollow = bit(Role::watch) | bit(Role::follow);
constexpr unsigned kShowing = bit(Role::show) | kVerify | kAttach | kExplain | kUpdating | kFollow;
constexpr unsigned kLooking = kShowing | kDetach;
constexpr unsigned kRoutes = kJailing | kVerify | kExplain | kUpdating;

struct Row {
    const char* what;
    Deed deed;
    unsigned allowed = 0;  // bits of the roles that it doesn't kill
};

long nothing(long number) {
    return ::syscall(number, -1L, 0L, 0L, 0L, 0L, 0L);
}

long bpf(unsigned command) {
    bpf_attr attributes{};
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

long child_of(long pid) {
    if (pid == 0) ::_exit(0);
    return pid;
}

long open_as(int flags) {
    return ::syscall(SYS_openat, AT_FDCWD, "/nowhere/file", flags, 0600);
}

const std::array kCalls = std::to_array<Row>({
    {"execve",
     [] {
         const char* const words[] = {"file", nullptr};
         return ::syscall(SYS_execve, "/nowhere/file", words, nullptr);
     }},
    {"execveat", [] { return nothing(SYS_execveat); }},
    {"fork", [] { return child_of(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr)); }},
    {"clone3", [] { return nothing(SYS_clone3); }, kProber},
    {"unshare", [] { return ::syscall(SYS_unshare, 0); }},
    {"setns of any kind", [] { return ::syscall(SYS_setns, -1, 0); }},
    {"setns of a mount namespace", [] { return ::syscall(SYS_setns, -1, CLONE_NEWNS); }},
    {"setns of a network namespace", [] { return ::syscall(SYS_setns, -1, CLONE_NEWNET); }, kAttach | kUpdating},
    {"flock", [] { return nothing(SYS_flock); }, kUpdating},
    {"epoll_create1", [] { return nothing(SYS_epoll_create1); }},
    {"open for writing", [] { return open_as(O_WRONLY); }, kProber},
    {"open for reading and writing", [] { return open_as(O_RDWR); }},
    {"open to create", [] { return open_as(O_RDONLY | O_CREAT); }},
    {"open to truncate", [] { return open_as(O_RDONLY | O_TRUNC); }},
    {"open a nameless file", [] { return open_as(O_TMPFILE | O_RDWR); }},
    {"openat2", [] { return nothing(SYS_openat2); }},
    {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, -1, nullptr, O_RDONLY); }, kVerify | kUpdating},
    {"open_by_handle_at for writing", [] { return ::syscall(SYS_open_by_handle_at, -1, nullptr, O_RDWR); }},
    {"unlinkat", [] { return nothing(SYS_unlinkat); }},
    {"renameat2", [] { return nothing(SYS_renameat2); }},
    {"linkat", [] { return nothing(SYS_linkat); }},
    {"symlinkat", [] { return nothing(SYS_symlinkat); }},
    {"mkdirat", [] { return nothing(SYS_mkdirat); }},
    {"mknodat", [] { return nothing(SYS_mknodat); }},
    {"fchmodat", [] { return nothing(SYS_fchmodat); }},
    {"fchownat", [] { return nothing(SYS_fchownat); }},
    {"truncate", [] { return ::syscall(SYS_truncate, "/nowhere/file", 0); }},
    {"ftruncate", [] { return nothing(SYS_ftruncate); }},
    {"setxattr", [] { return nothing(SYS_setxattr); }},
    {"utimensat", [] { return ::syscall(SYS_utimensat, -1, "nowhere", nullptr, 0); }},
    {"dup2", [] { return static_cast<long>(::dup2(-1, -1)); }},
    {"dup3", [] { return nothing(SYS_dup3); }, kJailing},
    {"memfd_create", [] { return ::syscall(SYS_memfd_create, nullptr, 0); }, kJailing},
    {"pidfd_open", [] { return nothing(SYS_pidfd_open); }, kJailing | kAsker | kLooking},
    {"pidfd_getfd", [] { return nothing(SYS_pidfd_getfd); }, kJailing},
    {"pwrite64", [] { return nothing(SYS_pwrite64); }},
    {"sendfile", [] { return nothing(SYS_sendfile); }},
    {"splice", [] { return nothing(SYS_splice); }},
    {"an inet socket", [] { return static_cast<long>(::socket(AF_INET, SOCK_STREAM, 0)); }},
    {"an inet6 socket", [] { return static_cast<long>(::socket(AF_INET6, SOCK_DGRAM, 0)); }},
    {"an inet6 socket for datagrams that no other program gets", [] { return static_cast<long>(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }, kProber},
    {"a packet socket", [] { return static_cast<long>(::socket(AF_PACKET, SOCK_RAW, 0)); }},
    {"a vsock socket", [] { return static_cast<long>(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0)); }, kJailing},
    {"a vsock socket for datagrams", [] { return static_cast<long>(::socket(AF_VSOCK, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }},
    {"a Unix socket", [] { return static_cast<long>(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }, kAsker},
    {"a Unix socket for datagrams", [] { return static_cast<long>(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }, kProber},
    {"netlink for routes", [] { return static_cast<long>(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)); }, kRoutes},
    {"netlink for sockets", [] { return static_cast<long>(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)); }, kJailing | kUpdating},
    {"netlink other than for routes", [] { return static_cast<long>(::socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT)); }},
    {"socketpair", [] { return ::syscall(SYS_socketpair, -1, 0, 0, nullptr); }},
    {"connect", [] { return nothing(SYS_connect); }, kAsker | kProber},
    {"bind", [] { return nothing(SYS_bind); }, kJailing},
    {"listen", [] { return nothing(SYS_listen); }},
    {"accept4", [] { return nothing(SYS_accept4); }},
    {"send to an address",
     [] {
         const sockaddr_in to{};
         return static_cast<long>(::sendto(-1, "", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to));
     }, kProber},
    {"sendmsg", [] { return nothing(SYS_sendmsg); }, kAsker},
    {"recvmsg", [] { return nothing(SYS_recvmsg); }, kBroker},
    {"shutdown", [] { return nothing(SYS_shutdown); }, kJailing | kVerify},
    {"getsockopt", [] { return nothing(SYS_getsockopt); }, kJailing | kProber},
    {"setsockopt of any socket", [] { return static_cast<long>(::setsockopt(-1, SOL_SOCKET, SO_RCVBUF, nullptr, 0)); }, kProber},
    {"setsockopt of netlink", [] { return static_cast<long>(::setsockopt(-1, SOL_NETLINK, NETLINK_EXT_ACK, nullptr, 0)); }, kRoutes | kProber},
    {"sendmmsg", [] { return nothing(SYS_sendmmsg); }},
    {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_PEEKDATA, ::getpid(), nullptr, nullptr); }},
    {"process_vm_readv", [] { return nothing(SYS_process_vm_readv); }},
    {"process_vm_writev", [] { return nothing(SYS_process_vm_writev); }},
    {"kill", [] { return ::syscall(SYS_kill, ::getpid(), 0); }},
    {"tgkill", [] { return ::syscall(SYS_tgkill, ::getpid(), ::getpid(), 0); }},
    {"pidfd_send_signal", [] { return nothing(SYS_pidfd_send_signal); }},
    {"mount", [] { return ::syscall(SYS_mount, nullptr, "/nowhere", nullptr, MS_BIND, nullptr); }},
    {"umount2", [] { return ::syscall(SYS_umount2, "/nowhere", 0); }},
    {"fsopen", [] { return ::syscall(SYS_fsopen, nullptr, 0); }},
    {"open_tree", [] { return nothing(SYS_open_tree); }},
    {"move_mount", [] { return nothing(SYS_move_mount); }},
    {"pivot_root", [] { return ::syscall(SYS_pivot_root, nullptr, nullptr); }},
    {"chroot", [] { return ::syscall(SYS_chroot, nullptr); }},
    {"chdir", [] { return ::syscall(SYS_chdir, nullptr); }},
    {"kexec_load", [] { return ::syscall(SYS_kexec_load, 0L, ~0L, nullptr, ~0L); }},
    {"reboot", [] { return ::syscall(SYS_reboot, 0, 0, 0, nullptr); }},
    {"init_module", [] { return ::syscall(SYS_init_module, nullptr, 0, nullptr); }},
    {"finit_module", [] { return nothing(SYS_finit_module); }},
    {"delete_module", [] { return ::syscall(SYS_delete_module, nullptr, 0); }},
    {"swapoff", [] { return ::syscall(SYS_swapoff, nullptr); }},
    {"sethostname", [] { return ::syscall(SYS_sethostname, nullptr, -1L); }},
    {"settimeofday", [] { return ::syscall(SYS_settimeofday, 1L, nullptr); }},
    {"timer_delete", [] { return nothing(SYS_timer_delete); }, kLooking | kToShow},
    {"capset", [] { return nothing(SYS_capset); }},
    {"setuid", [] { return ::syscall(SYS_setuid, ::getuid()); }},
    {"prctl", [] { return static_cast<long>(::prctl(PR_GET_DUMPABLE)); }},
    {"seccomp", [] { return nothing(SYS_seccomp); }},
    {"keyctl", [] { return nothing(SYS_keyctl); }},
    {"perf_event_open", [] { return nothing(SYS_perf_event_open); }},
    {"userfaultfd", [] { return nothing(SYS_userfaultfd); }},
    {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 0, nullptr); }},
    {"ioctl to type into a terminal", [] { return static_cast<long>(::ioctl(-1, TIOCSTI, "")); }},
    {"a file opened by duplicating onto standard output", [] { return static_cast<long>(::fcntl(-1, F_DUPFD, 1)); }},
    {"executable memory", [] { return reinterpret_cast<long>(::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); }},
    {"memory made executable", [] { return static_cast<long>(::mprotect(nullptr, 4096, PROT_READ | PROT_EXEC)); }},
    {"bpf: load", [] { return bpf(BPF_PROG_LOAD); }, kJailing},
    {"bpf: pin", [] { return bpf(BPF_OBJ_PIN); }},
    {"bpf: take what is pinned", [] { return bpf(BPF_OBJ_GET); }},
    {"bpf: read a map", [] { return bpf(BPF_MAP_LOOKUP_ELEM); }, kJailing | kShowing},
    {"bpf: take an entry out of a map", [] { return bpf(BPF_MAP_DELETE_ELEM); }, kJailing | kVerify | kUpdating},
    {"bpf: write into a map", [] { return bpf(BPF_MAP_UPDATE_ELEM); }, kJailing | kVerify | kUpdating},
    {"bpf: walk a map", [] { return bpf(BPF_MAP_GET_NEXT_KEY); }, kShowing | kBroker},
    {"bpf: make a map", [] { return bpf(BPF_MAP_CREATE); }, kJailing},
    {"bpf: ask what is attached", [] { return bpf(BPF_PROG_QUERY); }, kJailing | kLooking},
    {"bpf: attach", [] { return bpf(BPF_PROG_ATTACH); }, kJailing},
    {"bpf: detach", [] { return bpf(BPF_PROG_DETACH); }, kJailing | kDetach},
    {"bpf: open a map by its id", [] { return bpf(BPF_MAP_GET_FD_BY_ID); }, kShowing | kBroker},
    {"bpf: walk the programs", [] { return bpf(BPF_PROG_GET_NEXT_ID); }, kVerify | kUpdating | kFollow},
    {"bpf: run a program", [] { return bpf(BPF_PROG_TEST_RUN); }},
    {"bpf: link", [] { return bpf(BPF_LINK_CREATE); }},
    {"bpf: trace", [] { return bpf(BPF_RAW_TRACEPOINT_OPEN); }},
#ifdef __x86_64__
    {"a call by the x32 convention", [] { return ::syscall(0x40000000L | SYS_getpid); }},
#endif
});

TEST_CASE("what a role has no use for kills it, and nothing else does") {
    NEED_FILTER();
    for (const Row& row : kCalls) {
        CAPTURE(row.what);
        CHECK(unconfined(row.deed) != "killed");
        for (const Role role : kRoles) {
            INFO(std::string(name_of(role)));
            CHECK((confined(role, row.deed) == "killed") == ((row.allowed & bit(role)) == 0));
        }
    }
}

#ifdef __x86_64__
TEST_CASE("a call by the 32-bit convention kills") {
    NEED_FILTER();
    const Deed get_pid = [] {
        long result = 20;  // getpid there
        asm volatile("int $0x80" : "+a"(result) : : "memory");
        return result;
    };
    if (unconfined(get_pid) != "does") SKIP_CASE("this kernel runs no 32-bit calls");
    for (const Role role : kRoles) CHECK(confined(role, get_pid) == "killed");
}
#endif

TEST_CASE("what libraries do of themselves goes on working") {
    NEED_FILTER();
    const Deed live = []() -> long {
        const std::vector<char> large(64U << 20, 'x');
        std::unique_ptr<char[]> moved(new char[large.size() * 2]);
        bool caught = false;
        try {
            throw std::runtime_error("x");
        } catch (const std::exception&) {
            caught = true;
        }
        std::ostringstream text;
        text << 1.5 << ::strerror(EACCES) << std::time(nullptr);
        std::ifstream status("/proc/self/status");
        std::string line;
        std::getline(status, line);
        return caught && line.starts_with("Name:") && !text.str().empty() && moved != nullptr ? 0
                                                                                              : -1;
    };
    for (const Role role : kRoles) {
        INFO(std::string(name_of(role)));
        CHECK(confined(role, live) == "does");
    }
    const Deed log = []() -> long {
        report(LOG_INFO, "a line from the sandbox tests");
        return 0;
    };
    for (const Role role : kRoles) {
        INFO(std::string(name_of(role)));
        if (role == Role::prober) continue;  // has nothing to say
        CHECK(confined(role, log) == "does");
        Laboratory::get().dev.take_log(0);  // makes room: net.unix.max_dgram_qlen, unix(7)
    }
}

TEST_CASE("a line is logged with the connection that was there before") {
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (!confine(Role::precreate)) ::_exit(1);
        report(LOG_INFO, "said when confined");
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    const auto log = Laboratory::get().dev.take_log(pid);
    REQUIRE(log.size() == 1);
    CHECK(log.front().ends_with("said when confined"));
}

}  // namespace
}  // namespace jail_ai::test
