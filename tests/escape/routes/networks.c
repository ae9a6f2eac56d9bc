/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the host itself does to packets: it masquerades what goes from one of the container's networks to another, and translates what is for a
 * service. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "deliver.h"

#define OWN_PORT 20710

/* The second network's address of the host itself. */
static int leg_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), address4(t->host_leg4, t->port));
}

static int leg_tcp6(const struct target* t) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), address6(&t->host_leg6, t->port));
}

static int leg_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), address4(t->host_leg4, t->port));
}

static int leg_udp6(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), address6(&t->host_leg6, t->port));
}

/* From one leg to the other by way of the host, which puts its own address and the same port in front: it seems to have spoken. */
static int cross(const struct target* t, int victim, struct address from, struct address to, struct address* host) {
    struct pollfd ready = {.fd = victim, .events = POLLIN};
    char byte = 'x';
    int error = 0, yes = 1, sender = socket(from.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    host->length = sizeof(host->room);
    setsockopt(sender, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(victim, &to.any, to.length) || bind(sender, &from.any, from.length) ||
        setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, t->ifname, (socklen_t)strlen(t->ifname)) ||
        sendto(sender, &byte, 1, 0, &to.any, to.length) < 0)
        error = errno;
    else if (poll(&ready, 1, 1000) != 1)
        error = ETIMEDOUT;
    else if (recvfrom(victim, &byte, 1, 0, &host->any, &host->length) < 0)
        error = errno;
    return done(sender, error);
}

/* As long as the host remembers, an answer goes back to the container; that time passes here, and then the same answer is for the host. */
static int masqueraded(const struct target* t) {
    struct timespec forgotten = {.tv_sec = t->forget_ms / 1000, .tv_nsec = t->forget_ms % 1000 * 1000000L};
    struct address host4, host6;
    int v4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = cross(t, v4, address4(t->own4, t->port), address4(t->leg4, OWN_PORT), &host4);
    int error6;

    if (!error) error = cross(t, v6, address6(&t->own6, t->port), address6(&t->leg6, OWN_PORT), &host6);
    if (error) {
        done(v4, 0);
        return done(v6, error);
    }
    nanosleep(&forgotten, NULL);
    error = deliver_sendto(t, v4, host4);
    error6 = deliver_sendto(t, v6, host6);
    return error == EPERM ? error6 : error;
}

static int service_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), address4(t->service4, t->port));
}

static int service_tcp6(const struct target* t) {
    return deliver_stream(t, socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), address6(&t->service6, t->port));
}

static int service_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), address4(t->service4, t->port));
}

static int redirected_tcp(const struct target* t) {
    return deliver_stream(t, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), address4(t->ext4, (uint16_t)(t->port + 4)));
}

static int redirected_udp(const struct target* t) {
    return deliver_sendto(t, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), address6(&t->ext6, (uint16_t)(t->port + 4)));
}

const struct route network_routes[] = {
    {"networks/second-leg-tcp", "world=networks", leg_tcp},
    {"networks/second-leg-tcp-v6", "world=networks", leg_tcp6},
    {"networks/second-leg-udp", "world=networks", leg_udp},
    {"networks/second-leg-udp-v6", "world=networks", leg_udp6},
    {"networks/masqueraded", "world=networks", masqueraded},
    {"translated/service-tcp", "world=translated", service_tcp},
    {"translated/service-tcp-v6", "world=translated", service_tcp6},
    {"translated/service-udp", "world=translated", service_udp},
    {"translated/port-tcp", "world=translated", redirected_tcp},
    {"translated/port-udp-v6", "world=translated", redirected_udp},
    {0},
};
