/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Packets built by hand; see wire.h. */
#include "wire.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "deliver.h"

void add_bytes(struct packet* packet, const void* bytes, size_t count) {
    if (packet->size + count > sizeof(packet->bytes)) abort();
    memcpy(packet->bytes + packet->size, bytes, count);
    packet->size += count;
}

void add_payload(struct packet* packet, const struct target* target, size_t count) {
    uint8_t bytes[1500];

    fill_token(target, bytes, count);
    add_bytes(packet, bytes, count);
}

void add_ethernet(struct packet* packet, const struct target* target, uint16_t type) {
    uint16_t wire_type = htons(type);

    add_bytes(packet, target->host_mac, 6);
    add_bytes(packet, target->own_mac, 6);
    add_bytes(packet, &wire_type, 2);
}

size_t begin_ip4(struct packet* packet, struct in_addr from, struct in_addr to, uint8_t protocol,
                 uint16_t fragment) {
    size_t at = packet->size;
    struct iphdr header = {.version = 4,
                           .ihl = 5,
                           .ttl = 64,
                           .protocol = protocol,
                           .id = htons(0x4a41),
                           .frag_off = htons(fragment)};

    header.saddr = from.s_addr;
    header.daddr = to.s_addr;
    add_bytes(packet, &header, sizeof(header));
    return at;
}

void end_ip4(struct packet* packet, size_t header) {
    uint16_t total = htons((uint16_t)(packet->size - header)), check;

    memcpy(packet->bytes + header + offsetof(struct iphdr, tot_len), &total, 2);
    check = internet_checksum(packet->bytes + header, sizeof(struct iphdr), 0);
    memcpy(packet->bytes + header + offsetof(struct iphdr, check), &check, 2);
}

size_t begin_ip6(struct packet* packet, const struct in6_addr* from, const struct in6_addr* to,
                 uint8_t next) {
    size_t at = packet->size;
    struct ip6_hdr header = {.ip6_src = *from, .ip6_dst = *to};

    header.ip6_flow = htonl(6u << 28);
    header.ip6_nxt = next;
    header.ip6_hlim = 64;
    add_bytes(packet, &header, sizeof(header));
    return at;
}

void end_ip6(struct packet* packet, size_t header) {
    uint16_t length = htons((uint16_t)(packet->size - header - sizeof(struct ip6_hdr)));

    memcpy(packet->bytes + header + offsetof(struct ip6_hdr, ip6_plen), &length, 2);
}

void add_udp(struct packet* packet, const struct target* target, uint16_t from, uint16_t to,
             size_t payload) {
    struct udphdr header = {.source = htons(from),
                            .dest = htons(to),
                            .len = htons((uint16_t)(sizeof(header) + payload))};

    add_bytes(packet, &header, sizeof(header));
    add_payload(packet, target, payload);
}

void checksum_udp6(struct packet* packet, size_t ip6, size_t udp) {
    size_t length = packet->size - udp;
    uint32_t sum = IPPROTO_UDP + (uint32_t)length;
    uint16_t check;

    for (size_t i = 8; i < 40; i += 2)
        sum += (uint32_t)(packet->bytes[ip6 + i] << 8 | packet->bytes[ip6 + i + 1]);
    check = internet_checksum(packet->bytes + udp, length, sum);
    memcpy(packet->bytes + udp + offsetof(struct udphdr, check), &check, 2);
}

void add_tcp(struct packet* packet, uint16_t from, uint16_t to, uint8_t flags) {
    struct tcphdr header = {.th_sport = htons(from),
                            .th_dport = htons(to),
                            .th_seq = htonl(1),
                            .th_off = 5,
                            .th_win = htons(1024)};

    header.th_flags = flags;
    add_bytes(packet, &header, sizeof(header));
}

uint16_t internet_checksum(const void* bytes, size_t count, uint32_t start) {
    const uint8_t* at = bytes;
    uint32_t sum = start;

    for (size_t i = 0; i + 1 < count; i += 2) sum += (uint32_t)(at[i] << 8 | at[i + 1]);
    if (count % 2) sum += (uint32_t)(at[count - 1] << 8);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}
