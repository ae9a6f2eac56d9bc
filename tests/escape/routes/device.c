/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Sockets bound to a device, a mark or a foreign source address, and TCP connections that never
 * shook hands. */
#include <errno.h>
#include <linux/tcp.h>
#include <string.h>

#include "deliver.h"
#include "tool.h"

static int with_option(const struct target* t, int level, int name, const void* value,
                       socklen_t size) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, level, name, value, size)) return done(fd, errno);
    return deliver_sendto(t, fd, address4(t->host4, t->port));
}

static int bound(const struct target* t) {
    return with_option(t, SOL_SOCKET, SO_BINDTODEVICE, t->ifname, (socklen_t)strlen(t->ifname));
}

static int unicast_interface(const struct target* t) {
    uint32_t index = htonl(if_nametoindex(t->ifname));

    return with_option(t, IPPROTO_IP, 50 /* IP_UNICAST_IF */, &index, sizeof(index));
}

static int dont_route(const struct target* t) {
    int yes = 1;

    return with_option(t, SOL_SOCKET, SO_DONTROUTE, &yes, sizeof(yes));
}

static int marked(const struct target* t) {
    int mark = 7;

    return with_option(t, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

/* The mark selects a table in which the host is reached through a gateway instead of on the link.
 */
static int marked_policy(const struct target* t) {
    int error = ip_batch(t, "rule add fwmark 7 table 7\nroute add default dev @link table 7\n");

    return error ? error : marked(t);
}

static int transparent(const struct target* t, int type) {
    struct address from = address4(t->ext4, 40001);
    int yes = 1;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &yes, sizeof(yes)) ||
        bind(fd, &from.any, from.length))
        return done(fd, errno);
    return type == SOCK_STREAM ? deliver_stream(t, fd, address4(t->host4, t->port))
                               : deliver_sendto(t, fd, address4(t->host4, t->port));
}

static int transparent_udp(const struct target* t) {
    return transparent(t, SOCK_DGRAM);
}

static int transparent_tcp(const struct target* t) {
    return transparent(t, SOCK_STREAM);
}

/* TCP_REPAIR puts a connection into being without a packet; the next write is data to a host that
 * never agreed. */
static int repaired(const struct target* t) {
    struct address to = address4(t->host4, t->port);
    struct tcp_repair_window window = {.snd_wnd = 65535, .max_window = 65535, .rcv_wnd = 65535};
    int on = 1, off = TCP_REPAIR_OFF_NO_WP;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
        connect(fd, &to.any, to.length) ||
        setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)) ||
        setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)))
        return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

static int repaired_segments(const struct target* t) {
    uint8_t route[40] = {[1] = 4, [2] = 4, [3] = 1, [4] = 1};
    struct address to = address6(&t->ext6, t->port);
    struct tcp_repair_window window = {.snd_wnd = 65535, .max_window = 65535, .rcv_wnd = 65535};
    int on = 1, off = TCP_REPAIR_OFF_NO_WP;
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(route + 8, &t->ext6, 16);
    memcpy(route + 24, &t->host6, 16);
    if (setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) ||
        connect(fd, &to.any, to.length) ||
        setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof(window)) ||
        setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)) ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, route, sizeof(route)))
        return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

const struct route device_routes[] = {
    {"device/bound", "", bound},
    {"device/unicast-interface", "", unicast_interface},
    {"device/dont-route", "", dont_route},
    {"device/marked", "net_raw", marked},
    {"device/marked-policy-route", "net_admin", marked_policy},
    {"device/transparent-udp", "net_raw", transparent_udp},
    {"device/transparent-tcp", "net_raw bare", transparent_tcp},
    {"device/repaired-tcp", "net_admin", repaired},
    {"device/repaired-tcp-segments", "net_admin", repaired_segments},
    {0},
};
