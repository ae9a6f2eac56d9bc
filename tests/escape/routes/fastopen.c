/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* TCP Fast Open: a destination named by a send call, which connects on the way. */
#include <errno.h>
#include <netinet/tcp.h>

#include "deliver.h"

static int send_open(const struct target* t, int fd, struct address to) {
    uint8_t bytes[PAYLOAD];
    int error;

    if (fd < 0) return errno;
    fill_token(t, bytes, sizeof(bytes));
    error = sendto(fd, bytes, sizeof(bytes), MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, &to.any,
                   to.length) < 0
                ? errno
                : 0;
    if (error == EINPROGRESS) error = joined(fd);
    if (!error) error = put(t, fd, 0);
    return done(fd, error);
}

static int open_v4(const struct target* t) {
    return send_open(t, socket(AF_INET, SOCK_STREAM, 0), address4(t->host4, t->port));
}

static int open_v6(const struct target* t) {
    return send_open(t, socket(AF_INET6, SOCK_STREAM, 0), address6(&t->host6, t->port));
}

static int open_mapped(const struct target* t) {
    return send_open(t, socket(AF_INET6, SOCK_STREAM, 0), mapped4(t->host4, t->port));
}

static int open_unspec(const struct target* t) {
    struct address to = address4(t->host4, t->port);

    to.v4.sin_family = AF_UNSPEC;
    return send_open(t, socket(AF_INET, SOCK_STREAM, 0), to);
}

static int open_many(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address4(t->host4, t->port);
    struct mmsghdr letter = {
        .msg_hdr = {
            .msg_name = &to.any, .msg_namelen = to.length, .msg_iov = &part, .msg_iovlen = 1}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int error;

    fill_token(t, bytes, sizeof(bytes));
    error = sendmmsg(fd, &letter, 1, MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
    if (error == EINPROGRESS) error = joined(fd);
    if (!error) error = put(t, fd, 0);
    return done(fd, error);
}

/* connect() only notes the destination; the first write sends the SYN. */
static int deferred(const struct target* t, int fd, struct address to) {
    int yes = 1;
    int error;

    if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof(yes)) ||
        connect(fd, &to.any, to.length))
        return done(fd, errno);
    error = put(t, fd, 0);
    if (error == EINPROGRESS || error == EAGAIN) error = joined(fd);
    if (!error) error = put(t, fd, 0);
    return done(fd, error);
}

static int deferred_v4(const struct target* t) {
    return deferred(t, socket(AF_INET, SOCK_STREAM, 0), address4(t->host4, t->port));
}

static int deferred_v6(const struct target* t) {
    return deferred(t, socket(AF_INET6, SOCK_STREAM, 0), address6(&t->host6, t->port));
}

const struct route fastopen_routes[] = {
    {"fastopen/v4", "", open_v4},
    {"fastopen/v6", "", open_v6},
    {"fastopen/v6-mapped", "", open_mapped},
    {"fastopen/unspec", "", open_unspec},
    {"fastopen/sendmmsg", "", open_many},
    {"fastopen/deferred-v4", "", deferred_v4},
    {"fastopen/deferred-v6", "", deferred_v6},
    {0},
};
