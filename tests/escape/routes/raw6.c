/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* IPv6 raw sockets (CAP_NET_RAW): neighbour discovery with a payload, and headers that hide what
 * follows them. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

#include "deliver.h"
#include "wire.h"

static const struct in6_addr all_nodes = {.s6_addr = {0xff, 0x02, [15] = 1}};
static const struct in6_addr all_routers = {.s6_addr = {0xff, 0x02, [15] = 2}};
static const struct in6_addr all_mld_routers = {.s6_addr = {0xff, 0x02, [15] = 0x16}};

static int send_packet(const struct target* t, int protocol, const struct packet* packet,
                       const struct in6_addr* host) {
    struct address to = scoped6(host, 0, t);
    int hops = 255;
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, protocol);

    if (fd < 0) return errno;
    if (host->s6_addr[0] != 0xff && host->s6_addr[0] != 0xfe) to.v6.sin6_scope_id = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
    return done(fd, sendto(fd, packet->bytes, packet->size, 0, &to.any, to.length) < 0 ? errno : 0);
}

/* An ICMPv6 message: head bytes of fixed part, then the token, as options or as body. The kernel
 * fills in the checksum. */
static int icmp6(const struct target* t, uint8_t type, size_t head, const struct in6_addr* to) {
    struct packet packet = {.size = head, .bytes = {type}};

    if (type == ND_NEIGHBOR_SOLICIT || type == ND_NEIGHBOR_ADVERT)
        memcpy(packet.bytes + 8, &t->host6, 16);
    packet.bytes[packet.size] = 200; /* an unknown option, 9 * 8 bytes long */
    packet.bytes[packet.size + 1] = 9;
    packet.size += 8;
    add_payload(&packet, t, PAYLOAD);
    return send_packet(t, IPPROTO_ICMPV6, &packet, to);
}

static int echo(const struct target* t) {
    return icmp6(t, ICMP6_ECHO_REQUEST, 8, &t->host6);
}

static int solicit(const struct target* t) {
    return icmp6(t, ND_NEIGHBOR_SOLICIT, 24, &t->host6);
}

static int solicit_link_local(const struct target* t) {
    return icmp6(t, ND_NEIGHBOR_SOLICIT, 24, &t->link6);
}

static int advertise(const struct target* t) {
    return icmp6(t, ND_NEIGHBOR_ADVERT, 24, &t->host6);
}

static int advertise_all(const struct target* t) {
    return icmp6(t, ND_NEIGHBOR_ADVERT, 24, &all_nodes);
}

static int router_solicit(const struct target* t) {
    return icmp6(t, ND_ROUTER_SOLICIT, 8, &all_routers);
}

static int router_advert(const struct target* t) {
    return icmp6(t, ND_ROUTER_ADVERT, 16, &t->link6);
}

static int redirect(const struct target* t) {
    return icmp6(t, ND_REDIRECT, 40, &t->host6);
}

static int listener_report(const struct target* t) {
    return icmp6(t, 143, 8, &all_mld_routers);
}

static int node_query(const struct target* t) {
    return icmp6(t, 139, 16, &t->host6);
}

static int udp(const struct target* t) {
    struct packet packet = {0};

    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    return send_packet(t, IPPROTO_UDP, &packet, &t->host6);
}

static int tcp_ack(const struct target* t) {
    struct packet packet = {0};

    add_tcp(&packet, 40000, t->port, TH_ACK);
    add_payload(&packet, t, PAYLOAD);
    return send_packet(t, IPPROTO_TCP, &packet, &t->host6);
}

/* Whole packets: IPPROTO_RAW includes the header for IPv6. The chain begins with `next` and lies in
 * front of a UDP datagram. */
static int whole_to(const struct target* t, const struct in6_addr* to, uint8_t next,
                    const uint8_t* chain, size_t size, const struct in6_addr* sockaddr) {
    struct packet packet = {0};
    size_t header = begin_ip6(&packet, &t->own6, to, next);
    size_t at;

    add_bytes(&packet, chain, size);
    at = packet.size;
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    checksum_udp6(&packet, header, at);
    end_ip6(&packet, header);
    return send_packet(t, IPPROTO_RAW, &packet, sockaddr);
}

static int whole(const struct target* t, uint8_t next, const uint8_t* chain, size_t size) {
    return whole_to(t, &t->host6, next, chain, size, &t->host6);
}

