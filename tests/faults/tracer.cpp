// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "tracer.h"

#include <seccomp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <utility>

#include "must.h"

namespace jail_ai::test {
namespace {

constexpr time_t kPatience = 30;  // s

constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
                          PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
constexpr int kSystemCall = SIGTRAP | 0x80;

volatile sig_atomic_t out_of_patience = 0;

extern "C" void on_alarm(int /*signal*/) {
    out_of_patience = 1;
}

// Interrupts waitpid(2), again and again.
class Patience {
public:
    Patience() {
        out_of_patience = 0;
        struct sigaction action {};
        action.sa_handler = on_alarm;
        ::sigaction(SIGALRM, &action, nullptr);
        const itimerval timer{{1, 0}, {kPatience, 0}};
        must(::setitimer(ITIMER_REAL, &timer, nullptr), "set a timer");
    }
    ~Patience() {
        const itimerval none{};
        ::setitimer(ITIMER_REAL, &none, nullptr);
    }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;
};

int errno_of(Kind kind) {
    switch (kind) {
        case Kind::eintr: return EINTR;
        case Kind::enomem: return ENOMEM;
        case Kind::eperm: return EPERM;
        case Kind::eio: return EIO;
        case Kind::enoent: return ENOENT;
        default: return 0;
    }
}

// A dump over netlink, which asks for MSG_TRUNC, comes in whole messages.
bool may_be_short(const __ptrace_syscall_info& info) {
    switch (info.entry.nr) {
        case SYS_read:
        case SYS_pread64:
        case SYS_write: return info.entry.args[2] > 1;
        case SYS_getdents64: return true;
        case SYS_recvfrom: return info.entry.args[2] > 1 && (info.entry.args[3] & MSG_TRUNC) == 0;
        default: return false;
    }
}

// The beginning of a string of the process's: up to the end of the page, behind which there may be
// nothing. Empty if it can't be read.
std::string string_of(pid_t pid, unsigned long long address) {
    constexpr unsigned long long kPage = 4096;
    char text[256]{};
    const iovec here{text, sizeof text - 1};
    const iovec there{reinterpret_cast<void*>(address),
                      std::min<std::size_t>(here.iov_len, kPage - address % kPage)};
    return ::process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 ? "" : text;
}

class Tracer {
public:
    Tracer(pid_t pid, const std::optional<Fault>& fault) : main_(pid), fault_(fault) {
        must(::ptrace(PTRACE_SEIZE, pid, nullptr, kOptions), "trace a process");
        tracees_[pid] = {next_index_++, 0, false};
    }

    Traced run() {
        const Patience patience;
        while (!tracees_.empty()) {
            int status = 0;
            const pid_t pid = ::waitpid(-1, &status, __WALL);
            if (pid < 0 && errno != EINTR) throw_errno("wait for what is traced");
            if (out_of_patience != 0) end_all();
            if (pid > 0) heed(pid, status);
        }
        return std::move(traced_);
    }

private:
    struct Tracee {
        int index;
        int calls;
        bool fails;  // the call that it is in
    };

    void end_all() {
        traced_.hung = true;
        for (const auto& [pid, tracee] : tracees_) ::kill(pid, SIGKILL);
    }

    void heed(pid_t pid, int status) {
        if (!WIFSTOPPED(status)) {
            tracees_.erase(pid);
            if (pid == main_ && WIFEXITED(status)) traced_.exit_code = WEXITSTATUS(status);
            if (pid == main_ && WIFSIGNALED(status)) traced_.signal = WTERMSIG(status);
            return;
        }
        const auto [known, is_new] = tracees_.try_emplace(pid);
        Tracee& tracee = known->second;
        if (is_new) tracee = {next_index_++, 0, false};
        const int event = status >> 16;
        int signal = 0;
        if (event == PTRACE_EVENT_EXEC && pid == main_) counting_ = true;
        if (event == 0 && WSTOPSIG(status) == kSystemCall)
            heed_call(pid, tracee);
        else if (event == 0)
            signal = WSTOPSIG(status);
        const bool stops = counting_ && !done_ && (!fault_ || fault_->process == tracee.index);
        // What was killed meanwhile can't be resumed.
        ::ptrace(stops || tracee.fails ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr, signal);
    }

