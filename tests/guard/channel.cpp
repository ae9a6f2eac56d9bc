// SPDX-License-Identifier: Apache-2.0 OR MIT
#include "channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "must.h"

namespace jail_ai::test {
namespace {

constexpr int kMost = 4;

struct Message {
    Message() {
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
    }
    char byte = 'x';
    iovec vector{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(kMost * sizeof(int))]{};
    msghdr header{};
};

}  // namespace

Channel::Channel() {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), "make a channel");
    near_ = UniqueFd(ends[0]);
    far_ = UniqueFd(ends[1]);
}

int send_descriptors(int channel, const int* descriptors, int count) {
    Message message;
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(int);
    message.header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message.header);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors, bytes);
    return ::sendmsg(channel, &message.header, MSG_NOSIGNAL) == 1 ? 0 : errno;
}

Received receive_descriptors(int channel, int flags) {
    Message message;
    must(::recvmsg(channel, &message.header, flags), "receive descriptors");
    Received received{0, -1, (message.header.msg_flags & MSG_CTRUNC) != 0};
    const cmsghdr* header = CMSG_FIRSTHDR(&message.header);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return received;
    received.count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < received.count; i++) {
        if (received.last >= 0) ::close(received.last);
        std::memcpy(&received.last, CMSG_DATA(header) + static_cast<std::size_t>(i) * sizeof(int),
                    sizeof(int));
    }
    return received;
}

}  // namespace jail_ai::test
