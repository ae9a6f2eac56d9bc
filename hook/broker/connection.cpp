// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "broker/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/deadline.h"

namespace jail_ai {
namespace {

constexpr std::string_view kTooSoon = "the request ends too soon";

Result<int> socket_option(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    if (::getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0)
        return system_error("look at the connection", errno, EX_USAGE);
    return value;
}

// recv(2) without room for descriptors: the kernel closes what is sent along (unix(7)).
Status receive_all(int fd, char* to, std::size_t size) {
    while (size > 0) {
        const ssize_t got = ::recv(fd, to, size, 0);
        if (got < 0 && errno == EINTR && !deadline_passed()) continue;
        if (got < 0) return system_error("receive the request", errno, EX_IOERR);
        if (got == 0) return Error{EX_PROTOCOL, std::string(kTooSoon)};
        to += got;
        size -= static_cast<std::size_t>(got);
    }
    return ok();
}

}  // namespace

Result<Connection> Connection::on(int fd) {
    const auto domain = socket_option(fd, SO_DOMAIN);
    const auto type = socket_option(fd, SO_TYPE);
    if (!domain || !type || *domain != AF_UNIX || *type != SOCK_STREAM)
        return Error{EX_USAGE,
                     "standard input is not a connection: this verb is started by "
                     "jail-ai-hook.socket, see systemctl enable --now jail-ai-hook.socket"};
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return system_error("ask who is connected", errno);
    if (credentials.uid == static_cast<uid_t>(-1))
        return Error{EX_USAGE, "standard input is a socket without a peer"};
    return Connection(fd, {credentials.pid, credentials.uid});
}

Status Connection::receive_header(Header& header) const {
    std::array<char, kHeaderBytes> bytes{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec vector{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_LEN(sizeof(int));  // CMSG_SPACE would have room for two
    ssize_t got = 0;
    do got = ::recvmsg(fd_, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR && !deadline_passed());
    if (got < 0) return system_error("receive the request", errno, EX_IOERR);
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS ||
            part->cmsg_len != CMSG_LEN(sizeof(int)))
            continue;
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
        header.descriptor = UniqueFd(fd);
    }
    if (got == 0) return Error{EX_PROTOCOL, std::string(kTooSoon)};
    if ((message.msg_flags & MSG_CTRUNC) != 0)
        return Error{EX_PROTOCOL, "more than one descriptor came with the request"};
    const auto size = static_cast<std::size_t>(got);
    TRY(receive_all(fd_, bytes.data() + size, bytes.size() - size));
    header.head = TRY(parse_header({bytes.data(), bytes.size()}));
    if (header.head.asks == Asks::to_jail && !header.descriptor)
        return Error{EX_PROTOCOL, "no descriptor came with the request"};
    return ok();
}

Result<std::string> Connection::receive_body(const PartSizes& sizes) const {
    std::string body;
    constexpr std::size_t kStep = 256U << 10;
    const std::size_t whole = body_size(sizes);
    // Memory is taken as bytes come, not as they are announced.
    while (body.size() < whole) {
        const std::size_t had = body.size();
        body.resize(std::min(whole, had + kStep));
        TRY(receive_all(fd_, body.data() + had, body.size() - had));
    }
    return body;
}

Status Connection::answer(const Reply& answer) const {
    const std::string line = encode_reply(answer);
    const ssize_t sent = ::send(fd_, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return system_error("answer", errno, EX_IOERR);
    if (static_cast<std::size_t>(sent) != line.size()) return Error{EX_IOERR, "answer: cut short"};
    return ok();
}

Status Connection::answer_with_text(std::string_view text) const {
    const std::string answer = encode_shown(text);
    for (std::string_view rest = answer; !rest.empty();) {
        const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR && !deadline_passed()) continue;
        if (sent < 0) return system_error("answer", errno, EX_IOERR);
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return ok();
}

}  // namespace jail_ai
