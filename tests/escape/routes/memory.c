/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Making the jail believe that the host spoke first. A UDP socket may answer a peer on the host
 * from which a datagram came in; here the container forges that datagram, and the socket "answers".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "deliver.h"
#include "tool.h"
#include "wire.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define OWN_PORT 20700

static int victim_at(const struct target* t, int family, struct address at) {
    struct ip_mreqn group4 = {.imr_multiaddr = {htonl(0xefff0002)},
                              .imr_ifindex = (int)if_nametoindex(t->ifname)};
    struct ipv6_mreq group6 = {.ipv6mr_multiaddr = {.s6_addr = {0xff, 0x02, [15] = 0x77}},
                               .ipv6mr_interface = if_nametoindex(t->ifname)};
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (family == AF_INET)
        setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group4, sizeof(group4));
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group6, sizeof(group6));
    bind(fd, &at.any, at.length);
    return fd;
}

static int victim(const struct target* t, int family) {
    return victim_at(t, family,
                     family == AF_INET ? address4((struct in_addr){0}, OWN_PORT)
                                       : address6(&in6addr_any, OWN_PORT));
}

/* The answer to the host, once the forged datagram (error: what making it said) has come in or has
 * had its time. */
static int answer(const struct target* t, int fd, int error) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct address from = {.length = sizeof(from.room)};
    uint8_t bytes[PAYLOAD];

    if (error || poll(&ready, 1, 100) != 1) return done(fd, error ? error : ETIMEDOUT);
    if (recvfrom(fd, bytes, sizeof(bytes), 0, &from.any, &from.length) < 0) return done(fd, errno);
    return deliver_sendto(t, fd, from);
}

/* The forged datagram carries no token: only the answer counts as arrived. */
static struct target innocent(const struct target* t) {
    struct target without = *t;

    memset(without.token, 0x55, sizeof(without.token));
    return without;
}

static int forge4(const struct target* t, struct in_addr to, const char* device) {
    struct target without = innocent(t);
    struct packet packet = {0};
    struct address at = address4(to, 0);
    struct ip_mreqn link = {.imr_ifindex = (int)if_nametoindex(t->ifname)};
    size_t header = begin_ip4(&packet, t->host4, to, IPPROTO_UDP, 0);
    int yes = 1;
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

    if (fd < 0) return errno;
    add_udp(&packet, &without, t->port, OWN_PORT, PAYLOAD);
    end_ip4(&packet, header);
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &link, sizeof(link));
    if (device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)))
        return done(fd, errno);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &at.any, at.length) < 0 ? errno : 0);
}

static int raw_own(const struct target* t) {
    int fd = victim(t, AF_INET);

    return answer(t, fd, forge4(t, t->own4, NULL));
}

static int raw_loopback(const struct target* t) {
    int fd = victim(t, AF_INET);

    return answer(t, fd, forge4(t, (struct in_addr){htonl(0x7f000001)}, NULL));
}

static int raw_device(const struct target* t) {
    int fd = victim(t, AF_INET);

    return answer(t, fd, forge4(t, t->own4, t->ifname));
}

/* Groups and broadcasts are looped back as if they had come in by the device they left by. */
static int raw_group(const struct target* t) {
    int fd = victim(t, AF_INET);

    return answer(t, fd, forge4(t, (struct in_addr){htonl(0xefff0002)}, NULL));
}

static int raw_broadcast(const struct target* t) {
    int fd = victim(t, AF_INET);

    return answer(t, fd, forge4(t, t->subnet4, NULL));
}

/* IPv6 lets everybody send from a foreign address. */
static int freebind(const struct target* t, struct address to) {
    struct target without = innocent(t);
    struct address from = address6(&t->host6, t->port);
    int index = (int)if_nametoindex(t->ifname), yes = 1;
    int fd = victim(t, AF_INET6), forger = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    setsockopt(forger, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
    if (setsockopt(forger, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)) ||
        bind(forger, &from.any, from.length)) {
        done(fd, 0);
        return done(forger, errno);
    }
    return answer(t, fd, deliver_sendto(&without, forger, to));
}

static int freebind_own(const struct target* t) {
    return freebind(t, address6(&t->own6, OWN_PORT));
}

static int freebind_loopback(const struct target* t) {
    return freebind(t, address6(&in6addr_loopback, OWN_PORT));
}