    void heed_call(pid_t pid, Tracee& tracee) {
        if (tracee.fails) {
            user_regs_struct registers{};
            if (::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) != 0) return;
            // brk(2) gives no errno but where the break is, in front of what was asked for.
            registers.rax = traced_.number == SYS_brk
                                ? 0
                                : static_cast<unsigned long long>(-errno_of(fault_->kind));
            ::ptrace(PTRACE_SETREGS, pid, nullptr, &registers);
            tracee.fails = false;
            return;
        }
        if (done_) return;
        __ptrace_syscall_info info{};
        if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0 ||
            info.op != PTRACE_SYSCALL_INFO_ENTRY)
            return;
        const Call call{tracee.index, tracee.calls++, static_cast<long>(info.entry.nr),
                        may_be_short(info)};
        if (!fault_) traced_.calls.push_back(call);
        if (!fault_ && call.number == SYS_openat)
            traced_.calls.back().path = string_of(pid, info.entry.args[1]);
        if (fault_ && fault_->process == call.process && fault_->call == call.call &&
            can_happen(fault_->kind, call))
            inject(pid, tracee, call);
    }

    void inject(pid_t pid, Tracee& tracee, const Call& call) {
        traced_.injected = done_ = true;
        traced_.number = call.number;
        if (fault_->kind == Kind::killed || fault_->kind == Kind::deadline) {
            ::kill(pid, fault_->kind == Kind::killed ? SIGKILL : SIGALRM);
            return;
        }
        user_regs_struct registers{};
        must(::ptrace(PTRACE_GETREGS, pid, nullptr, &registers), "read registers");
        if (fault_->kind == Kind::short_count) {
            constexpr unsigned long long kOneEntry = 320;  // a name has up to 255 bytes
            registers.rdx = call.number == SYS_getdents64 ? kOneEntry : 1;
        } else {
            registers.orig_rax = SYS_getppid;
            tracee.fails = true;
        }
        must(::ptrace(PTRACE_SETREGS, pid, nullptr, &registers), "write registers");
    }

    pid_t main_;
    const std::optional<Fault>& fault_;
    std::map<pid_t, Tracee> tracees_;
    int next_index_ = 0;
    bool counting_ = false;
    bool done_ = false;
    Traced traced_;
};

}  // namespace

const char* name_of(Kind kind) {
    const auto* const found = std::ranges::find(kKinds, kind, &NamedKind::kind);
    return found == std::end(kKinds) ? "ENOENT" : found->name;
}

std::string name_of_call(long number) {
    char* const name =
        ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
    std::string copy = name != nullptr ? name : "call " + std::to_string(number);
    ::free(name);
    return copy;
}

bool can_happen(Kind kind, const Call& call) {
    switch (kind) {
        case Kind::killed:
        case Kind::deadline: return true;
        case Kind::short_count: return call.may_be_short;
        default:
            if (call.number == SYS_brk) return kind == Kind::enomem;
            return call.number != SYS_exit && call.number != SYS_exit_group &&
                   call.number != SYS_rt_sigreturn;  // which don't return
    }
}

std::vector<Call> without_long_rows(const std::vector<Call>& calls) {
    constexpr std::size_t kLong = 100, kEnds = 5, kStep = 50;
    std::vector<Call> kept;
    for (std::size_t begin = 0, end = 0; begin < calls.size(); begin = end) {
        const auto is_another = [&](const Call& call) {
            return call.process != calls[begin].process || call.number != calls[begin].number;
        };
        end = static_cast<std::size_t>(
            std::find_if(calls.begin() + static_cast<std::ptrdiff_t>(begin), calls.end(),
                         is_another) -
            calls.begin());
        for (std::size_t i = begin; i < end; ++i)
            if (end - begin <= kLong || i < begin + kEnds || i + kEnds >= end || i % kStep == 0)
                kept.push_back(calls[i]);
    }
    return kept;
}

Traced trace(pid_t pid, int released_by, const std::optional<Fault>& fault) {
    Tracer tracer(pid, fault);
    must(::write(released_by, "", 1), "release what is traced");
    return tracer.run();
}

void await_tracer(int released) {
    char byte = 0;
    if (must(::read(released, &byte, 1), "wait for the tracer") != 1) ::_exit(125);
}

}  // namespace jail_ai::test
