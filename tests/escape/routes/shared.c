/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* In the host's own network namespace: everything that means the machine itself, and what crosses
 * no network at all. */
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "deliver.h"
#include "wire.h"

static struct in_addr v4(uint32_t address) {
    return (struct in_addr){htonl(address)};
}

static int tcp4(const struct target* t, uint32_t to) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address4(v4(to), t->port));
}

static int udp4(const struct target* t, uint32_t to) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address4(v4(to), t->port));
}

static int tcp6(const struct target* t, struct address to) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), to);
}

static int udp6(const struct target* t, struct address to) {
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), to);
}

#define ROUTE(name, expression)               \
    static int name(const struct target* t) { \
        return expression;                    \
    }

ROUTE(tcp_loopback, tcp4(t, 0x7f000001))
ROUTE(tcp_loopback_far, tcp4(t, 0x7f090807))
ROUTE(tcp_any, tcp4(t, 0))
ROUTE(tcp_own, deliver_stream(t, socket(AF_INET, SOCK_STREAM, 0), address4(t->host4, t->port)))
ROUTE(tcp_loopback6, tcp6(t, address6(&in6addr_loopback, t->port)))
ROUTE(tcp_any6, tcp6(t, address6(&in6addr_any, t->port)))
ROUTE(tcp_own6, tcp6(t, address6(&t->host6, t->port)))
ROUTE(tcp_own_link, tcp6(t, scoped6(&t->link6, t->port, t)))
ROUTE(tcp_mapped_any, tcp6(t, mapped4(v4(0), t->port)))
ROUTE(tcp_mapped_loopback, tcp6(t, mapped4(v4(0x7f000001), t->port)))
ROUTE(udp_loopback, udp4(t, 0x7f000001))
ROUTE(udp_loopback_far, udp4(t, 0x7f090807))
ROUTE(udp_any, udp4(t, 0))
ROUTE(udp_loopback6, udp6(t, address6(&in6addr_loopback, t->port)))
ROUTE(udp_any6, udp6(t, address6(&in6addr_any, t->port)))
ROUTE(udp_mapped_any, udp6(t, mapped4(v4(0), t->port)))
ROUTE(udp_mapped_loopback, udp6(t, mapped4(v4(0x7f000001), t->port)))
ROUTE(udp_own, deliver_sendto(t, socket(AF_INET, SOCK_DGRAM, 0), address4(t->host4, t->port)))
ROUTE(udp_own_far, deliver_sendto(t, socket(AF_INET, SOCK_DGRAM, 0), address4(t->second4, t->port)))
ROUTE(udp_connect_any,
      deliver_connected(t, socket(AF_INET, SOCK_DGRAM, 0), address4(v4(0), t->port)))
ROUTE(lite_connect_any,
      deliver_connected(t, socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), address4(v4(0), t->port)))
ROUTE(lite_connect_loopback, deliver_connected(t, socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE),
                                               address4(v4(0x7f000001), t->port)))

/* The unspecified address means the address that the socket is bound to. */
static int bound(const struct target* t, int family, int type, struct address from,
                 struct address to) {
    int fd = socket(family, type | SOCK_CLOEXEC, 0);

    if (bind(fd, &from.any, from.length)) return done(fd, errno);
    return type == SOCK_STREAM ? deliver_stream(t, fd, to) : deliver_sendto(t, fd, to);
}

ROUTE(udp_any_bound,
      bound(t, AF_INET, SOCK_DGRAM, address4(t->second4, 0), address4(v4(0), t->port)))
ROUTE(tcp_any6_bound,
      bound(t, AF_INET6, SOCK_STREAM, mapped4(v4(0x7f000001), 0), address6(&in6addr_any, t->port)))
ROUTE(udp_any6_bound,
      bound(t, AF_INET6, SOCK_DGRAM, mapped4(v4(0x7f000001), 0), address6(&in6addr_any, t->port)))

static int ping_loopback(const struct target* t) {
    uint8_t packet[8 + PAYLOAD] = {ICMP_ECHO};
    struct address to = address4(v4(0x7f000001), 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

    fill_token(t, packet + 8, PAYLOAD);
    if (fd < 0) return errno;
    return done(fd, sendto(fd, packet, sizeof(packet), 0, &to.any, to.length) < 0 ? errno : 0);
}

static int raw_loopback(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253),
                          address4(v4(0x7f000001), 0));
}

