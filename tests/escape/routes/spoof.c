/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Packets that claim to come from the host: whoever answers them, the container's own kernel or a
 * machine outside, carries their content to the host. IPV6_FREEBIND, which everybody may set, is
 * all that IPv6 asks for a foreign source address.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

#include "deliver.h"
#include "wire.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define CLOSED_PORT 40999 /* where nobody in the container listens */

static int bound_to(int type, int protocol, struct address from) {
    int v4 = from.any.sa_family == AF_INET, yes = 1, error;
    int fd = socket(from.any.sa_family, type | SOCK_CLOEXEC, protocol);

    if (fd < 0) return -1;
    if (setsockopt(fd, v4 ? (int)IPPROTO_IP : (int)IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND,
                   &yes, sizeof(yes)) ||
        bind(fd, &from.any, from.length)) {
        error = errno;
        done(fd, 0);
        errno = error;
        return -1;
    }
    return fd;
}

/* A socket whose source address is the host's. */
static int as_host(const struct target* t, int family, int type, int protocol, uint16_t port) {
    return bound_to(type, protocol,
                    family == AF_INET ? address4(t->host4, port) : address6(&t->host6, port));
}

/* The container's kernel says that the port is closed, to the host, and quotes the datagram. */
static int closed_v6(const struct target* t) {
    return deliver_sendto(t, as_host(t, AF_INET6, SOCK_DGRAM, 0, t->port),
                          address6(&t->own6, CLOSED_PORT));
}

static int closed_v4(const struct target* t) {
    return deliver_sendto(t, as_host(t, AF_INET, SOCK_DGRAM, 0, t->port),
                          address4(t->own4, CLOSED_PORT));
}

static int closed_lite(const struct target* t) {
    return deliver_sendto(t, as_host(t, AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, t->port),
                          address6(&t->own6, CLOSED_PORT));
}

/* The source address comes as ancillary data instead of by bind(). */
static int closed_pktinfo(const struct target* t) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {.head = {.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
                          .cmsg_level = IPPROTO_IPV6,
                          .cmsg_type = IPV6_PKTINFO}};
    struct in6_pktinfo info = {.ipi6_addr = t->host6};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct address to = address6(&t->own6, CLOSED_PORT);
    struct msghdr letter = {.msg_name = &to.any,
                            .msg_namelen = to.length,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control};
    int yes = 1;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    letter.msg_controllen = sizeof(control);
    memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
    fill_token(t, bytes, sizeof(bytes));
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes))) return done(fd, errno);
    return done(fd, sendmsg(fd, &letter, 0) < 0 ? errno : 0);
}

/* The same by way of link-local addresses, of which the host's looks like any neighbour's. */
static int closed_link_local(const struct target* t) {
    return deliver_sendto(t, bound_to(SOCK_DGRAM, 0, scoped6(&t->link6, t->port, t)),
                          address6(&t->own6, CLOSED_PORT));
}

/* The container's kernel answers the ping, to the host, with the ping's payload. */
static int echo(const struct target* t, int fd, struct address to, uint8_t type) {
    uint8_t packet[8 + PAYLOAD] = {type};

    if (fd < 0) return errno;
    fill_token(t, packet + 8, PAYLOAD);
    return done(fd, sendto(fd, packet, sizeof(packet), 0, &to.any, to.length) < 0 ? errno : 0);
}

static int echo_v6(const struct target* t) {
    return echo(t, as_host(t, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, 0), address6(&t->own6, 0),
                ICMP6_ECHO_REQUEST);
}

static int echo_v4(const struct target* t) {
    return echo(t, as_host(t, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0), address4(t->own4, 0),
                ICMP_ECHO);
}

static int echo_link_local(const struct target* t) {
    return echo(t, bound_to(SOCK_DGRAM, IPPROTO_ICMPV6, scoped6(&t->link6, 0, t)),
                address6(&t->own6, 0), ICMP6_ECHO_REQUEST);
}

/* The container's listener answers the SYN, to a port of the host that the container chose. */
static int handshake(const struct target* t,
                     struct address (*spoofed)(const struct target*, uint16_t)) {
    uint16_t ports[2] = {htons((uint16_t)(20000 + t->token[0])),
                         htons((uint16_t)(20300 + t->token[1]))};
    struct address at = address6(&t->own6, ntohs(ports[0]));
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error;

    say_marker(ports, sizeof(ports));
    if (bind(listener, &at.any, at.length) || listen(listener, 1)) return done(listener, errno);
    error = deliver_stream(t, bound_to(SOCK_STREAM, 0, spoofed(t, ntohs(ports[1]))), at);
    done(listener, 0);
    return error == ETIMEDOUT ? 0 : error; /* the answer went to the host, nothing came here */
}

static struct address host_port(const struct target* t, uint16_t port) {
    return address6(&t->host6, port);
}

static struct address link_port(const struct target* t, uint16_t port) {
    return scoped6(&t->link6, port, t);
}

static int handshake_v6(const struct target* t) {
    return handshake(t, host_port);
}

static int handshake_link_local(const struct target* t) {
    return handshake(t, link_port);
}

static void demand_signatures(int fd, const struct in6_addr* peer) {
    struct tcp_md5sig signature = {.tcpm_keylen = 3, .tcpm_key = "key"};
    struct address from = address6(peer, 0);

    memcpy(&signature.tcpm_addr, &from.v6, sizeof(from.v6));
    setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof(signature));
}

