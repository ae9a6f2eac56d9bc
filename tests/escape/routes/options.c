/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Source routing: the address that a socket names is not the one that the packet goes to. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "deliver.h"

/* Loose (131) or strict (137) source route over the host, padded to a multiple of four. */
static int route4(const struct target* t, int fd, uint8_t type) {
    uint8_t option[8] = {type, 7, 4, 0, 0, 0, 0, 0};

    memcpy(option + 3, &t->host4, 4);
    return setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option, sizeof(option)) ? errno : 0;
}

static int via4(const struct target* t, uint8_t type, int kind, int protocol) {
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, protocol);
    int error = fd < 0 ? errno : route4(t, fd, type);

    if (error) return done(fd, error);
    return kind == SOCK_STREAM ? deliver_stream(t, fd, address4(t->ext4, t->port))
                               : deliver_sendto(t, fd, address4(t->ext4, t->port));
}

static int loose_udp(const struct target* t) {
    return via4(t, 131, SOCK_DGRAM, 0);
}

static int strict_udp(const struct target* t) {
    return via4(t, 137, SOCK_DGRAM, 0);
}

static int loose_lite(const struct target* t) {
    return via4(t, 131, SOCK_DGRAM, IPPROTO_UDPLITE);
}

static int loose_tcp(const struct target* t) {
    return via4(t, 131, SOCK_STREAM, 0);
}

static int loose_raw(const struct target* t) {
    return via4(t, 131, SOCK_RAW, 253);
}

static int loose_connected(const struct target* t) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int error = route4(t, fd, 131);

    return error ? done(fd, error) : deliver_connected(t, fd, address4(t->ext4, t->port));
}

/* The options of a single datagram, as ancillary data. */
static int loose_retopts(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(8)];
    } control = {
        .head = {.cmsg_len = CMSG_LEN(8), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_RETOPTS}};
    uint8_t option[8] = {131, 7, 4, 0, 0, 0, 0, 0}, bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address4(t->ext4, t->port);
    struct msghdr letter = {.msg_name = &to.any,
                            .msg_namelen = to.length,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    letter.msg_controllen = sizeof(control);
    memcpy(option + 3, &t->host4, 4);
    memcpy(CMSG_DATA(&control.head), option, sizeof(option));
    fill_token(t, bytes, sizeof(bytes));
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

/* A segment routing header (RFC 8754) of two segments: the host first, then where the socket says.
 * Needs no capability. */
struct segments {
    uint8_t next, length /* in 8 bytes, without the first */, type, left, last, flags;
    uint16_t tag;
    struct in6_addr list[2];
};

static struct segments segments(const struct target* t, uint8_t left) {
    struct segments route = {.length = 4, .type = 4, .left = left, .last = 1};

    route.list[left] = t->host6;
    route.list[!left] = t->ext6;
    return route;
}

static int via6(const struct target* t, uint8_t left, int kind, int protocol, int connected) {
    struct segments route = segments(t, left);
    struct address to = address6(&t->ext6, t->port);
    int fd = socket(AF_INET6, kind | SOCK_CLOEXEC, protocol);

    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route)))
        return done(fd, errno);
    if (kind == SOCK_STREAM) return deliver_stream(t, fd, to);
    if (kind == SOCK_RAW) to.v6.sin6_port = 0; /* a raw socket takes it for the protocol */
    return connected ? deliver_connected(t, fd, to) : deliver_sendto(t, fd, to);
}

static int segment_udp(const struct target* t) {
    return via6(t, 1, SOCK_DGRAM, 0, 0);
}

static int segment_udp_connected(const struct target* t) {
    return via6(t, 1, SOCK_DGRAM, 0, 1);
}

static int segment_last(const struct target* t) {
    return via6(t, 0, SOCK_DGRAM, 0, 0);
}

static int segment_lite(const struct target* t) {
    return via6(t, 1, SOCK_DGRAM, IPPROTO_UDPLITE, 0);
}

static int segment_tcp(const struct target* t) {
    return via6(t, 1, SOCK_STREAM, 0, 0);
}

static int segment_raw(const struct target* t) {
    return via6(t, 1, SOCK_RAW, 253, 0);
}

