/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Packets built by hand, for raw and packet sockets and tun devices. Everything is appended to one
 * buffer. */
#ifndef ESCAPE_WIRE_H
#define ESCAPE_WIRE_H

#include "route.h"

struct packet {
    size_t size;
    uint8_t bytes[2048];
};

void add_bytes(struct packet* packet, const void* bytes, size_t count);
/* Token bytes. */
void add_payload(struct packet* packet, const struct target* target, size_t count);
/* Ethernet header from the container's interface to the host's. */
void add_ethernet(struct packet* packet, const struct target* target, uint16_t type);

/* An IPv4 header; end_ip4() writes its total length and checksum when everything is behind it.
 * fragment is the raw field. */
size_t begin_ip4(struct packet* packet, struct in_addr from, struct in_addr to, uint8_t protocol,
                 uint16_t fragment);
void end_ip4(struct packet* packet, size_t header);
size_t begin_ip6(struct packet* packet, const struct in6_addr* from, const struct in6_addr* to,
                 uint8_t next);
void end_ip6(struct packet* packet, size_t header);

/* UDP header and token payload; no checksum over IPv4, a right one over IPv6 (which demands it) if
 * the header at ip6 is given. */
void add_udp(struct packet* packet, const struct target* target, uint16_t from, uint16_t to,
             size_t payload);
void checksum_udp6(struct packet* packet, size_t ip6, size_t udp);
/* A TCP header with these flags; the payload's checksum is left out, the wire is enough. */
void add_tcp(struct packet* packet, uint16_t from, uint16_t to, uint8_t flags);

uint16_t internet_checksum(const void* bytes, size_t count, uint32_t start);

#endif