static int freebind_group(const struct target* t) {
    struct in6_addr group = {.s6_addr = {0xff, 0x02, [15] = 0x77}};

    return freebind(t, scoped6(&group, OWN_PORT, t));
}

/* By way of a frame: on the loopback device, and to the host's address so that its router sends it
 * back. */
static int frame(const struct target* t, const char* device) {
    struct target without = innocent(t);
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6), .sll_halen = 6};
    struct packet packet = {0};
    size_t header, at;
    int fd = victim(t, AF_INET6), forger = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    to.sll_ifindex = (int)if_nametoindex(device);
    if (to.sll_ifindex == 1) memset(without.host_mac, 0, 6);
    memcpy(to.sll_addr, without.host_mac, 6);
    add_ethernet(&packet, &without, ETH_P_IPV6);
    header = begin_ip6(&packet, &t->host6, &t->own6, IPPROTO_UDP);
    at = packet.size;
    add_udp(&packet, &without, t->port, OWN_PORT, PAYLOAD);
    checksum_udp6(&packet, header, at);
    end_ip6(&packet, header);
    if (forger < 0 ||
        sendto(forger, packet.bytes, packet.size, 0, (struct sockaddr*)&to, sizeof(to)) < 0) {
        done(fd, 0);
        return done(forger, errno);
    }
    return answer(t, fd, done(forger, 0));
}

static int frame_loopback(const struct target* t) {
    return frame(t, "lo");
}

static int frame_returned(const struct target* t) {
    return frame(t, t->ifname);
}

/*
 * A machine behind the host, asked for it, sends the forged datagram: it says to come from the
 * host, and IPv6 routers don't mind. If the container is in the host's namespace, the forgery
 * goes to the host's own address.
 */
static int colluder(const struct target* t, const struct in6_addr* own) {
    int fd = victim_at(t, AF_INET6, address6(own, OWN_PORT));
    struct {
        struct in6_addr to;
        uint16_t from_port, to_port;
    } order = {.to = *own, .from_port = htons(t->port), .to_port = htons(OWN_PORT)};
    struct address at = address6(&t->ext6, (uint16_t)(t->port + 2));
    int error = sendto(fd, &order, sizeof(order), 0, &at.any, at.length) < 0 ? errno : 0;

    return answer(t, fd, error);
}

/* The host announces something to a group, as hosts do: that is addressed to nobody, and to answer
 * it is to speak to the host unasked. */
static int announcement(const struct target* t) {
    struct address at = address4(t->ext4, (uint16_t)(t->port + 2));
    int fd = victim(t, AF_INET);
    int error = sendto(fd, "announce", 8, 0, &at.any, at.length) < 0 ? errno : 0;

    return answer(t, fd, error);
}

static int colluder_own(const struct target* t) {
    return colluder(t, &t->own6);
}

static int colluder_shared(const struct target* t) {
    return colluder(t, &t->host6);
}

static int tun(const struct target* t) {
    struct target without = innocent(t);
    struct ifreq request = {.ifr_name = "inner", .ifr_flags = IFF_TUN | IFF_NO_PI};
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->host4, t->own4, IPPROTO_UDP, 0);
    int fd = victim(t, AF_INET), device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int error = device < 0 || ioctl(device, TUNSETIFF, &request)
                    ? errno
                    : ip_batch(t, "link set inner up\n");

    add_udp(&packet, &without, t->port, OWN_PORT, PAYLOAD);
    end_ip4(&packet, header);
    if (!error && write(device, packet.bytes, packet.size) < 0) error = errno;
    return done(device, answer(t, fd, error));
}

const struct route memory_routes[] = {
    {"memory/raw-own-address", "net_raw", raw_own},
    {"memory/raw-loopback", "net_raw", raw_loopback},
    {"memory/raw-device", "net_raw", raw_device},
    {"memory/raw-group", "net_raw", raw_group},
    {"memory/raw-broadcast", "net_raw", raw_broadcast},
    {"memory/freebind-own-address", "", freebind_own},
    {"memory/freebind-loopback", "", freebind_loopback},
    {"memory/freebind-group", "", freebind_group},
    {"memory/frame-loopback", "net_raw", frame_loopback},
    {"memory/frame-returned", "net_raw", frame_returned},
    {"memory/announcement", "", announcement},
    {"memory/colluder", "", colluder_own},
    {"memory/colluder-shared", "shared", colluder_shared},
    {"memory/tun", "net_admin root", tun},
    {0},
};