static int header(const struct target* t) {
    return whole(t, IPPROTO_UDP, (const uint8_t*)"", 0);
}

static int header_lying(const struct target* t) {
    return whole_to(t, &t->host6, IPPROTO_UDP, (const uint8_t*)"", 0, &t->ext6);
}

/* The first byte says IPv4, and what would be IPv4's destination is ext. */
static int header_other_version(const struct target* t) {
    struct packet packet = {0};
    struct in6_addr from = t->own6;

    memcpy(from.s6_addr + 8, &t->ext4, 4); /* bytes 16 to 19 of the packet */
    begin_ip6(&packet, &from, &t->host6, IPPROTO_UDP);
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip6(&packet, 0);
    packet.bytes[0] = 0x45;
    return send_packet(t, IPPROTO_RAW, &packet, &t->host6);
}

static int atomic_fragment(const struct target* t) {
    return whole(t, IPPROTO_FRAGMENT, (const uint8_t[8]){IPPROTO_UDP, 0, 0, 0, 1, 2, 3, 4}, 8);
}

static int first_fragment(const struct target* t) {
    return whole(t, IPPROTO_FRAGMENT, (const uint8_t[8]){IPPROTO_UDP, 0, 0, 1, 1, 2, 3, 4}, 8);
}

static int later_fragment(const struct target* t) {
    return whole(t, IPPROTO_FRAGMENT, (const uint8_t[8]){IPPROTO_TCP, 0, 0, 8, 1, 2, 3, 4}, 8);
}

/* A fragment that calls itself neighbour discovery. */
static int discovery_fragment(const struct target* t) {
    return whole(t, IPPROTO_FRAGMENT,
                 (const uint8_t[16]){IPPROTO_ICMPV6, 0, 0, 1, 1, 2, 3, 4, ND_NEIGHBOR_SOLICIT}, 16);
}

static int hop_by_hop(const struct target* t) {
    return whole(t, IPPROTO_HOPOPTS, (const uint8_t[8]){IPPROTO_UDP, 0, 1, 4}, 8);
}

static int jumbo(const struct target* t) {
    return whole(t, IPPROTO_HOPOPTS, (const uint8_t[8]){IPPROTO_UDP, 0, 0xc2, 4, 0, 1, 0, 0}, 8);
}

static int destination_options(const struct target* t) {
    return whole(t, IPPROTO_DSTOPTS, (const uint8_t[8]){IPPROTO_UDP, 0, 1, 4}, 8);
}

static int long_chain(const struct target* t) {
    uint8_t chain[16 * 8] = {0};

    for (int i = 0; i < 16; i++) {
        chain[i * 8] = i < 15 ? IPPROTO_DSTOPTS : IPPROTO_UDP;
        chain[i * 8 + 2] = 1;
        chain[i * 8 + 3] = 4;
    }
    return whole(t, IPPROTO_DSTOPTS, chain, sizeof(chain));
}

static int no_next(const struct target* t) {
    return whole(t, IPPROTO_NONE, (const uint8_t*)"", 0);
}

static int mobility(const struct target* t) {
    return whole(t, IPPROTO_MH, (const uint8_t[8]){IPPROTO_NONE}, 8);
}

static int authentication(const struct target* t) {
    return whole(t, IPPROTO_AH, (const uint8_t[16]){IPPROTO_UDP, 2}, 16);
}

static int encrypted(const struct target* t) {
    return whole(t, IPPROTO_ESP, (const uint8_t[8]){0, 0, 1, 0}, 8);
}

static int routing(const struct target* t, uint8_t type) {
    uint8_t chain[24] = {IPPROTO_UDP, 2, type, 1};

    memcpy(chain + 8, &t->ext6, 16);
    return whole(t, IPPROTO_ROUTING, chain, sizeof(chain));
}

static int routing_0(const struct target* t) {
    return routing(t, 0);
}

static int routing_2(const struct target* t) {
    return routing(t, 2);
}

static int routing_4(const struct target* t) {
    return routing(t, 4);
}

/* A segment routing header for a machine outside, which sends the packet on to the host, behind as
 * much as it takes to hide it. */
