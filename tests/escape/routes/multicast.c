/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Groups and broadcast addresses, which the host hears; and the reports by which the kernel
 * announces what groups a socket joined. */
#include <errno.h>
#include <string.h>

#include "deliver.h"

static int prepared(const struct target* t, int family) {
    int yes = 1;
    int index = (int)if_nametoindex(t->ifname);
    struct ip_mreqn link = {.imr_ifindex = index};
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
    if (family == AF_INET)
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
    return fd;
}

static struct address group4(const struct target* t, uint32_t group) {
    return address4((struct in_addr){htonl(group)}, t->port);
}

static struct address group6(const struct target* t, uint8_t scope, uint8_t last) {
    struct in6_addr group = {.s6_addr = {0xff, scope, [15] = last}};

    return scoped6(&group, t->port, t);
}

static int all_hosts(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), group4(t, 0xe0000001));
}

static int mdns(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), group4(t, 0xe00000fb));
}

static int site_group(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), group4(t, 0xefff0001));
}

static int site_group_connected(const struct target* t) {
    return deliver_connected(t, prepared(t, AF_INET), group4(t, 0xefff0001));
}

static int global_group(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), group4(t, 0xe1020304));
}

static int mapped_group(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET6),
                          mapped4((struct in_addr){htonl(0xe0000001)}, t->port));
}

static int all_nodes(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET6), group6(t, 0x02, 1));
}

static int all_nodes_connected(const struct target* t) {
    return deliver_connected(t, prepared(t, AF_INET6), group6(t, 0x02, 1));
}

static int site_group6(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET6), group6(t, 0x05, 0xfb));
}

static int global_group6(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET6), group6(t, 0x1e, 7));
}

static int solicited_node(const struct target* t) {
    struct in6_addr group = {.s6_addr = {0xff, 0x02, [11] = 1, [12] = 0xff}};

    memcpy(group.s6_addr + 13, t->host6.s6_addr + 13, 3);
    return deliver_sendto(t, prepared(t, AF_INET6), scoped6(&group, t->port, t));
}

static int limited_broadcast(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), group4(t, 0xffffffff));
}

static int limited_connected(const struct target* t) {
    return deliver_connected(t, prepared(t, AF_INET), group4(t, 0xffffffff));
}

static int subnet_broadcast(const struct target* t) {
    return deliver_sendto(t, prepared(t, AF_INET), address4(t->subnet4, t->port));
}

static int subnet_connected(const struct target* t) {
    return deliver_connected(t, prepared(t, AF_INET), address4(t->subnet4, t->port));
}

/* The kernel reports the joined group on the link: 8 bytes of the socket's choice a report. */
static int join6(const struct target* t) {
    struct ipv6_mreq request = {.ipv6mr_multiaddr = {.s6_addr = {0xff, 0x1e}},
                                .ipv6mr_interface = if_nametoindex(t->ifname)};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(request.ipv6mr_multiaddr.s6_addr + 8, t->token, TOKEN_SIZE);
    return done(fd, setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof(request))
                        ? errno
                        : 0);
}

static int join4(const struct target* t) {
    struct ip_mreqn request = {.imr_ifindex = (int)if_nametoindex(t->ifname)};
    uint8_t group[4] = {239, t->token[0], t->token[1], t->token[2]};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(&request.imr_multiaddr, group, 4);
    say_marker(group, 4);
    return done(
        fd, setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) ? errno : 0);
}

const struct route multicast_routes[] = {
    {"multicast/all-hosts", "", all_hosts},
    {"multicast/mdns", "", mdns},
    {"multicast/site-group", "", site_group},
    {"multicast/site-group-connected", "", site_group_connected},
    {"multicast/global-group", "", global_group},
    {"multicast/mapped", "", mapped_group},
    {"multicast/all-nodes", "", all_nodes},
    {"multicast/all-nodes-connected", "", all_nodes_connected},
    {"multicast/site-group-v6", "", site_group6},
    {"multicast/global-group-v6", "", global_group6},
    {"multicast/solicited-node", "", solicited_node},
    {"multicast/join-v4", "", join4},
    {"multicast/join-v6", "", join6},
    {"broadcast/limited", "", limited_broadcast},
    {"broadcast/limited-connected", "", limited_connected},
    {"broadcast/subnet", "", subnet_broadcast},
    {"broadcast/subnet-connected", "", subnet_connected},
    {0},
};
