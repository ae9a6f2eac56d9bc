/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The plain ways to hand bytes to a socket, which most routes end with; each returns 0 or an errno
 * and closes the socket. */
#ifndef ESCAPE_DELIVER_H
#define ESCAPE_DELIVER_H

#include <sys/socket.h>

#include "route.h"

#define PAYLOAD 64
#define PATIENCE_MS 100 /* how long a handshake that nobody answers is waited for */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    };
    socklen_t length;
};

struct address address4(struct in_addr to, uint16_t port);
struct address address6(const struct in6_addr* to, uint16_t port);
struct address scoped6(const struct in6_addr* to, uint16_t port, const struct target* target);
struct address mapped4(struct in_addr to, uint16_t port);

/* The token, over and over, so that any 15 bytes in a row hold it. */
void fill_token(const struct target* target, void* at, size_t size);

/* For `return done(fd, error)`: closes fd if it is one, a stream by reset so that nothing trails
 * after the route has ended. */
int done(int fd, int error);

/* connect() within PATIENCE_MS; fd stays open. */
int join(int fd, const struct address* to);
/* What is left of a started connect(): 0 when it succeeded within PATIENCE_MS. */
int joined(int fd);
/* send() of the payload; fd stays open. */
int put(const struct target* target, int fd, int flags);

/* A bad fd (-1) yields the errno of the call that made it. */
int deliver_stream(const struct target* target, int fd, struct address to);
int deliver_sendto(const struct target* target, int fd, struct address to);
int deliver_connected(const struct target* target, int fd, struct address to);

#endif
