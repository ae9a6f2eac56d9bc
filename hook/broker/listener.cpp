// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include "base/clock.h"
#include "base/quote.h"
#include "broker/connection.h"
#include "broker/notices.h"
#include "system/cgroup_walk.h"
#include "system/file.h"
#include "system/people_files.h"
#include "system/process.h"

namespace jail_ai {
namespace {

// Of the process that starts others, whose permitted set they get.
Status have_no_capability_in_effect() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return system_error("capget", errno);
    for (auto& half : data) half.effective = half.inheritable = 0;
    if (::syscall(SYS_capset, &header, data.data()) != 0) return system_error("capset", errno);
    return ok();
}

// "user-UID.slice", which systemd-logind(8) makes of every session of that user's: 0 for another.
uid_t user_of_slice(std::string_view path) {
    constexpr std::string_view kBegin = "user-", kEnd = ".slice";
    std::string_view name = path.substr(path.rfind('/') + 1);
    if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return 0;
    name.remove_prefix(kBegin.size());
    name.remove_suffix(kEnd.size());
    return parse_uid(name).value_or(0);
}

// Its number may have been given to another process since it connected, whose person is then taken
// for the asking one: for that the asking hook would have had to end.
Result<uid_t> person_by_cgroup(const Peer& peer) {
    const auto process = TRY(Process::open(peer.pid).context("the asking process"));
    const auto cgroups = TRY(cgroups_of(process).context("the asking process"));
    for (auto cgroup = cgroups.rbegin(); cgroup != cgroups.rend(); ++cgroup) {
        struct stat info {};
        if (::fstat(cgroup->fd.get(), &info) != 0) return system_error("stat cgroup", errno);
        if (info.st_uid != 0) return info.st_uid;
        if (const uid_t user = user_of_slice(cgroup->path); user != 0) return user;
    }
    return peer.uid;
}

class Listener {
public:
    Listener(int fd, const std::vector<std::string>& words,
             const std::function<void(std::string line)>& warn)
        : fd_(fd), warn_(warn) {
        for (const std::string& word : words) words_.push_back(const_cast<char*>(word.c_str()));
        words_.push_back(nullptr);
    }

    // False once no client has come for so long, and none is being served.
    Result<bool> serve_next(unsigned idle_seconds) {
        std::vector<pollfd> polled = {{fd_, POLLIN, 0}};
        for (const Request& request : requests_)
            polled.push_back({request.process.get(), POLLIN, 0});
        const int timeout = requests_.empty() ? static_cast<int>(idle_seconds) * 1000 : -1;
        const int ready = ::poll(polled.data(), polled.size(), timeout);
        if (ready < 0 && errno != EINTR) return system_error("wait for connections", errno);
        if (ready == 0) return false;
        std::erase_if(requests_, [this](const Request& request) { return has_ended(request); });
        TRY(accept_all());
        return true;
    }

private:
    struct Request {
        uid_t person;
        UniqueFd process;
    };

    bool has_ended(const Request& request) {
        siginfo_t info{};
        if (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(request.process.get()),
                     &info, WEXITED | WNOHANG) != 0)
            return true;
        if (info.si_pid == 0) return false;
        // What ends by itself has reported why.
        if (info.si_code != CLD_EXITED)
            notify(request.person, NoticeCause::killed,
                   fmt::format("a request was killed by signal {}: it took more time or memory "
                               "than one may",
                               info.si_status));
        return true;
    }

    void notify(uid_t person, NoticeCause cause, std::string_view what) {
        constexpr std::uint64_t kSecond = 1'000'000'000;
        if (notices_.is_due(person, cause, nanoseconds(CLOCK_MONOTONIC) / kSecond))
            warn_(fmt::format("broker: uid {}: {}", person, what));
    }

    // Not more of them in one go than a queue holds, so that those that have ended are seen.
    Status accept_all() {
        for (int accepted = 0; accepted < kQueue; ++accepted) {
            const UniqueFd connection(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
            if (!connection) {
                if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return ok();
                return system_error("accept a connection", errno);
            }
            serve(connection.get());
        }
        return ok();
    }

    void serve(int connection) {
        const auto accepted = Connection::on(connection);
        if (!accepted) return;
        if (const auto started = start(*accepted, connection); !started) {
            const Error& error = started.error();
            // A client that has gone gets no answer.
            static_cast<void>(accepted->answer({ReplyStatus::no, error.exit_code, error.message}));
        }
    }

    Status start(const Connection& accepted, int connection) {
        const uid_t person = TRY(person_of(accepted.peer()));
        TRY(check_share(person));
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, connection, STDIN_FILENO);
        char* environment[] = {nullptr};
        pid_t pid = 0;
        const int failed =
            ::posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, words_.data(), environment);
        ::posix_spawn_file_actions_destroy(&actions);
        if (failed != 0) return system_error("start a process", failed, EX_TEMPFAIL);
        UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!process) {
            const int number = errno;
            ::waitpid(pid, nullptr, 0);
            return system_error("pidfd_open", number);
        }
        requests_.push_back({person, std::move(process)});
        return ok();
    }

    Result<uid_t> person_of(const Peer& peer) {
        const People* people = TRY(files_.read());
        if (const auto owner = people->owner_of(peer.uid)) return *owner;
        return person_by_cgroup(peer);
    }

    Status check_share(uid_t person) {
        const auto served = std::ranges::count(requests_, person, &Request::person);
        if (static_cast<std::size_t>(served) >= kShareOfPerson) {
            notify(person, NoticeCause::busy,
                   fmt::format("{} requests are being served, as many as a person may have: more "
                               "are answered with busy",
                               kShareOfPerson));
            return Error{EX_TEMPFAIL, fmt::format("busy: {} requests of uid {} are being served",
                                                  kShareOfPerson, person)};
        }
        if (requests_.size() >= kMostRequests) {
            notify(person, NoticeCause::busy,
                   fmt::format("{} requests of all users are being served: more are answered with "
                               "busy",
                               kMostRequests));
            return Error{EX_TEMPFAIL,
                         fmt::format("busy: {} requests are being served", kMostRequests)};
        }
        return ok();
    }

    static constexpr int kQueue = 4096;  // Backlog= of a socket unit, where it isn't set

    int fd_;
    const std::function<void(std::string line)>& warn_;
    std::vector<char*> words_;
    Notices notices_;
    std::vector<Request> requests_;
    PeopleFiles files_;
};

}  // namespace

Result<bool> is_listening(int fd) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0) return value != 0;
    if (errno == ENOTSOCK) return false;
    return system_error("look at standard input", errno, EX_USAGE);
}

Status serve_connections(int listener, const std::vector<std::string>& words, unsigned idle_seconds,
                         const std::function<void(std::string line)>& warn) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return system_error("set no_new_privs", errno);
    TRY(have_no_capability_in_effect());
    const int flags = ::fcntl(listener, F_GETFL);
    if (flags < 0 || ::fcntl(listener, F_SETFL, flags | O_NONBLOCK) != 0)
        return system_error("make the socket not wait", errno);
    Listener serving(listener, words, warn);
    while (TRY(serving.serve_next(idle_seconds)))
        ;
    return ok();
}

}  // namespace jail_ai
