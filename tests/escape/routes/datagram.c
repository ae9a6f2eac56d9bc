/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* UDP in pieces, bundles, with ancillary data, and with a destination that changes under way. */
#include <errno.h>
#include <linux/udp.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "deliver.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

static int dgram(int family) {
    return socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int send_with(const struct target* t, int fd, struct address to, void* control,
                     size_t control_size) {
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr letter = {
        .msg_name = &to.any, .msg_namelen = to.length, .msg_iov = &part, .msg_iovlen = 1};

    letter.msg_control = control;
    letter.msg_controllen = control_size;
    fill_token(t, bytes, sizeof(bytes));
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

static int pktinfo_v4(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
                          .cmsg_level = IPPROTO_IP,
                          .cmsg_type = IP_PKTINFO}};
    struct in_pktinfo info = {.ipi_ifindex = (int)if_nametoindex(t->ifname),
                              .ipi_spec_dst = t->own4,
                              .ipi_addr = t->ext4};

    memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
    return send_with(t, dgram(AF_INET), address4(t->host4, t->port), &control, sizeof(control));
}

static int pktinfo_v6(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
                          .cmsg_level = IPPROTO_IPV6,
                          .cmsg_type = IPV6_PKTINFO}};
    struct in6_pktinfo info = {.ipi6_addr = t->own6, .ipi6_ifindex = if_nametoindex(t->ifname)};

    memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
    return send_with(t, dgram(AF_INET6), address6(&t->host6, t->port), &control, sizeof(control));
}

/* A link-local destination whose link is named by ancillary data only. */
static int pktinfo_link_local(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
                          .cmsg_level = IPPROTO_IPV6,
                          .cmsg_type = IPV6_PKTINFO}};
    struct in6_pktinfo info = {.ipi6_ifindex = if_nametoindex(t->ifname)};

    memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
    return send_with(t, dgram(AF_INET6), address6(&t->link6, t->port), &control, sizeof(control));
}

static int sendto_part(const struct target* t, int fd, struct address to, int flags) {
    uint8_t bytes[PAYLOAD];

    fill_token(t, bytes, sizeof(bytes));
    return sendto(fd, bytes, sizeof(bytes), flags, &to.any, to.length) < 0 ? errno : 0;
}

/* A datagram is begun to one address and finished to the other. */
static int corked(const struct target* t, int family, struct address first, struct address then) {
    int fd = dgram(family);
    int error = sendto_part(t, fd, first, MSG_MORE);

    if (!error) error = sendto_part(t, fd, then, 0);
    return done(fd, error);
}

static int more_ext_host(const struct target* t) {
    return corked(t, AF_INET, address4(t->ext4, t->port), address4(t->host4, t->port));
}

static int more_host_ext(const struct target* t) {
    return corked(t, AF_INET, address4(t->host4, t->port), address4(t->ext4, t->port));
}

static int more_v6_mapped(const struct target* t) {
    return corked(t, AF_INET6, address6(&t->ext6, t->port), mapped4(t->host4, t->port));
}

static int more_host_only(const struct target* t) {
    return corked(t, AF_INET, address4(t->host4, t->port), address4(t->host4, t->port));
}

/* UDP_CORK collects while the socket is connected to ext; it is connected to the host when the cork
 * is pulled. */
static int cork_reconnect(const struct target* t) {
    struct address first = address4(t->ext4, t->port), then = address4(t->host4, t->port);
    int on = 1, off = 0;
    int fd = dgram(AF_INET);
    int error;

    if (connect(fd, &first.any, first.length) || setsockopt(fd, SOL_UDP, UDP_CORK, &on, sizeof(on)))
        return done(fd, errno);
    error = put(t, fd, 0);
    if (!error && (connect(fd, &then.any, then.length) ||
                   setsockopt(fd, SOL_UDP, UDP_CORK, &off, sizeof(off))))
        error = errno;
    return done(fd, error);
}

static int segmented(const struct target* t, int family, struct address to, int connected) {
    uint8_t bytes[8 * PAYLOAD];
    int size = PAYLOAD;
    int fd = dgram(family);
    ssize_t sent;

    fill_token(t, bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
        (connected && connect(fd, &to.any, to.length)))
        return done(fd, errno);
    sent = connected ? send(fd, bytes, sizeof(bytes), 0)
                     : sendto(fd, bytes, sizeof(bytes), 0, &to.any, to.length);
    return done(fd, sent < 0 ? errno : 0);
}

