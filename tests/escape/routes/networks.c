/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the host itself does to packets: it masquerades what goes from one of the container's
 * networks to another, and translates what is for a service. */
#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <time.h>

#include "deliver.h"

#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

#define OWN_PORT 20710

/* The second network's address of the host itself. */
static int leg_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address4(t->host_leg4, t->port));
}

static int leg_tcp6(const struct target* t) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address6(&t->host_leg6, t->port));
}

static int leg_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address4(t->host_leg4, t->port));
}

static int leg_udp6(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address6(&t->host_leg6, t->port));
}

/* From one leg to the other by way of the host, which puts its own address and the same port in
 * front: it seems to have spoken. */
static int speak(const struct target* t, int victim, struct address from, struct address to,
                 struct address* host) {
    struct pollfd ready = {.fd = victim, .events = POLLIN};
    char byte = 'x';
    int error = 0, yes = 1, sender = socket(from.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    host->length = sizeof(host->room);
    setsockopt(sender, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(sender, &from.any, from.length) ||
        setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, t->ifname, (socklen_t)strlen(t->ifname)) ||
        sendto(sender, &byte, 1, 0, &to.any, to.length) < 0)
        error = errno;
    else if (poll(&ready, 1, 1000) != 1)
        error = ETIMEDOUT;
    else if (recvfrom(victim, &byte, 1, 0, &host->any, &host->length) < 0)
        error = errno;
    return done(sender, error);
}

static int cross(const struct target* t, int victim, struct address from, struct address to,
                 struct address* host) {
    return bind(victim, &to.any, to.length) ? errno : speak(t, victim, from, to, host);
}

/* As long as the host remembers, an answer goes back to the container; that time passes here, and
 * then the same answer is for the host. */
static int masqueraded(const struct target* t) {
    struct timespec forgotten = {.tv_sec = t->forget_ms / 1000,
                                 .tv_nsec = t->forget_ms % 1000 * 1000000L};
    struct address host4, host6;
    int v4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = cross(t, v4, address4(t->own4, t->port), address4(t->leg4, OWN_PORT), &host4);
    int error6;

    if (!error)
        error = cross(t, v6, address6(&t->own6, t->port), address6(&t->leg6, OWN_PORT), &host6);
    if (error) {
        done(v4, 0);
        return done(v6, error);
    }
    nanosleep(&forgotten, NULL);
    error = deliver_sendto(t, v4, host4);
    error6 = deliver_sendto(t, v6, host6);
    return error == EPERM ? error6 : error;
}

/*
 * An answer from another port than the one that was spoken to is for the host at once, without any
 * time passing. A socket whose port the kernel chose can take another when it is disconnected.
 */
static int rebound(const struct target* t, int family, struct address from, struct address at,
                   struct address elsewhere) {
    struct address other = family == AF_INET ? address4((struct in_addr){0}, OWN_PORT)
                                             : address6(&in6addr_any, OWN_PORT);
    struct address host, chosen = {.length = sizeof(chosen.room)},
                         nobody = {.any.sa_family = AF_UNSPEC, .length = sizeof(struct sockaddr)};
    int victim = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;
    char byte = 'x';

    if (sendto(victim, &byte, 1, 0, &elsewhere.any, elsewhere.length) < 0 ||
        getsockname(victim, &chosen.any, &chosen.length))
        return done(victim, errno);
    if (family == AF_INET)
        at.v4.sin_port = chosen.v4.sin_port;
    else
        at.v6.sin6_port = chosen.v6.sin6_port;
    error = speak(t, victim, from, at, &host);
    if (!error &&
        (connect(victim, &nobody.any, nobody.length) || bind(victim, &other.any, other.length)))
        error = errno;
    return error ? done(victim, error) : deliver_sendto(t, victim, host);
}

static int rebound4(const struct target* t) {
    return rebound(t, AF_INET, address4(t->own4, t->port), address4(t->leg4, 0),
                   address4(t->ext4, t->port));
}

static int rebound6(const struct target* t) {
    return rebound(t, AF_INET6, address6(&t->own6, t->port), address6(&t->leg6, 0),
                   address6(&t->ext6, t->port));
}

/* So is one from another address of the container's. */
static int other_source(const struct target* t) {
    struct address host, at = address4(t->leg4, OWN_PORT);
    struct in_pktinfo source = {.ipi_spec_dst = t->own4};
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(source))] = {0};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr* head = CMSG_FIRSTHDR(&message);
    int victim = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

    at.v4.sin_addr.s_addr = INADDR_ANY;
    if (bind(victim, &at.any, at.length)) return done(victim, errno);
    error = speak(t, victim, address4(t->own4, t->port), address4(t->leg4, OWN_PORT), &host);
    if (error) return done(victim, error);
    fill_token(t, bytes, sizeof(bytes));
    head->cmsg_level = IPPROTO_IP;
    head->cmsg_type = IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof(source));
    memcpy(CMSG_DATA(head), &source, sizeof(source));
    message.msg_name = &host.any;
    message.msg_namelen = host.length;
    return done(victim, sendmsg(victim, &message, 0) < 0 ? errno : 0);
}

/* An IPv6 socket may send from an address that it has not got. */
static int nobodys_source(const struct target* t) {
    struct address host, at = address6(&in6addr_any, OWN_PORT);
    struct in6_pktinfo source = {.ipi6_addr = t->own6};
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(source))] = {0};
    uint8_t bytes[PAYLOAD];
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr* head = CMSG_FIRSTHDR(&message);
    int victim = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1, error;

    if (setsockopt(victim, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)) ||
        bind(victim, &at.any, at.length))
        return done(victim, errno);
    error = speak(t, victim, address6(&t->own6, t->port), address6(&t->leg6, OWN_PORT), &host);
    if (error) return done(victim, error);
    fill_token(t, bytes, sizeof(bytes));
    source.ipi6_addr.s6_addr[15] = 99;
    head->cmsg_level = IPPROTO_IPV6;
    head->cmsg_type = IPV6_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof(source));
    memcpy(CMSG_DATA(head), &source, sizeof(source));
    message.msg_name = &host.any;
    message.msg_namelen = host.length;
    return done(victim, sendmsg(victim, &message, 0) < 0 ? errno : 0);
}

static int service_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address4(t->service4, t->port));
}

static int service_tcp6(const struct target* t) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address6(&t->service6, t->port));
}

static int service_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address4(t->service4, t->port));
}

static int redirected_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          address4(t->ext4, (uint16_t)(t->port + 4)));
}

static int redirected_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                          address6(&t->ext6, (uint16_t)(t->port + 4)));
}

const struct route network_routes[] = {
    {"networks/second-leg-tcp", "world=networks", leg_tcp},
    {"networks/second-leg-tcp-v6", "world=networks", leg_tcp6},
    {"networks/second-leg-udp", "world=networks", leg_udp},
    {"networks/second-leg-udp-v6", "world=networks", leg_udp6},
    {"networks/masqueraded", "world=networks", masqueraded},
    {"networks/rebound-v4", "world=networks", rebound4},
    {"networks/rebound-v6", "world=networks", rebound6},
    {"networks/other-source", "world=networks", other_source},
    {"networks/foreign-source", "world=networks", nobodys_source},
    {"translated/service-tcp", "world=translated", service_tcp},
    {"translated/service-tcp-v6", "world=translated", service_tcp6},
    {"translated/service-udp", "world=translated", service_udp},
    {"translated/port-tcp", "world=translated", redirected_tcp},
    {"translated/port-udp-v6", "world=translated", redirected_udp},
    {0},
};