/* Looped back to the members on this machine, whatever the device. */
static int group(const struct target* t) {
    struct ip_mreqn link = {.imr_address = t->host4};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link));
    return deliver_sendto(t, fd, address4(v4(0xefff0001), t->port));
}

/*
 * The kernel gives a copy of what goes to a group or to everybody to its own listeners before it
 * asks the hooks of the cgroup. The datagram is made by hand, so that sendmsg hooks don't see it,
 * either.
 */
static int raw_copy(const struct target* t, struct in_addr to) {
    struct ip_mreqn link = {.imr_address = t->host4};
    struct packet packet = {0};
    struct address at = address4(to, 0);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP), yes = 1;

    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link));
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &at.any, at.length) < 0 ? errno : 0);
}

ROUTE(raw_group, raw_copy(t, v4(0xefff0001)))
ROUTE(raw_broadcast, raw_copy(t, t->subnet4))
ROUTE(raw_limited, raw_copy(t, v4(0xffffffff)))

static int abstract(const struct target* t, int type) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(t->abstract);
    uint8_t bytes[PAYLOAD];
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path + 1, t->abstract, length);
    to.sun_path[1 + length] = type == SOCK_STREAM ? 's' : 'd';
    length += offsetof(struct sockaddr_un, sun_path) + 2;
    fill_token(t, bytes, sizeof(bytes));
    if (type == SOCK_STREAM) {
        if (connect(fd, (struct sockaddr*)&to, (socklen_t)length)) return done(fd, errno);
        return done(fd, put(t, fd, 0));
    }
    return done(fd,
                sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr*)&to, (socklen_t)length) < 0
                    ? errno
                    : 0);
}

ROUTE(abstract_stream, abstract(t, SOCK_STREAM))
ROUTE(abstract_datagram, abstract(t, SOCK_DGRAM))

/* Netlink's protocol for user programs: anybody may send to anybody in the namespace. */
static int netlink(const struct target* t) {
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = t->netlink_port};
    uint8_t bytes[PAYLOAD];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);

    fill_token(t, bytes, sizeof(bytes));
    return done(
        fd, sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr*)&to, sizeof(to)) < 0 ? errno : 0);
}

const struct route shared_routes[] = {
    {"shared/tcp-loopback", "shared", tcp_loopback},
    {"shared/tcp-loopback-far", "shared", tcp_loopback_far},
    {"shared/tcp-any", "shared", tcp_any},
    {"shared/tcp-own-address", "shared", tcp_own},
    {"shared/tcp-loopback-v6", "shared", tcp_loopback6},
    {"shared/tcp-any-v6", "shared", tcp_any6},
    {"shared/tcp-own-address-v6", "shared", tcp_own6},
    {"shared/tcp-own-link-local", "shared", tcp_own_link},
    {"shared/tcp-mapped-any", "shared", tcp_mapped_any},
    {"shared/tcp-mapped-loopback", "shared", tcp_mapped_loopback},
    {"shared/tcp-any-v6-bound-mapped", "shared", tcp_any6_bound},
    {"shared/udp-loopback", "shared", udp_loopback},
    {"shared/udp-loopback-far", "shared", udp_loopback_far},
    {"shared/udp-any", "shared", udp_any},
    {"shared/udp-any-bound", "shared", udp_any_bound},
    {"shared/udp-own-address", "shared", udp_own},
    {"shared/udp-second-address", "shared", udp_own_far},
    {"shared/udp-loopback-v6", "shared", udp_loopback6},
    {"shared/udp-any-v6", "shared", udp_any6},
    {"shared/udp-any-v6-bound-mapped", "shared", udp_any6_bound},
    {"shared/udp-mapped-any", "shared", udp_mapped_any},
    {"shared/udp-mapped-loopback", "shared", udp_mapped_loopback},
    {"shared/udp-connect-any", "shared", udp_connect_any},
    {"shared/udplite-connect-any", "shared", lite_connect_any},
    {"shared/udplite-connect-loopback", "shared", lite_connect_loopback},
    {"shared/ping-loopback", "shared", ping_loopback},
    {"shared/raw-loopback", "shared net_raw", raw_loopback},
    {"shared/group", "shared", group},
    {"shared/raw-group", "shared net_raw", raw_group},
    {"shared/raw-broadcast", "shared net_raw", raw_broadcast},
    {"shared/raw-limited-broadcast", "shared net_raw", raw_limited},
    {"shared/abstract-stream", "shared", abstract_stream},
    {"shared/abstract-datagram", "shared", abstract_datagram},
    {"shared/netlink", "shared", netlink},
    {0},
};