static int gso_v4(const struct target* t) {
    return segmented(t, AF_INET, address4(t->host4, t->port), 0);
}

static int gso_v6(const struct target* t) {
    return segmented(t, AF_INET6, address6(&t->host6, t->port), 0);
}

static int gso_connected(const struct target* t) {
    return segmented(t, AF_INET, address4(t->host4, t->port), 1);
}

static int sized(const struct target* t, int family, struct address to, size_t size, int flags) {
    static uint8_t bytes[16384];
    int fd = dgram(family);
    int yes = 1;

    if (flags & MSG_ZEROCOPY) setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &yes, sizeof(yes));
    fill_token(t, bytes, size);
    return done(fd, sendto(fd, bytes, size, flags, &to.any, to.length) < 0 ? errno : 0);
}

static int empty(const struct target* t) {
    return sized(t, AF_INET, address4(t->host4, t->port), 0, 0);
}

static int fragmented_v4(const struct target* t) {
    return sized(t, AF_INET, address4(t->host4, t->port), 9000, 0);
}

static int fragmented_v6(const struct target* t) {
    return sized(t, AF_INET6, address6(&t->host6, t->port), 9000, 0);
}

static int zerocopy(const struct target* t) {
    return sized(t, AF_INET, address4(t->host4, t->port), 1024, MSG_ZEROCOPY);
}

static int confirm(const struct target* t) {
    return sized(t, AF_INET, address4(t->host4, t->port), PAYLOAD, MSG_CONFIRM | MSG_DONTROUTE);
}

/* Another thread flips the address between permitted and not while it is being sent to. */
struct flipped {
    struct address to;
    struct in_addr even, odd;
    volatile int stop;
};

static void* flip(void* argument) {
    struct flipped* race = argument;
    volatile uint32_t* at = &race->to.v4.sin_addr.s_addr;

    while (!race->stop) {
        *at = race->even.s_addr;
        *at = race->odd.s_addr;
    }
    return NULL;
}

static int race(const struct target* t) {
    struct flipped race = {.to = address4(t->ext4, t->port), .even = t->ext4, .odd = t->host4};
    uint8_t bytes[PAYLOAD];
    pthread_t thread;
    const time_t give_up = time(NULL) + 20;
    const volatile uint32_t* at = &race.to.v4.sin_addr.s_addr;
    int fd = dgram(AF_INET);
    int error = 0, to_host = 0;

    fill_token(t, bytes, sizeof(bytes));
    if (pthread_create(&thread, NULL, flip, &race)) return done(fd, EAGAIN);
    /* Until it has begun at the host's address often enough for that to be the one that was sent
     * to: on a loaded machine the other thread may wait for long. */
    for (int i = 0; i < 400 || (to_host < 40 && time(NULL) < give_up); i++) {
        to_host += *at == race.odd.s_addr;
        if (sendto(fd, bytes, sizeof(bytes), 0, &race.to.any, race.to.length) < 0 && errno == EPERM)
            error = EPERM;
        if (i % 4 == 0) usleep(1); /* one processor is enough for both threads to get a turn */
    }
    race.stop = 1;
    pthread_join(thread, NULL);
    return done(fd, error);
}

const struct route datagram_routes[] = {
    {"udp/pktinfo-v4", "", pktinfo_v4},
    {"udp/pktinfo-v6", "", pktinfo_v6},
    {"udp/pktinfo-link-local", "", pktinfo_link_local},
    {"udp/more-ext-then-host", "", more_ext_host},
    {"udp/more-host-then-ext", "", more_host_ext},
    {"udp/more-v6-then-mapped", "", more_v6_mapped},
    {"udp/more-host-only", "", more_host_only},
    {"udp/cork-reconnect", "", cork_reconnect},
    {"udp/segmented-v4", "", gso_v4},
    {"udp/segmented-v6", "", gso_v6},
    {"udp/segmented-connected", "", gso_connected},
    {"udp/empty", "bare", empty},
    {"udp/fragmented-v4", "", fragmented_v4},
    {"udp/fragmented-v6", "", fragmented_v6},
    {"udp/zerocopy", "", zerocopy},
    {"udp/confirm", "", confirm},
    {"udp/address-race", "", race},
    {0},
};
