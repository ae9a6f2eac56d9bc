/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Multipath TCP: the subflows are kernel sockets, and a peer outside may name further addresses to
 * connect to. */
#include <errno.h>
#include <linux/mptcp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deliver.h"
#include "tool.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif

static int multipath(int family) {
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 262 /* IPPROTO_MPTCP */);
}

static int to_v4(const struct target* t) {
    return deliver_stream(t, multipath(AF_INET), address4(t->host4, t->port));
}

static int to_v6(const struct target* t) {
    return deliver_stream(t, multipath(AF_INET6), address6(&t->host6, t->port));
}

static int to_mapped(const struct target* t) {
    return deliver_stream(t, multipath(AF_INET6), mapped4(t->host4, t->port));
}

static int fastopen(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct address to = address4(t->host4, t->port);
    int fd = multipath(AF_INET);
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

/*
 * ext, whom the agent may well control, announces the host as one more address of its own
 * (ADD_ADDR), and the kernel opens a subflow there by itself. Accepting announcements is off unless
 * net_admin raises the limit.
 */
static int announced(const struct target* t) {
    const char* const limits[] = {"ip", "mptcp",    "limits", "set", "add_addr_accepted",
                                  "4",  "subflows", "4",      NULL};
    struct timespec nap = {.tv_nsec = 5000000};
    struct address to = address4(t->ext4, t->port);
    struct mptcp_info info = {0};
    int error = run_tool(limits, NULL);
    int fd = multipath(AF_INET);

    if (fd < 0) return errno;
    if (!error) error = join(fd, &to);
    if (!error) error = put(t, fd, 0);
    for (int i = 0; !error && i < 100 && !info.mptcpi_subflows; i++) {
        socklen_t length = sizeof(info);

        if (getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &info, &length)) error = errno;
        nanosleep(&nap, NULL);
    }
    return done(fd, error);
}

const struct route mptcp_routes[] = {
    {"mptcp/v4", "", to_v4},
    {"mptcp/v6", "", to_v6},
    {"mptcp/v6-mapped", "", to_mapped},
    {"mptcp/fastopen", "", fastopen},
    {"mptcp/announced-address", "bare net_admin", announced},
    {0},
};
