/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* IPv4 raw sockets (CAP_NET_RAW): any protocol, and with IP_HDRINCL any header. */
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#include "deliver.h"
#include "wire.h"

static int raw(int protocol) {
    return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
}

static int send_packet(int fd, const struct packet* packet, struct address to) {
    if (fd < 0) return errno;
    return done(fd, sendto(fd, packet->bytes, packet->size, 0, &to.any, to.length) < 0 ? errno : 0);
}

/* The kernel writes the IP header; the payload is whatever the protocol would begin with. */
static int protocol_to_host(const struct target* t, int protocol) {
    struct packet packet = {0};

    add_payload(&packet, t, PAYLOAD);
    return send_packet(raw(protocol), &packet, address4(t->host4, 0));
}

static struct packet echo(const struct target* t) {
    struct packet packet = {.size = 8, .bytes = {8}};
    uint16_t check;

    add_payload(&packet, t, PAYLOAD);
    check = internet_checksum(packet.bytes, packet.size, 0);
    packet.bytes[2] = (uint8_t)(ntohs(check) >> 8);
    packet.bytes[3] = (uint8_t)ntohs(check);
    return packet;
}

static int icmp(const struct target* t) {
    struct packet packet = echo(t);

    return send_packet(raw(IPPROTO_ICMP), &packet, address4(t->host4, 0));
}

static int icmp_connected(const struct target* t) {
    struct packet packet = echo(t);
    struct address to = address4(t->host4, 0);
    int fd = raw(IPPROTO_ICMP);

    if (fd < 0 || connect(fd, &to.any, to.length)) return done(fd, errno);
    return done(fd, send(fd, packet.bytes, packet.size, 0) < 0 ? errno : 0);
}

static int tcp(const struct target* t, uint8_t flags) {
    struct packet packet = {0};

    add_tcp(&packet, 40000, t->port, flags);
    add_payload(&packet, t, PAYLOAD);
    return send_packet(raw(IPPROTO_TCP), &packet, address4(t->host4, 0));
}

static int tcp_syn(const struct target* t) {
    return tcp(t, TH_SYN);
}

static int tcp_ack(const struct target* t) {
    return tcp(t, TH_ACK);
}

static int tcp_syn_ack(const struct target* t) {
    return tcp(t, TH_SYN | TH_ACK);
}

static int tcp_null(const struct target* t) {
    return tcp(t, 0);
}

static int udp(const struct target* t) {
    struct packet packet = {0};

    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    return send_packet(raw(IPPROTO_UDP), &packet, address4(t->host4, 0));
}

static int igmp(const struct target* t) {
    struct packet packet = {.size = 8, .bytes = {0x16}};
    struct in_addr group = {htonl(0xe0000016)};

    add_payload(&packet, t, PAYLOAD);
    return send_packet(raw(IPPROTO_IGMP), &packet, address4(group, 0));
}

static int sctp(const struct target* t) {
    return protocol_to_host(t, IPPROTO_SCTP);
}

static int gre(const struct target* t) {
    return protocol_to_host(t, IPPROTO_GRE);
}

static int ipip(const struct target* t) {
    struct packet packet = {0};
    size_t inner = begin_ip4(&packet, t->own4, t->ext4, IPPROTO_UDP, 0);

    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip4(&packet, inner);
    return send_packet(raw(IPPROTO_IPIP), &packet, address4(t->host4, 0));
}

static int experimental(const struct target* t) {
    return protocol_to_host(t, 253);
}

static int headed(const struct target* t, struct in_addr from, struct in_addr sockaddr,
                  uint16_t fragment, uint8_t protocol) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, from, t->host4, protocol, fragment);

    if (fragment & IP_OFFMASK)
        add_payload(&packet, t, PAYLOAD);
    else
        add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip4(&packet, header);
    return send_packet(raw(IPPROTO_RAW), &packet, address4(sockaddr, 0));
}

static int hdrincl(const struct target* t) {
    return headed(t, t->own4, t->host4, 0, IPPROTO_UDP);
}

/* The kernel routes by the socket address and sends what the header says. */
static int hdrincl_lying(const struct target* t) {
    return headed(t, t->own4, t->ext4, 0, IPPROTO_UDP);
}

