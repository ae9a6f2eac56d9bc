/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The plain ways to hand bytes to a socket; see deliver.h. */
#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct address address4(struct in_addr to, uint16_t port) {
    struct address out = {.length = sizeof(struct sockaddr_in)};

    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(port);
    out.v4.sin_addr = to;
    return out;
}

struct address address6(const struct in6_addr* to, uint16_t port) {
    struct address out = {.length = sizeof(struct sockaddr_in6)};

    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(port);
    out.v6.sin6_addr = *to;
    return out;
}

struct address scoped6(const struct in6_addr* to, uint16_t port, const struct target* target) {
    struct address out = address6(to, port);

    out.v6.sin6_scope_id = if_nametoindex(target->ifname);
    return out;
}

struct address mapped4(struct in_addr to, uint16_t port) {
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    memcpy(address.s6_addr + 12, &to, 4);
    return address6(&address, port);
}

void fill_token(const struct target* target, void* at, size_t size) {
    uint8_t* bytes = at;

    for (size_t i = 0; i < size; i++) bytes[i] = target->token[i % TOKEN_SIZE];
}

int done(int fd, int error) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    return error;
}

int joined(int fd) {
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    socklen_t length = sizeof(int);
    int error = 0;

    if (poll(&ready, 1, PATIENCE_MS) == 0) return ETIMEDOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length)) return errno;
    return error;
}

int join(int fd, const struct address* to) {
    int flags = fcntl(fd, F_GETFL);
    int error;

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    error = connect(fd, &to->any, to->length) ? errno : 0;
    if (error == EINPROGRESS) error = joined(fd);
    fcntl(fd, F_SETFL, flags);
    return error;
}

int put(const struct target* target, int fd, int flags) {
    uint8_t bytes[PAYLOAD];

    fill_token(target, bytes, sizeof(bytes));
    return send(fd, bytes, sizeof(bytes), flags | MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

int deliver_stream(const struct target* target, int fd, struct address to) {
    int error;

    if (fd < 0) return errno;
    error = join(fd, &to);
    if (!error) error = put(target, fd, 0);
    return done(fd, error);
}

int deliver_sendto(const struct target* target, int fd, struct address to) {
    uint8_t bytes[PAYLOAD];

    if (fd < 0) return errno;
    fill_token(target, bytes, sizeof(bytes));
    return done(fd, sendto(fd, bytes, sizeof(bytes), 0, &to.any, to.length) < 0 ? errno : 0);
}

int deliver_connected(const struct target* target, int fd, struct address to) {
    if (fd < 0) return errno;
    if (connect(fd, &to.any, to.length)) return done(fd, errno);
    return done(fd, put(target, fd, 0));
}
