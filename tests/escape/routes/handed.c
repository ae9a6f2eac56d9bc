/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Sockets that were made outside and came in with the process or through a Unix socket: hooks
 * follow the socket's cgroup, not the caller's. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "deliver.h"

static int inherited_udp(const struct target* t) {
    return deliver_sendto(t, OUTSIDE_UDP, address4(t->host4, t->port));
}

static int inherited_tcp(const struct target* t) {
    return deliver_stream(t, OUTSIDE_TCP, address4(t->host4, t->port));
}

static int inherited_connected(const struct target* t) {
    return done(OUTSIDE_CONNECTED, put(t, OUTSIDE_CONNECTED, 0));
}

/* Socket activation gives a listener of the host's namespace; a listener shut down may connect. */
static int inherited_listener(const struct target* t) {
    if (shutdown(OUTSIDE_LISTENER, SHUT_RD)) return errno;
    return deliver_stream(t, OUTSIDE_LISTENER, address4(t->host4, t->port));
}

static int received(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr letter = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    int fd;

    if (recvmsg(OUTSIDE_LETTERS, &letter, 0) < 0) return errno;
    if ((letter.msg_flags & MSG_CTRUNC) || letter.msg_controllen < CMSG_LEN(sizeof(int)))
        return EPERM;
    memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
    return deliver_sendto(t, fd, address4(t->host4, t->port));
}

const struct route handed_routes[] = {
    {"handed/inherited-udp", "outside", inherited_udp},
    {"handed/inherited-tcp", "outside", inherited_tcp},
    {"handed/inherited-connected", "outside", inherited_connected},
    {"handed/inherited-listener", "outside", inherited_listener},
    {"handed/received-udp", "outside", received},
    {0},
};
