// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "descriptor.h"

#include <sys/socket.h>

#include <cstring>
#include <stdexcept>

#include "must.h"

namespace jail_ai::test {

void send_descriptor(int socket, int fd) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)]{};
    char byte = 0;
    iovec vector{&byte, 1};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    must(::sendmsg(socket, &message, 0), "send a descriptor");
}

UniqueFd receive_descriptor(int socket) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    char byte = 0;
    iovec vector{&byte, 1};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = must(::recvmsg(socket, &message, MSG_CMSG_CLOEXEC), "receive a descriptor");
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (got == 0 || header == nullptr) throw std::runtime_error("no descriptor came");
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return UniqueFd(fd);
}

}  // namespace jail_ai::test
