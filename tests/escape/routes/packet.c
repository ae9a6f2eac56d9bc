/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Frames handed to the device (CAP_NET_RAW): below every hook of the network layer. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/mman.h>

#include "deliver.h"
#include "wire.h"

static struct sockaddr_ll link_address(const struct target* t, uint16_t protocol) {
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_halen = 6};

    to.sll_ifindex = (int)if_nametoindex(t->ifname);
    memcpy(to.sll_addr, t->host_mac, 6);
    return to;
}

static void add_datagram4(struct packet* packet, const struct target* t) {
    size_t header = begin_ip4(packet, t->own4, t->host4, IPPROTO_UDP, 0);

    add_udp(packet, t, 40000, t->port, PAYLOAD);
    end_ip4(packet, header);
}

static void add_datagram6(struct packet* packet, const struct target* t) {
    size_t header = begin_ip6(packet, &t->own6, &t->host6, IPPROTO_UDP);
    size_t at = packet->size;

    add_udp(packet, t, 40000, t->port, PAYLOAD);
    checksum_udp6(packet, header, at);
    end_ip6(packet, header);
}

static int send_frame(const struct target* t, int type, const struct packet* packet,
                      uint16_t protocol, int bypass) {
    struct sockaddr_ll to = link_address(t, protocol);
    int fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0);

    if (fd < 0) return errno;
    if (bypass && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)))
        return done(fd, errno);
    return done(fd,
                sendto(fd, packet->bytes, packet->size, 0, (struct sockaddr*)&to, sizeof(to)) < 0
                    ? errno
                    : 0);
}

static int frame4(const struct target* t) {
    struct packet packet = {0};

    add_ethernet(&packet, t, ETH_P_IP);
    add_datagram4(&packet, t);
    return send_frame(t, SOCK_RAW, &packet, ETH_P_IP, 0);
}

static int frame6(const struct target* t) {
    struct packet packet = {0};

    add_ethernet(&packet, t, ETH_P_IPV6);
    add_datagram6(&packet, t);
    return send_frame(t, SOCK_RAW, &packet, ETH_P_IPV6, 0);
}

static int frame_bypass(const struct target* t) {
    struct packet packet = {0};

    add_ethernet(&packet, t, ETH_P_IP);
    add_datagram4(&packet, t);
    return send_frame(t, SOCK_RAW, &packet, ETH_P_IP, 1);
}

static int cooked(const struct target* t) {
    struct packet packet = {0};

    add_datagram4(&packet, t);
    return send_frame(t, SOCK_DGRAM, &packet, ETH_P_IP, 0);
}

static int own_ethertype(const struct target* t) {
    struct packet packet = {0};

    add_ethernet(&packet, t, 0x88b5); /* local experiment 1 */
    add_payload(&packet, t, PAYLOAD);
    return send_frame(t, SOCK_RAW, &packet, 0x88b5, 0);
}

static int arp(const struct target* t) {
    struct packet packet = {0};
    const uint8_t head[8] = {0, 1, 8, 0, 6, 4, 0, 1};

    add_ethernet(&packet, t, ETH_P_ARP);
    add_bytes(&packet, head, sizeof(head));
    add_payload(&packet, t, PAYLOAD);
    return send_frame(t, SOCK_RAW, &packet, ETH_P_ARP, 0);
}

/* The obsolete SOCK_PACKET names its device by name. */
static int obsolete(const struct target* t) {
    struct packet packet = {0};
    struct sockaddr to = {.sa_family = AF_INET};
    int fd = socket(AF_INET, 10 /* SOCK_PACKET */ | SOCK_CLOEXEC, htons(ETH_P_IP));

    if (fd < 0) return errno;
    memcpy(to.sa_data, t->ifname, sizeof(to.sa_data) - 1);
    add_ethernet(&packet, t, ETH_P_IP);
    add_datagram4(&packet, t);
    return done(fd, sendto(fd, packet.bytes, packet.size, 0, &to, sizeof(to)) < 0 ? errno : 0);
}

static int ring(const struct target* t) {
    struct tpacket_req request = {
        .tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048, .tp_frame_nr = 2};
    struct sockaddr_ll to = link_address(t, ETH_P_IP);
    struct packet packet = {0};
    struct tpacket_hdr* slot;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0) return errno;
    if (setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof(request)) ||
        bind(fd, (struct sockaddr*)&to, sizeof(to)))
        return done(fd, errno);
    slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (slot == MAP_FAILED) return done(fd, errno);
    add_ethernet(&packet, t, ETH_P_IP);
    add_datagram4(&packet, t);
    /* TPACKET_HDRLEN without the address that it makes room for; the macro mixes signs */
    memcpy((char*)slot + sizeof(*slot), packet.bytes, packet.size);
    slot->tp_len = (unsigned)packet.size;
    __atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
    return done(fd, send(fd, NULL, 0, 0) < 0 ? errno : 0);
}

const struct route packet_routes[] = {
    {"packet/frame-v4", "net_raw", frame4},
    {"packet/frame-v6", "net_raw", frame6},
    {"packet/frame-bypass", "net_raw", frame_bypass},
    {"packet/cooked", "net_raw", cooked},
    {"packet/own-ethertype", "net_raw", own_ethertype},
    {"packet/arp", "net_raw", arp},
    {"packet/obsolete", "net_raw", obsolete},
    {"packet/ring", "net_raw", ring},
    {0},
};