static int segment_ping(const struct target* t) {
    struct segments route = segments(t, 1);
    struct address to = address6(&t->ext6, 0);
    uint8_t packet[8 + PAYLOAD] = {ICMP6_ECHO_REQUEST};
    int fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);

    fill_token(t, packet + 8, PAYLOAD);
    if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route)))
        return done(fd, errno);
    return done(fd, sendto(fd, packet, sizeof(packet), 0, &to.any, to.length) < 0 ? errno : 0);
}

/* Sets the route after connect(), which keeps the destination that was checked. */
static int segment_after_connect(const struct target* t) {
    struct segments route = segments(t, 1);
    struct address to = address6(&t->ext6, t->port);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (connect(fd, &to.any, to.length) ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route)))
        return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

/* An established TCP connection to ext turns to the host in the middle. */
static int segment_established(const struct target* t) {
    struct segments route = segments(t, 1);
    struct address to = address6(&t->ext6, t->port);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = join(fd, &to);

    if (error) return done(fd, error);
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route))) return done(fd, errno);
    return done(fd, put(t, fd, 0));
}

/* Setting the type of service makes the socket look up its route again, by way of the option. */
static int loose_established(const struct target* t) {
    struct address to = address4(t->ext4, t->port);
    int tos = 0x10;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = join(fd, &to);

    if (!error) error = route4(t, fd, 131);
    if (!error && setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos))) error = errno;
    if (!error) error = put(t, fd, 0);
    return done(fd, error);
}

static int ancillary6(const struct target* t, int type, const void* option, size_t size,
                      const struct in6_addr* destination) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(64)];
    } control = {
        .head = {.cmsg_len = CMSG_LEN(size), .cmsg_level = IPPROTO_IPV6, .cmsg_type = type}};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address6(destination, t->port);
    struct msghdr letter = {.msg_name = &to.any,
                            .msg_namelen = to.length,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    letter.msg_controllen = CMSG_SPACE(size);
    memcpy(CMSG_DATA(&control.head), option, size);
    fill_token(t, bytes, sizeof(bytes));
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

static int segment_ancillary(const struct target* t) {
    struct segments route = segments(t, 1);

    return ancillary6(t, IPV6_RTHDR, &route, sizeof(route), &t->ext6);
}

static int old_routing(const struct target* t, uint8_t type) {
    uint8_t route[24] = {0, 2, type, 1};

    memcpy(route + 8, &t->host6, 16);
    return ancillary6(t, IPV6_RTHDR, route, sizeof(route), &t->ext6);
}

static int routing_0(const struct target* t) {
    return old_routing(t, 0);
}

static int routing_2(const struct target* t) {
    return old_routing(t, 2);
}

static int destination_options(const struct target* t) {
    return ancillary6(t, IPV6_DSTOPTS, (const uint8_t[8]){0, 0, 1, 4}, 8, &t->host6);
}

static int hop_by_hop(const struct target* t) {
    return ancillary6(t, IPV6_HOPOPTS, (const uint8_t[8]){0, 0, 1, 4}, 8, &t->host6);
}

const struct route option_routes[] = {
    {"options/loose-udp", "net_raw", loose_udp},
    {"options/strict-udp", "net_raw", strict_udp},
    {"options/loose-udp-connected", "net_raw", loose_connected},
    {"options/loose-udp-ancillary", "net_raw", loose_retopts},
    {"options/loose-udplite", "net_raw", loose_lite},
    {"options/loose-tcp", "net_raw bare", loose_tcp},
    {"options/loose-tcp-established", "net_raw", loose_established},
    {"options/loose-raw", "net_raw", loose_raw},
    {"options/segment-udp", "", segment_udp},
    {"options/segment-udp-connected", "", segment_udp_connected},
    {"options/segment-udp-after-connect", "", segment_after_connect},
    {"options/segment-udp-ancillary", "", segment_ancillary},
    {"options/segment-last", "", segment_last},
    {"options/segment-udplite", "", segment_lite},
    {"options/segment-tcp", "bare", segment_tcp},
    {"options/segment-tcp-established", "", segment_established},
    {"options/segment-ping", "", segment_ping},
    {"options/segment-raw", "net_raw", segment_raw},
    {"options/routing-0", "", routing_0},
    {"options/routing-2", "", routing_2},
    {"options/destination-options", "net_raw", destination_options},
    {"options/hop-by-hop", "net_raw", hop_by_hop},
    {0},
};
