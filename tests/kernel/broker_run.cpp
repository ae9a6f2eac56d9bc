// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "descriptor.h"
#include "files.h"
#include "must.h"
#include "seccomp_fault.h"

namespace jail_ai::test {
namespace {

constexpr timeval kPatience{60, 0};

void become(uid_t uid) {
    must(::setresgid(uid, uid, uid), "become another group");
    must(::setresuid(uid, uid, uid), "become another user");
    must(::prctl(PR_SET_DUMPABLE, 1), "stay visible");
}

}  // namespace

UniqueFd pidfd_of(pid_t pid) {
    return UniqueFd(static_cast<int>(must(::syscall(SYS_pidfd_open, pid, 0), "pidfd_open")));
}

UniqueFd make_user_namespace(uid_t uid) {
    Child user({});
    const int refused = user.run([=] {
        become(uid);
        return ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
    });
    if (refused != 0) {
        errno = refused;
        return UniqueFd();
    }
    const std::string proc = "/proc/" + std::to_string(user.pid());
    const std::string map = "0 " + std::to_string(uid) + " 1";
    write_file(proc + "/setgroups", "deny");
    write_file(proc + "/uid_map", map);
    write_file(proc + "/gid_map", map);
    const std::string path = proc + "/ns/user";
    return UniqueFd(must(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open " + path));
}

UsersContainer::UsersContainer(uid_t uid) : user_namespace(make_user_namespace(uid)) {
    if (!user_namespace) return;
    must(::chown(delegated.path().c_str(), uid, uid), "delegate a cgroup");
    container.emplace(
        Container::Options{.parent = &delegated, .user_namespace = user_namespace.get()});
}

Asker::Asker(uid_t uid) : process_(Whereabouts{}) {
    struct Ends {
        int fds[2];
    };
    const Ends made = process_.run([=] {
        if (uid != 0) become(uid);
        Ends ends{};
        must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.fds), "connect");
        return ends;
    });
    ends_[0] = made.fds[0];
    ends_[1] = made.fds[1];
}

int Asker::descriptor(int number) const {
    const UniqueFd process = pidfd_of(process_.pid());
    return static_cast<int>(
        must(::syscall(SYS_pidfd_getfd, process.get(), number, 0), "pidfd_getfd"));
}

BrokerRun::BrokerRun(const Asker& asker, std::vector<std::string> flags,
                     std::optional<bpf_cmd> watched)
    : client_(asker.descriptor(asker.ends_[0])) {
    // The asker's own copies would keep the connection open.
    Asker& its = const_cast<Asker&>(asker);
    const UniqueFd served(asker.descriptor(asker.ends_[1]));
    const int(&ends)[2] = asker.ends_;
    const int first = ends[0];
    const int second = ends[1];
    its.process_.run([=] { return ::close(first) + ::close(second); });
    must(::setsockopt(client_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience),
         "set a timeout");
    must(::setsockopt(client_.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience),
         "set a timeout");
    Laboratory& laboratory = Laboratory::get();
    laboratory.dev.drain_log();
    int channel[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), "make a channel");
    UniqueFd watcher_from(channel[0]), watcher_to(channel[1]);
    pid_ = must(::fork(), "start the broker");
    if (pid_ != 0) {
        watcher_to.reset();
        if (watched) watcher_ = receive_descriptor(watcher_from.get());
        return;
    }
    std::vector<const char*> words = {"jail-ai-hook", "broker"};
    for (const std::string& flag : flags) words.push_back(flag.c_str());
    words.push_back(nullptr);
    const char* environment[] = {nullptr};
    const int null = ::open("/dev/null", O_RDWR);
    if (::setns(laboratory.network.host.fd(), CLONE_NEWNET) == 0 && ::dup2(served.get(), 0) == 0 &&
        ::dup2(null, 1) == 1 && ::dup2(null, 2) == 2) {
        if (watched) send_descriptor(watcher_to.get(), watch_bpf_command(*watched).get());
        ::fexecve(laboratory.hook.fd(), const_cast<char**>(words.data()),
                  const_cast<char**>(environment));
    }
    ::_exit(125);
}

BrokerRun::~BrokerRun() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void BrokerRun::send(std::string_view bytes, const std::vector<int>& descriptors) {
    const std::size_t size = descriptors.size() * sizeof(int);
    std::vector<char> control(CMSG_SPACE(size));
    iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), descriptors.data(), size);
    }
    const ssize_t sent = ::sendmsg(client_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EPIPE && errno != ECONNRESET) throw_errno("send to the broker");
}

void BrokerRun::send_header(const Message& message, const std::vector<int>& descriptors) {
    send(encode_message(message).value().substr(0, kHeaderBytes), descriptors);
}

void BrokerRun::send_body(const Message& message) {
    send(std::string_view(encode_message(message).value()).substr(kHeaderBytes), {});
}

void BrokerRun::begin_body(const Message& message) {
    const std::string body = encode_message(message).value().substr(kHeaderBytes);
    for (ssize_t more = 0; (more = ::send(client_.get(), body.data() + sent_, body.size() - sent_,
                                          MSG_NOSIGNAL | MSG_DONTWAIT)) > 0;)
        sent_ += static_cast<std::size_t>(more);
    if (sent_ == body.size()) throw std::logic_error("the body fits into the connection's buffer");
    pollfd polled{client_.get(), POLLOUT, 0};
    if (must(::poll(&polled, 1, static_cast<int>(kPatience.tv_sec) * 1000),
             "wait for the broker") == 0)
        throw std::runtime_error("the broker does not read on");
}

void BrokerRun::finish_body(const Message& message) {
    send(std::string_view(encode_message(message).value()).substr(kHeaderBytes + sent_), {});
}

bool BrokerRun::await_watched_call() const {
    pollfd polled{watcher_.get(), POLLIN, 0};
    if (must(::poll(&polled, 1, static_cast<int>(kPatience.tv_sec) * 1000),
             "wait for the broker's call") == 0)
        throw std::runtime_error("the broker makes no such call");
    return (polled.revents & POLLIN) != 0;
}

void BrokerRun::let_one_go_on() const {
    if (!let_go_on(watcher_.get())) throw std::runtime_error("the broker has ended meanwhile");
}

void BrokerRun::kill() {
    ::kill(pid_, SIGKILL);
    must(::waitpid(std::exchange(pid_, -1), nullptr, 0), "reap the broker");
    watcher_.reset();
}

void BrokerRun::hang_up() {
    client_.reset();
}

std::string BrokerRun::answer() {
    std::string said;
    char text[4096];
    for (ssize_t got = 0; client_ && (got = ::recv(client_.get(), text, sizeof text, 0)) > 0;)
        said.append(text, static_cast<std::size_t>(got));
    int status = 0;
    must(::waitpid(pid_, &status, 0), "reap the broker");
    pid_ = -1;
    if (status != 0) said += "(ended with status " + std::to_string(status) + ")";
    return said;
}

std::string BrokerRun::ask(const Message& message, const std::vector<int>& descriptors) {
    send_header(message, descriptors);
    send_body(message);
    return answer();
}

std::string BrokerRun::show(const ShowRequest& request) {
    send(encode_show(request).value(), {});
    const auto shown = parse_shown(answer());
    return shown ? *shown : std::to_string(shown.error().exit_code) + ": " + shown.error().message;
}

Message message_for(const Container& container) {
    return {{}, container.state.json(), read_file(container.state.bundle + "/config.json"), "", ""};
}

}  // namespace jail_ai::test
