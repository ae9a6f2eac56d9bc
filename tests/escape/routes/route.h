/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What one escape route is: a way by which a program inside a container tries to get its own bytes
 * to the host. Whether they got there is never checked here but by the driver, which looks at the
 * host's wire; a route only tries, and says what the kernel told it.
 */
#ifndef ESCAPE_ROUTE_H
#define ESCAPE_ROUTE_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

#define TOKEN_SIZE 8

/* Where an inherited socket that was made outside of the container is found (see handed.c). */
enum outside {
    OUTSIDE_NONE,
    OUTSIDE_UDP = 10,       /* unconnected, the container's network namespace */
    OUTSIDE_TCP = 11,       /* not connected yet, the container's network namespace */
    OUTSIDE_CONNECTED = 12, /* TCP, connected to the host */
    OUTSIDE_LISTENER = 13,  /* listening, the host's network namespace: socket activation */
    OUTSIDE_LETTERS = 14,   /* a Unix socket through which an unconnected UDP socket is sent */
};

/* Where a socket is found that the container had connected to the host before it was jailed (see
 * before.c). */
#define EARLIER_SOCKET 20

/* Filled in from the command line; see main.c for the names. */
struct target {
    struct in_addr host4;   /* the host, on the container's link */
    struct in_addr second4; /* another address of the host, on another interface */
    struct in_addr own4;    /* the container itself */
    struct in_addr subnet4; /* the broadcast address of the container's subnet */
    struct in_addr ext4;    /* a machine behind the host */
    struct in6_addr host6, link6 /* link-local */, own6, ext6;
    struct in_addr leg4,
        host_leg4; /* of the container and of the host, in the container's second network */
    struct in6_addr leg6, host_leg6;
    struct in_addr service4; /* what the host translates to itself */
    struct in6_addr service6;
    uint32_t forget_ms;         /* how long until the host has forgotten a UDP translation */
    struct in6_addr neighbour6; /* prefix of the link; the last 8 bytes are the route's to choose */
    uint32_t turn;              /* how often this route was tried before in this container */
    char ifname[IF_NAMESIZE];   /* the container's interface */
    uint8_t host_mac[6], own_mac[6];
    uint16_t port;         /* TCP and UDP listeners of the host and of ext */
    char abstract[64];     /* name of the host's abstract Unix sockets, without the leading zero */
    uint32_t netlink_port; /* a NETLINK_USERSOCK socket of the host */
    uint32_t vsock_port;   /* a vsock listener of the host */
    uint8_t token[TOKEN_SIZE]; /* what must not arrive */
};

/*
 * needs: words, separated by blanks. A capability by its short name (net_raw, net_admin): all that
 * the route runs with, as any user. `root`: runs as user 0 (still without other capabilities).
 * `shared`: only of interest in the host's network namespace. `world=NAME`: of interest only there
 * (driver/world.cpp). `outside`: sockets of enum outside. `before`: has EARLIER_SOCKET, once.
 * `bare`: no payload is carried, that a packet arrives at all is the proof.
 */
struct route {
    const char* name;
    const char* needs;
    int (*run)(const struct target* target); /* 0 when the kernel took it, otherwise an errno */
};

/* Each ends with a null name. */
extern const struct route before_routes[], tcp_routes[], fastopen_routes[], mptcp_routes[],
    uring_routes[], udp_routes[], datagram_routes[], lite_routes[], ping_routes[], raw4_routes[],
    raw6_routes[], option_routes[], device_routes[], splice_routes[], multicast_routes[],
    neighbour_routes[], loopback_routes[], network_routes[], family_routes[], packet_routes[],
    xdp_routes[], tunnel_routes[], nat_routes[], handed_routes[], shared_routes[], spoof_routes[],
    memory_routes[];

/* Tells the driver of further bytes (at least 4) that mean: the route's data arrived. */
void say_marker(const void* bytes, size_t count);

#endif
