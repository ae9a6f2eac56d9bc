/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ICMP sockets for everybody (net.ipv4.ping_group_range): an echo request carries any payload. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "deliver.h"

static int echo(const struct target* t, int family, struct address to, int connected,
                uint8_t type) {
    uint8_t packet[8 + PAYLOAD] = {type};
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC,
                    family == AF_INET ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
    ssize_t sent;

    if (fd < 0) return errno;
    fill_token(t, packet + 8, PAYLOAD);
    if (connected && connect(fd, &to.any, to.length)) return done(fd, errno);
    sent = connected ? send(fd, packet, sizeof(packet), 0)
                     : sendto(fd, packet, sizeof(packet), 0, &to.any, to.length);
    return done(fd, sent < 0 ? errno : 0);
}

static int sendto_v4(const struct target* t) {
    return echo(t, AF_INET, address4(t->host4, 0), 0, ICMP_ECHO);
}

static int connect_v4(const struct target* t) {
    return echo(t, AF_INET, address4(t->host4, 0), 1, ICMP_ECHO);
}

static int sendto_v6(const struct target* t) {
    return echo(t, AF_INET6, address6(&t->host6, 0), 0, ICMP6_ECHO_REQUEST);
}

static int connect_v6(const struct target* t) {
    return echo(t, AF_INET6, address6(&t->host6, 0), 1, ICMP6_ECHO_REQUEST);
}

static int sendto_link_local(const struct target* t) {
    return echo(t, AF_INET6, scoped6(&t->link6, 0, t), 0, ICMP6_ECHO_REQUEST);
}

static int all_nodes(const struct target* t) {
    struct in6_addr group = {.s6_addr = {0xff, 0x02, [15] = 1}};

    return echo(t, AF_INET6, scoped6(&group, 0, t), 0, ICMP6_ECHO_REQUEST);
}

/* Unlike an echo request, an extended one (RFC 8335) is permitted to ping sockets since Linux 5.13.
 */
static int extended(const struct target* t) {
    return echo(t, AF_INET, address4(t->host4, 0), 0, 42);
}

static int solicitation(const struct target* t) {
    return echo(t, AF_INET6, address6(&t->host6, 0), 0, ND_NEIGHBOR_SOLICIT);
}

const struct route ping_routes[] = {
    {"ping/sendto-v4", "", sendto_v4},
    {"ping/connect-v4", "", connect_v4},
    {"ping/sendto-v6", "", sendto_v6},
    {"ping/connect-v6", "", connect_v6},
    {"ping/sendto-link-local", "", sendto_link_local},
    {"ping/all-nodes", "", all_nodes},
    {"ping/extended-echo", "", extended},
    {"ping/neighbour-solicitation", "", solicitation},
    {0},
};