/*
 * A TCP Fast Open listener accepts data with the SYN and may answer at once: no handshake with the
 * host is needed. The host resets the connection that it does not know, but a socket that demands
 * signatures (TCP_MD5SIG) ignores resets that have none.
 */
static int fastopen(const struct target* t) {
    uint8_t bytes[PAYLOAD];
    struct address at = address6(&t->own6, 20600);
    int queue = 5, yes = 1;
    struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = as_host(t, AF_INET6, SOCK_STREAM, 0, 20601);
    int taken, error;

    demand_signatures(listener, &t->host6);
    demand_signatures(fd, &t->own6);
    fill_token(t, bytes, sizeof(bytes));
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    /* 34: TCP_FASTOPEN_NO_COOKIE, on both ends, since no cookie could be learnt as the host */
    if (fd < 0 || setsockopt(listener, IPPROTO_TCP, 34, &yes, sizeof(yes)) ||
        setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)) ||
        setsockopt(fd, IPPROTO_TCP, 34, &yes, sizeof(yes)) || bind(listener, &at.any, at.length) ||
        listen(listener, 5)) {
        error = errno;
        done(listener, 0);
        return done(fd, error);
    }
    error = sendto(fd, bytes, sizeof(bytes), MSG_FASTOPEN | MSG_DONTWAIT | MSG_NOSIGNAL, &at.any,
                   at.length) < 0
                ? errno
                : 0;
    taken = error && error != EINPROGRESS ? -1 : accept(listener, NULL, NULL);
    if (taken >= 0)
        error = done(taken, put(t, taken, 0));
    else if (!error || error == EINPROGRESS)
        error = errno;
    done(listener, 0);
    return done(fd, error);
}

/* ext sends every datagram to port + 1 back to where it says it came from. */
static int reflected(const struct target* t) {
    return deliver_sendto(t, as_host(t, AF_INET6, SOCK_DGRAM, 0, t->port),
                          address6(&t->ext6, (uint16_t)(t->port + 1)));
}

/* ext answers the SYN, to the host; a firewall there that tracks connections takes it for the
 * host's own. */
static int reflected_tcp(const struct target* t) {
    uint16_t ports[2] = {htons(t->port), htons((uint16_t)(20900 + t->token[0]))};
    int error;

    say_marker(ports, sizeof(ports));
    error = deliver_stream(t, as_host(t, AF_INET6, SOCK_STREAM, 0, ntohs(ports[1])),
                           address6(&t->ext6, t->port));
    return error == ETIMEDOUT ? 0 : error;
}

static int raw_closed(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->host4, t->own4, IPPROTO_UDP, 0);
    struct address to = address4(t->own4, 0);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

    if (fd < 0) return errno;
    add_udp(&packet, t, t->port, CLOSED_PORT, PAYLOAD);
    end_ip4(&packet, header);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &to.any, to.length) < 0 ? errno : 0);
}

static int raw_echo(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->host4, t->own4, IPPROTO_ICMP, 0);
    struct address to = address4(t->own4, 0);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    size_t icmp = packet.size;
    uint16_t check;

    if (fd < 0) return errno;
    add_bytes(&packet, (const uint8_t[8]){ICMP_ECHO}, 8);
    add_payload(&packet, t, PAYLOAD);
    check = internet_checksum(packet.bytes + icmp, packet.size - icmp, 0);
    memcpy(packet.bytes + icmp + 2, &check, 2);
    end_ip4(&packet, header);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &to.any, to.length) < 0 ? errno : 0);
}

/*
 * From the host's own address, which IPv6 lets everybody bind, to a port of the host that the
 * policy allows: the host answers itself, at a port of the container's choice. Turned over there
 * and back, so that what goes to the allowed port is no arrival.
 */
static int reflected_by_host(const struct target* t) {
    struct target turned = *t;
    struct address from = address6(&t->host6, t->port),
                   to = address6(&t->host6, (uint16_t)(t->port + 3));
    int yes = 1, fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    for (int i = 0; i < TOKEN_SIZE; i++) turned.token[i] = (uint8_t)~t->token[i];
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (setsockopt(fd, IPPROTO_IPV6, 78 /* IPV6_FREEBIND */, &yes, sizeof(yes)) ||
        bind(fd, &from.any, from.length))
        return done(fd, errno);
    return deliver_sendto(&turned, fd, to);
}

const struct route spoof_routes[] = {
    {"spoof/closed-port-v6", "", closed_v6},
    {"spoof/closed-port-v6-pktinfo", "", closed_pktinfo},
    {"spoof/closed-port-udplite", "", closed_lite},
    {"spoof/closed-port-v4", "", closed_v4},
    {"spoof/closed-port-raw", "net_raw", raw_closed},
    {"spoof/echo-v6", "", echo_v6},
    {"spoof/echo-v4", "", echo_v4},
    {"spoof/echo-raw", "net_raw", raw_echo},
    {"spoof/closed-port-link-local", "", closed_link_local},
    {"spoof/echo-link-local", "", echo_link_local},
    {"spoof/handshake-v6", "", handshake_v6},
    {"spoof/handshake-link-local", "", handshake_link_local},
    {"spoof/fastopen-v6", "", fastopen},
    {"spoof/reflected-by-ext", "", reflected},
    {"spoof/reflected-by-ext-tcp", "", reflected_tcp},
    {"spoof/reflected-by-host", "", reflected_by_host},
    {0},
};
