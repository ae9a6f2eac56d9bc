/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* UDP by connect(2) and by a destination in the send call, in every spelling of the host's address.
 */
#include <errno.h>
#include <string.h>

#include "deliver.h"

static int dgram(int family) {
    return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int connect_v4(const struct target* t) {
    return deliver_connected(t, dgram(AF_INET), address4(t->host4, t->port));
}

static int connect_v6(const struct target* t) {
    return deliver_connected(t, dgram(AF_INET6), address6(&t->host6, t->port));
}

static int connect_link_local(const struct target* t) {
    return deliver_connected(t, dgram(AF_INET6), scoped6(&t->link6, t->port, t));
}

static int connect_mapped(const struct target* t) {
    return deliver_connected(t, dgram(AF_INET6), mapped4(t->host4, t->port));
}

static int connect_v4_on_v6(const struct target* t) {
    return deliver_connected(t, dgram(AF_INET6), address4(t->host4, t->port));
}

static int connect_twice(const struct target* t) {
    struct address first = address4(t->ext4, t->port);
    int fd = dgram(AF_INET);

    if (connect(fd, &first.any, first.length)) return done(fd, errno);
    return deliver_connected(t, fd, address4(t->host4, t->port));
}

static int sendto_v4(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET), address4(t->host4, t->port));
}

static int sendto_second(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET), address4(t->second4, t->port));
}

static int sendto_v6(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET6), address6(&t->host6, t->port));
}

/* The subnet-router anycast address (RFC 4291 2.6.1), which every router on the link answers to. */
static int sendto_anycast(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET6), address6(&t->neighbour6, t->port));
}

static int sendto_link_local(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET6), scoped6(&t->link6, t->port, t));
}

static int sendto_mapped(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET6), mapped4(t->host4, t->port));
}

static int sendto_v4_on_v6(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET6), address4(t->host4, t->port));
}

static int sendto_unspec(const struct target* t) {
    struct address to = address4(t->host4, t->port);

    to.v4.sin_family = AF_UNSPEC;
    return deliver_sendto(t, dgram(AF_INET), to);
}

static int sendto_dns_port(const struct target* t) {
    return deliver_sendto(t, dgram(AF_INET), address4(t->host4, 53));
}

static int sendto_embedded(const struct target* t, struct in6_addr to, size_t at) {
    memcpy(to.s6_addr + at, &t->host4, 4);
    return deliver_sendto(t, dgram(AF_INET6), address6(&to, t->port));
}

static int sendto_compatible(const struct target* t) {
    return sendto_embedded(t, (struct in6_addr){0}, 12);
}

static int sendto_nat64(const struct target* t) {
    return sendto_embedded(t, (struct in6_addr){.s6_addr = {0x00, 0x64, 0xff, 0x9b}}, 12);
}

static int sendto_6to4(const struct target* t) {
    return sendto_embedded(t, (struct in6_addr){.s6_addr = {0x20, 0x02, [15] = 1}}, 2);
}

/* Connected to a permitted address, with another one named for a single datagram. */
static int elsewhere(const struct target* t, int family, struct address first,
                     struct address then) {
    int fd = dgram(family);

    if (connect(fd, &first.any, first.length)) return done(fd, errno);
    return deliver_sendto(t, fd, then);
}

static int elsewhere_v4(const struct target* t) {
    return elsewhere(t, AF_INET, address4(t->ext4, t->port), address4(t->host4, t->port));
}

static int elsewhere_v6(const struct target* t) {
    return elsewhere(t, AF_INET6, address6(&t->ext6, t->port), address6(&t->host6, t->port));
}

static int elsewhere_mapped(const struct target* t) {
    return elsewhere(t, AF_INET6, mapped4(t->ext4, t->port), mapped4(t->host4, t->port));
}

/* The first datagram of the batch is permitted; the second must be checked on its own. */
static int batch(const struct target* t) {
    uint8_t bytes[PAYLOAD] = {0}, secret[PAYLOAD];
    struct iovec parts[2] = {{.iov_base = bytes, .iov_len = sizeof(bytes)},
                             {.iov_base = secret, .iov_len = sizeof(secret)}};
    struct address to[2] = {address4(t->ext4, t->port), address4(t->host4, t->port)};
    struct mmsghdr letters[2] = {0};
    int fd = dgram(AF_INET);
    int sent;

    fill_token(t, secret, sizeof(secret));
    for (int i = 0; i < 2; i++)
        letters[i].msg_hdr = (struct msghdr){.msg_name = &to[i].any,
                                             .msg_namelen = to[i].length,
                                             .msg_iov = &parts[i],
                                             .msg_iovlen = 1};
    sent = sendmmsg(fd, letters, 2, 0);
    if (sent == 1) /* the error of the second is reported by the next call */
        sent = sendmmsg(fd, letters + 1, 1, 0);
    return done(fd, sent < 0 ? errno : 0);
}

const struct route udp_routes[] = {
    {"udp/connect-v4", "", connect_v4},
    {"udp/connect-v6", "", connect_v6},
    {"udp/connect-link-local", "", connect_link_local},
    {"udp/connect-mapped", "", connect_mapped},
    {"udp/connect-v4-address-on-v6", "", connect_v4_on_v6},
    {"udp/connect-twice", "", connect_twice},
    {"udp/sendto-v4", "", sendto_v4},
    {"udp/sendto-v4-second-address", "", sendto_second},
    {"udp/sendto-v6", "", sendto_v6},
    {"udp/sendto-anycast", "", sendto_anycast},
    {"udp/sendto-link-local", "", sendto_link_local},
    {"udp/sendto-mapped", "", sendto_mapped},
    {"udp/sendto-v4-address-on-v6", "", sendto_v4_on_v6},
    {"udp/sendto-unspec", "", sendto_unspec},
    {"udp/sendto-dns-port", "", sendto_dns_port},
    {"udp/sendto-compatible", "", sendto_compatible},
    {"udp/sendto-nat64", "", sendto_nat64},
    {"udp/sendto-6to4", "", sendto_6to4},
    {"udp/elsewhere-v4", "", elsewhere_v4},
    {"udp/elsewhere-v6", "", elsewhere_v6},
    {"udp/elsewhere-mapped", "", elsewhere_mapped},
    {"udp/sendmmsg-second", "", batch},
    {0},
};