static int hdrincl_spoofed(const struct target* t) {
    return headed(t, t->ext4, t->host4, 0, IPPROTO_UDP);
}

static int first_fragment(const struct target* t) {
    return headed(t, t->own4, t->host4, IP_MF, IPPROTO_UDP);
}

static int later_fragment(const struct target* t) {
    return headed(t, t->own4, t->host4, IP_MF | 1, IPPROTO_UDP);
}

static int later_tcp_fragment(const struct target* t) {
    return headed(t, t->own4, t->host4, 1, IPPROTO_TCP);
}

/* The first fragment ends before the port numbers that a filter would read. */
static int tiny_fragment(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_TCP, IP_MF);

    add_payload(&packet, t, 8);
    end_ip4(&packet, header);
    return send_packet(raw(IPPROTO_RAW), &packet, address4(t->host4, 0));
}

/* A header length that puts the transport header somewhere else than the fixed 20 bytes. */
static int long_header(const struct target* t) {
    uint8_t padding[40];
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_TCP, 0);

    memset(padding, 1 /* no operation */, sizeof(padding));
    packet.bytes[header] = 0x4f;
    add_bytes(&packet, padding, sizeof(padding));
    add_tcp(&packet, 40000, t->port, TH_SYN);
    add_payload(&packet, t, PAYLOAD);
    end_ip4(&packet, header);
    return send_packet(raw(IPPROTO_RAW), &packet, address4(t->host4, 0));
}

/* The first byte says IPv6, the frame says IPv4, and the route is the socket address's: what would
 * be IPv6's destination is ext. */
static int other_version(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_UDP, 0);

    add_bytes(&packet, (const uint8_t[4]){0}, 4);
    add_bytes(&packet, &t->ext6, 16);
    add_payload(&packet, t, PAYLOAD);
    packet.bytes[header] = 0x65;
    return send_packet(raw(IPPROTO_RAW), &packet, address4(t->host4, 0));
}

/* A header that claims to be shorter than a header is. */
static int short_header(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_UDP, 0);

    add_payload(&packet, t, PAYLOAD);
    end_ip4(&packet, header);
    packet.bytes[header] = 0x41;
    return send_packet(raw(IPPROTO_RAW), &packet, address4(t->host4, 0));
}

/* Nothing of the transport header at all. */
static int truncated(const struct target* t) {
    struct packet packet = {0};
    size_t header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_TCP, 0);

    end_ip4(&packet, header);
    return send_packet(raw(IPPROTO_RAW), &packet, address4(t->host4, 0));
}

const struct route raw4_routes[] = {
    {"raw/icmp", "net_raw", icmp},
    {"raw/icmp-connected", "net_raw", icmp_connected},
    {"raw/tcp-syn", "net_raw", tcp_syn},
    {"raw/tcp-ack", "net_raw", tcp_ack},
    {"raw/tcp-syn-ack", "net_raw", tcp_syn_ack},
    {"raw/tcp-no-flags", "net_raw", tcp_null},
    {"raw/udp", "net_raw", udp},
    {"raw/igmp", "net_raw", igmp},
    {"raw/sctp", "net_raw", sctp},
    {"raw/gre", "net_raw", gre},
    {"raw/ipip", "net_raw", ipip},
    {"raw/experimental", "net_raw", experimental},
    {"raw/header", "net_raw", hdrincl},
    {"raw/header-other-sockaddr", "net_raw", hdrincl_lying},
    {"raw/header-spoofed-source", "net_raw", hdrincl_spoofed},
    {"raw/header-long", "net_raw", long_header},
    {"raw/header-short", "net_raw", short_header},
    {"raw/header-version-6", "net_raw", other_version},
    {"raw/header-only", "net_raw bare", truncated},
    {"raw/fragment-first", "net_raw", first_fragment},
    {"raw/fragment-later", "net_raw", later_fragment},
    {"raw/fragment-later-tcp", "net_raw", later_tcp_fragment},
    {"raw/fragment-tiny", "net_raw bare", tiny_fragment},
    {0},
};
