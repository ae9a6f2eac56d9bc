/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * "Myself" on the wire. An address of the loopback network means the container as long as it stays
 * inside; a socket that names a device sends it there all the same, and a host with route_localnet
 * takes it for its own.
 */
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "deliver.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IP_UNICAST_IF
#define IP_UNICAST_IF 50
#endif

static const struct in_addr myself = {0x0100007f}, far_self = {0x0909097f}, this_net = {0x03020100};

static int bound(const struct target* t, int family, int type, int protocol) {
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, t->ifname, (socklen_t)strlen(t->ifname));
    return fd;
}

static int device(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET, SOCK_DGRAM, 0), address4(myself, t->port));
}

static int device_far(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET, SOCK_DGRAM, 0), address4(far_self, t->port));
}

static int connected(const struct target* t) {
    return deliver_connected(t, bound(t, AF_INET, SOCK_DGRAM, 0), address4(myself, t->port));
}

static int index_bound(const struct target* t) {
    int index = (int)if_nametoindex(t->ifname), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index))) return done(fd, errno);
    return deliver_sendto(t, fd, address4(myself, t->port));
}

static int unicast_interface(const struct target* t) {
    uint32_t index = htonl(if_nametoindex(t->ifname));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &index, sizeof(index))) return done(fd, errno);
    return deliver_sendto(t, fd, address4(myself, t->port));
}

/* One datagram's own device, which no call before egress sees. */
static int pktinfo(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                          .cmsg_level = IPPROTO_IP,
                          .cmsg_type = IP_PKTINFO}};
    struct in_pktinfo info = {.ipi_ifindex = (int)if_nametoindex(t->ifname)};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address4(myself, t->port);
    struct msghdr letter = {.msg_name = &to.any,
                            .msg_namelen = to.length,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    letter.msg_controllen = sizeof(control);
    memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
    fill_token(t, bytes, sizeof(bytes));
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

static int mapped(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET6, SOCK_DGRAM, 0), mapped4(myself, t->port));
}

static int v6(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET6, SOCK_DGRAM, 0),
                          address6(&in6addr_loopback, t->port));
}

static int lite(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
                          address4(myself, t->port));
}

static int tcp(const struct target* t) {
    return deliver_stream(t, bound(t, AF_INET, SOCK_STREAM, 0), address4(myself, t->port));
}

static int tcp_far(const struct target* t) {
    return deliver_stream(t, bound(t, AF_INET, SOCK_STREAM, 0), address4(far_self, t->port));
}

static int tcp_mapped(const struct target* t) {
    return deliver_stream(t, bound(t, AF_INET6, SOCK_STREAM, 0), mapped4(myself, t->port));
}

/* From the address of the link, which every host may answer. */
static int tcp_from_link(const struct target* t) {
    struct address from = address4(t->own4, 0);
    int fd = bound(t, AF_INET, SOCK_STREAM, 0);

    if (bind(fd, &from.any, from.length)) return done(fd, errno);
    return deliver_stream(t, fd, address4(myself, t->port));
}

static int ping(const struct target* t) {
    uint8_t packet[8 + PAYLOAD] = {ICMP_ECHO};
    struct address to = address4(myself, 0);
    int fd = bound(t, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    fill_token(t, packet + 8, PAYLOAD);
    if (fd < 0) return errno;
    return done(fd, sendto(fd, packet, sizeof(packet), 0, &to.any, to.length) < 0 ? errno : 0);
}

static int raw(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET, SOCK_RAW, 253), address4(myself, 0));
}

static int zero_net(const struct target* t) {
    return deliver_sendto(t, bound(t, AF_INET, SOCK_DGRAM, 0), address4(this_net, t->port));
}

const struct route loopback_routes[] = {
    {"loopback/device", "", device},
    {"loopback/device-far", "", device_far},
    {"loopback/connected", "", connected},
    {"loopback/device-index", "", index_bound},
    {"loopback/unicast-interface", "", unicast_interface},
    {"loopback/pktinfo", "", pktinfo},
    {"loopback/mapped", "", mapped},
    {"loopback/v6", "", v6},
    {"loopback/udplite", "", lite},
    {"loopback/tcp", "bare", tcp},
    {"loopback/tcp-far", "bare", tcp_far},
    {"loopback/tcp-mapped", "bare", tcp_mapped},
    {"loopback/tcp-from-link", "bare", tcp_from_link},
    {"loopback/ping", "", ping},
    {"loopback/raw", "net_raw", raw},
    {"loopback/zero-net", "", zero_net},
    {0},
};
