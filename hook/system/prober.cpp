// SPDX-License-Identifier: Apache-2.0 OR MIT
//
// Both ends of the channel, so that its messages are types that no header shows.
#include "system/prober.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/absence.h"
#include "base/deadline.h"

namespace jail_ai {
namespace {

constexpr int kPatienceMs = 10'000;

enum class Kind { make_sockets, attempt };

struct MakeSockets {
    Kind kind = Kind::make_sockets;
    int cgroup = -1;
    std::uint32_t protocol = 0;
    bool with_unix = false;
};

struct MadeSockets {
    int error = 0;  // errno; 0 if all went well
    ProbeSockets sockets{};
};

struct Attempt {
    Kind kind = Kind::attempt;
    struct Target {
        bool wanted;
        std::uint8_t address[16];
        std::uint16_t port;
    };
    PerLine<Target> targets{};
    bool unix_hooks = false;
};

struct Attempted {
    PerLine<int> errors{};
};

union Question {
    Kind kind;
    MakeSockets make_sockets;
    Attempt attempt;
};

// fork(2) with flags, some of which the C library has no wrapper for.
long clone_process(std::uint64_t flags, int cgroup_fd, int* pidfd) {
    clone_args arguments{};
    arguments.flags = CLONE_FILES | flags;
    arguments.exit_signal = SIGCHLD;
    if (cgroup_fd >= 0) arguments.flags |= CLONE_INTO_CGROUP;
    if (cgroup_fd >= 0) arguments.cgroup = static_cast<std::uint64_t>(cgroup_fd);
    if (pidfd != nullptr) arguments.flags |= CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(pidfd);
    return ::syscall(SYS_clone3, &arguments, sizeof arguments);
}

// What the child in the cgroup leaves behind, in memory that it shares.
struct Made {
    int moved;  // errno
    int v4, v6, unix_datagram;
    int v4_error, v6_error, unix_error, family_error;
};

int new_socket(int family, int protocol, int& error) {
    const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
    error = fd < 0 ? errno : 0;
    return fd;
}

void move_to(int cgroup_fd, Made& made) {
    const int procs = ::openat(cgroup_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (procs < 0 || ::write(procs, "0", 1) != 1) made.moved = errno;
    if (procs >= 0) ::close(procs);
}

[[noreturn]] void be_child(const MakeSockets& order, bool moves, Made& made) {
    if (moves) move_to(order.cgroup, made);
    if (made.moved == 0) {
        made.v4 = new_socket(AF_INET, 0, made.v4_error);
        made.v6 = new_socket(AF_INET6, 0, made.v6_error);
        if (order.with_unix) made.unix_datagram = new_socket(AF_UNIX, 0, made.unix_error);
        if (order.protocol != 0)
            if (const int fd =
                    new_socket(AF_INET, static_cast<int>(order.protocol), made.family_error);
                fd >= 0)
                ::close(fd);
    }
    ::_exit(0);
}

// What goes on in the prober.
class Routine {
public:
    explicit Routine(int channel)
        : channel_(channel),
          made_(static_cast<Made*>(::mmap(nullptr, sizeof(Made), PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

    [[noreturn]] void run() {
        Question question{};
        while (made_ != MAP_FAILED && ::read(channel_, &question, sizeof question) > 0) {
            if (question.kind == Kind::make_sockets)
                answer(make_sockets(question.make_sockets));
            else
                answer(attempt(question.attempt));
        }
        ::_exit(1);
    }

private:
    template <typename Answer>
    void answer(const Answer& said) const {
        if (::write(channel_, &said, sizeof said) != sizeof said) ::_exit(1);
    }

    MadeSockets make_sockets(const MakeSockets& order) {
        MadeSockets made;
        made.error = have_made(order, false);
        if (made.error == EAGAIN)
            made.error = have_made(order, true);  // pids.max of the cgroup, or of one above
        if (made.error != 0) return made;
        v4_ = take(made_->v4, made.sockets.v4, made.error);
        v6_ = take(made_->v6, made.sockets.v6, made.error);
        unix_ = take(made_->unix_datagram, made.sockets.unix_datagram, made.error);
        for (const UniqueFd* ip : {&v4_, &v6_})
            if (*ip && ::setsockopt(ip->get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0)
                made.error = errno;
        made.sockets.family_error = made_->family_error;
        return made;
    }

    // Gives an errno or 0.
    int have_made(const MakeSockets& order, bool moves) {
        *made_ = {0, -1, -1, -1, 0, 0, 0, 0};
        const long child = clone_process(0, moves ? -1 : order.cgroup, nullptr);
        if (child < 0) return errno;
        if (child == 0) be_child(order, moves, *made_);
        int status = 0;
        if (::waitpid(static_cast<pid_t>(child), &status, 0) < 0) return errno;
        if (!WIFEXITED(status)) return EOWNERDEAD;  // killed with everything in the cgroup
        if (made_->moved != 0) return made_->moved;
        if (made_->v4_error != 0) return made_->v4_error;
        return means_absent(Sought::socket_family, made_->v6_error)
                   ? 0
                   : std::max(made_->v6_error, made_->unix_error);
    }

    static UniqueFd take(int fd, std::uint64_t& cookie, int& error) {
        UniqueFd taken(fd);
        socklen_t size = sizeof cookie;
        if (taken && ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) error = errno;
        return taken;
    }

    Attempted attempt(const Attempt& order) {
        Attempted done;
        const auto connects = [&](const UniqueFd& by, jail_line line) {
            done.errors[line] = call(by, order.targets[line], Call::connect);
        };
        const auto sends = [&](const UniqueFd& by, jail_line line) {
            done.errors[line] = call(by, order.targets[line], Call::send);
        };
        connects(v4_, JAIL_LINE_CONNECT4);
        sends(v4_, JAIL_LINE_SENDMSG4);
        connects(v6_, JAIL_LINE_CONNECT6);
        sends(v6_, JAIL_LINE_SENDMSG6);
        if (v4_ && order.targets[JAIL_LINE_EGRESS4].wanted) make_odd4();
        if (v6_ && order.targets[JAIL_LINE_EGRESS6].wanted) make_odd6();
        sends(v4_, JAIL_LINE_EGRESS4);
        sends(v6_, JAIL_LINE_EGRESS6);
        if (order.unix_hooks) done.errors[JAIL_LINE_UNIX] = connect_nowhere();
        v4_.reset();
        v6_.reset();
        unix_.reset();
        return done;
    }

    enum class Call { connect, send };

    static int call(const UniqueFd& by, const Attempt::Target& target, Call which) {
        if (!by || !target.wanted) return 0;
        sockaddr_storage to{};
        socklen_t size = 0;
        in6_addr mapped{};
        std::memcpy(&mapped, target.address, sizeof mapped);
        if (IN6_IS_ADDR_V4MAPPED(&mapped)) {
            auto& v4 = reinterpret_cast<sockaddr_in&>(to);
            v4.sin_family = AF_INET;
            v4.sin_port = htons(target.port);
            std::memcpy(&v4.sin_addr, target.address + 12, sizeof v4.sin_addr);
            size = sizeof v4;
        } else {
            auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(target.port);
            v6.sin6_addr = mapped;
            size = sizeof v6;
        }
        limit_hops(by.get(), to.ss_family);
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        if (which == Call::connect) return ::connect(by.get(), address, size) == 0 ? 0 : errno;
        return ::sendto(by.get(), "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, address, size) == 0 ? 0
                                                                                          : errno;
    }

    static void limit_hops(int fd, int family) {
        const int one = 1;
        if (family == AF_INET)
            ::setsockopt(fd, IPPROTO_IP, IP_TTL, &one, sizeof one);
        else
            ::setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &one, sizeof one);
    }

    static void clear_error(int fd) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }

    // From now on what it sends is what egress denies whatever the rules: a list of options that is
    // longer than any program needs, for it may hide a source route (bpf/packet.h). Options that do
    // nothing take no privilege.
    void make_odd4() const {
        std::uint8_t options[40];
        std::memset(options, 1, sizeof options);  // no operation, RFC 791 3.1
        clear_error(v4_.get());
        ::setsockopt(v4_.get(), IPPROTO_IP, IP_OPTIONS, options, sizeof options);
    }

    // A source route through ::1, which the loopback device leads to.
    void make_odd6() const {
        struct {  // RFC 8754 2
            std::uint8_t next_header, length, type, segments_left, last_entry, flags, tag[2];
            in6_addr segments[2];
        } route{};
        route.length = sizeof route.segments / 8;
        route.type = 4;
        route.segments_left = 1;
        route.last_entry = 1;
        route.segments[1] = in6addr_loopback;
        clear_error(v6_.get());
        ::setsockopt(v6_.get(), IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof route);
    }

    int connect_nowhere() const {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        constexpr std::string_view kName = "jail-ai-hook probes";
        kName.copy(name.sun_path + 1, kName.size());
        const auto size =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + kName.size());
        return ::connect(unix_.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0 ? 0
                                                                                           : errno;
    }

    int channel_;
    Made* made_;
    UniqueFd v4_, v6_, unix_;
};

std::optional<Prober>& instance() {
    static std::optional<Prober> one;
    return one;
}

Error cannot_enter(int error) {
    constexpr std::string_view kWhat = "make sockets in the container's cgroup";
    switch (error) {
        case EBUSY:
        case EOPNOTSUPP: return system_error(kWhat, error, EX_TEMPFAIL);
        case EOWNERDEAD:
            return Error{EX_TEMPFAIL, fmt::format("{}: the process that did it was killed", kWhat)};
        default: return lookup_error(kWhat, error, Sought::kernel_file);
    }
}

}  // namespace

Status Prober::start(Status (*confine)()) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return system_error("make a channel to the prober", errno);
    UniqueFd ours(ends[0]);
    const pid_t parent = ::getpid();
    int pidfd = -1;
    const long pid = clone_process(0, -1, &pidfd);
    if (pid < 0) return system_error("start the prober", errno);
    if (pid == 0) {
        // Descriptors are shared: the end of the channel means nothing.
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent || !confine())
            ::_exit(1);
        Routine(ends[1]).run();
    }
    instance().emplace(Prober(std::move(ours), UniqueFd(pidfd)));
    return ok();
}

Result<Prober*> Prober::get() {
    if (!instance()) return Error{EX_SOFTWARE, "no prober was started"};
    return &*instance();
}

void Prober::end() {
    if (!instance()) return;
    siginfo_t info{};
    // To close it shows nothing, since the prober has it, too. Where this fails the prober stays
    // until its caller ends.
    const bool ends = ::shutdown(instance()->channel_.get(), SHUT_RDWR) == 0;
    while (ends &&
           ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(instance()->pidfd_.get()),
                    &info, WEXITED | __WALL) != 0 &&
           errno == EINTR)
        continue;
    instance().reset();
}

template <typename Answer, typename Question>
Result<Answer> Prober::ask(const Question& question) {
    if (::write(channel_.get(), &question, sizeof question) != sizeof question)
        return system_error("send to the prober", errno);
    pollfd polled[2] = {{channel_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
    int ready = 0;
    do ready = ::poll(polled, 2, kPatienceMs);
    while (ready < 0 && errno == EINTR && !deadline_passed());
    if (ready < 0) return system_error("wait for the prober", errno);
    if (ready == 0)
        return Error{EX_TEMPFAIL,
                     fmt::format("the prober has not answered within {} s", kPatienceMs / 1000)};
    if (polled[0].revents == 0) return Error{EX_OSERR, "the prober has ended"};
    Answer answer;
    if (::read(channel_.get(), &answer, sizeof answer) != sizeof answer)
        return system_error("hear the prober", errno);
    return answer;
}

Result<ProbeSockets> Prober::make_sockets(int cgroup_fd, std::uint32_t protocol, bool with_unix) {
    MakeSockets question;
    question.cgroup = cgroup_fd;
    question.protocol = protocol;
    question.with_unix = with_unix;
    auto made = TRY(ask<MadeSockets>(question));
    if (made.error != 0) return cannot_enter(made.error);
    return made.sockets;
}

Result<PerLine<int>> Prober::attempt(const ProbePlan& plan) {
    Attempt question;
    question.unix_hooks = plan.unix_hooks;
    for (std::size_t line = 0; line < plan.targets.size(); ++line) {
        const auto& target = plan.targets[line];
        if (!target) continue;
        question.targets[line].wanted = true;
        question.targets[line].port = target->port;
        std::ranges::copy(target->address.key().addr, question.targets[line].address);
    }
    auto attempted = TRY(ask<Attempted>(question));
    return attempted.errors;
}

}  // namespace jail_ai