static int hidden_segments(const struct target* t, uint8_t first, const uint8_t* cover,
                           size_t size) {
    uint8_t route[40] = {IPPROTO_UDP, 4, 4, 1, 1};
    struct address to = address6(&t->ext6, 0);
    struct packet packet = {0};
    size_t header = begin_ip6(&packet, &t->own6, &t->ext6, first), udp;
    int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

    memcpy(route + 8, &t->host6, 16);
    memcpy(route + 24, &t->ext6, 16);
    add_bytes(&packet, cover, size);
    add_bytes(&packet, route, sizeof(route));
    udp = packet.size;
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip6(&packet, header);
    /* The checksum is of where the packet ends up. */
    memcpy(packet.bytes + header + offsetof(struct ip6_hdr, ip6_dst), &t->host6, 16);
    checksum_udp6(&packet, header, udp);
    memcpy(packet.bytes + header + offsetof(struct ip6_hdr, ip6_dst), &t->ext6, 16);
    if (fd < 0) return errno;
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &to.any, to.length) < 0 ? errno : 0);
}

static int routing_behind_options(const struct target* t) {
    uint8_t chain[6 * 8] = {0};

    for (int i = 0; i < 6; i++) {
        chain[i * 8] = i < 5 ? IPPROTO_DSTOPTS : IPPROTO_ROUTING;
        chain[i * 8 + 2] = 1;
        chain[i * 8 + 3] = 4;
    }
    return hidden_segments(t, IPPROTO_DSTOPTS, chain, sizeof(chain));
}

/* A fragment that is the whole packet (RFC 6946). */
static int routing_behind_fragment(const struct target* t) {
    return hidden_segments(t, IPPROTO_FRAGMENT,
                           (const uint8_t[8]){IPPROTO_ROUTING, 0, 0, 0, 0, 0, 0, 7}, 8);
}

static int routing_to_ext(const struct target* t) {
    return hidden_segments(t, IPPROTO_ROUTING, (const uint8_t*)"", 0);
}

static int sit(const struct target* t) {
    struct packet packet = {0};
    struct address to = address4(t->host4, 0);
    size_t inner = begin_ip6(&packet, &t->own6, &t->ext6, IPPROTO_UDP);
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_IPV6);

    if (fd < 0) return errno;
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip6(&packet, inner);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &to.any, to.length) < 0 ? errno : 0);
}

const struct route raw6_routes[] = {
    {"raw6/echo", "net_raw", echo},
    {"raw6/neighbour-solicitation", "net_raw", solicit},
    {"raw6/neighbour-solicitation-link-local", "net_raw", solicit_link_local},
    {"raw6/neighbour-advertisement", "net_raw", advertise},
    {"raw6/neighbour-advertisement-all", "net_raw", advertise_all},
    {"raw6/router-solicitation", "net_raw", router_solicit},
    {"raw6/router-advertisement", "net_raw", router_advert},
    {"raw6/redirect", "net_raw", redirect},
    {"raw6/listener-report", "net_raw", listener_report},
    {"raw6/node-query", "net_raw", node_query},
    {"raw6/udp", "net_raw", udp},
    {"raw6/tcp-ack", "net_raw", tcp_ack},
    {"raw6/header", "net_raw", header},
    {"raw6/header-other-sockaddr", "net_raw", header_lying},
    {"raw6/header-version-4", "net_raw", header_other_version},
    {"raw6/fragment-atomic", "net_raw", atomic_fragment},
    {"raw6/fragment-first", "net_raw", first_fragment},
    {"raw6/fragment-later", "net_raw", later_fragment},
    {"raw6/fragment-as-discovery", "net_raw", discovery_fragment},
    {"raw6/hop-by-hop", "net_raw", hop_by_hop},
    {"raw6/jumbo", "net_raw", jumbo},
    {"raw6/destination-options", "net_raw", destination_options},
    {"raw6/long-chain", "net_raw", long_chain},
    {"raw6/no-next-header", "net_raw", no_next},
    {"raw6/mobility", "net_raw", mobility},
    {"raw6/authentication", "net_raw", authentication},
    {"raw6/encrypted", "net_raw", encrypted},
    {"raw6/routing-0", "net_raw", routing_0},
    {"raw6/routing-2", "net_raw", routing_2},
    {"raw6/routing-4", "net_raw", routing_4},
    {"raw6/routing-by-ext", "net_raw", routing_to_ext},
    {"raw6/routing-behind-options", "net_raw", routing_behind_options},
    {"raw6/routing-behind-fragment", "net_raw", routing_behind_fragment},
    {"raw6/sit", "net_raw", sit},
    {0},
};
