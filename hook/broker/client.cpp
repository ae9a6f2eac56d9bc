// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/quote.h"

namespace jail_ai {
namespace {

// Until it is asked again: doubled each time, for a broker that never answers is not to be asked a
// hundred times.
constexpr long kFirstPause = 20'000'000;  // ns
constexpr long kLongestPause = 160'000'000;

Result<UniqueFd> connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return Error{EX_USAGE, fmt::format("{} is not a path for a socket", quote(path))};
    std::memcpy(address.sun_path, path.data(), path.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return system_error("make a socket", errno);
    int failed = 0;
    do
        failed =
            ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
                ? 0
                : errno;
    while (failed == EINTR && !deadline_passed());
    if (failed == 0) return fd;
    // podman takes strerror(ENOENT), where runc passes it on, for a command that the container
    // doesn't have.
    const std::string what =
        fmt::format("connect to the broker at {}: {}", quote(path),
                    failed == ENOENT ? "there is no socket" : ::strerror(failed));
    if (failed == EINTR || failed == EAGAIN) return Error{EX_TEMPFAIL, what};
    return Error{EX_UNAVAILABLE, fmt::format("{}: without root, this takes the broker: as root, "
                                             "systemctl enable --now jail-ai-hook.socket",
                                             what)};
}

constexpr int kNoDescriptor = -1;

// The descriptor goes beside the first byte. A broker that has heard enough closes its end, and has
// answered by then.
Status send_all(int fd, std::string_view bytes, int descriptor) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)]{};
    bool first = descriptor != kNoDescriptor;
    while (!bytes.empty()) {
        iovec vector{
            const_cast<char*>(bytes.data()),
            bytes.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast): it is only read
        msghdr message{};
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
        if (first) {
            message.msg_control = control;
            message.msg_controllen = sizeof control;
            cmsghdr* rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(sizeof descriptor);
            std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
        }
        const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR && !deadline_passed()) continue;
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return ok();
        if (sent < 0) return system_error("send to the broker", errno, EX_IOERR);
        first = false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return ok();
}

Result<std::string> receive_all(int fd, std::size_t most) {
    std::string bytes;
    char chunk[4096];
    while (bytes.size() <= most) {
        const ssize_t got = ::recv(fd, chunk, sizeof chunk, 0);
        if (got < 0 && errno == EINTR && !deadline_passed()) continue;
        if (got < 0 && errno == ECONNRESET)
            break;  // it closed before it had heard all; what it said stands
        if (got < 0) return system_error("wait for the broker's answer", errno, EX_IOERR);
        if (got == 0) break;
        bytes.append(chunk, static_cast<std::size_t>(got));
    }
    return bytes;
}

struct Question {
    const std::string& path;
    std::string_view bytes;
    int descriptor;
    std::size_t longest_answer;
};

Result<std::string> ask_once(const Question& question) {
    auto connection = TRY(connect_to(question.path));
    TRY(send_all(connection.get(), question.bytes, question.descriptor));
    auto answer = TRY(receive_all(connection.get(), question.longest_answer));
    // MaxConnections= of the socket unit closes without a word.
    if (answer.empty())
        return Error{EX_TEMPFAIL, "the broker closed the connection without an answer"};
    return answer;
}

bool says_later(const Result<std::string>& answer) {
    if (!answer) return answer.error().exit_code == EX_TEMPFAIL;
    const auto reply = parse_reply(*answer);
    return reply && reply->status != ReplyStatus::yes && reply->exit_code == EX_TEMPFAIL;
}

Result<std::string> ask(const Question& question) {
    long pause = kFirstPause;
    while (true) {
        auto answer = ask_once(question);
        if (!says_later(answer)) return answer;
        // From half of it to half as much again: those that were turned away together would else
        // come together each time, and find nothing free but for the first of them.
        const auto some =
            static_cast<long>(nanoseconds(CLOCK_MONOTONIC) % static_cast<std::uint64_t>(pause));
        const timespec wait{0, pause / 2 + some};
        ::nanosleep(&wait, nullptr);
        if (deadline_passed()) return answer;
        pause = std::min(2 * pause, kLongestPause);
    }
}

}  // namespace

Result<Reply> ask_broker(const std::string& path, const Process& process, const Message& message) {
    const auto bytes = TRY(encode_message(message));
    const auto answer = TRY(ask({path, bytes, process.pidfd(), kMaxReplyBytes}));
    return parse_reply(answer);
}

Result<std::string> ask_to_show(const std::string& path, const ShowRequest& request) {
    const auto bytes = TRY(encode_show(request));
    const auto answer = TRY(ask({path, bytes, kNoDescriptor, kMaxReplyBytes + kMaxShownBytes}));
    return parse_shown(answer);
}

}  // namespace jail_ai
