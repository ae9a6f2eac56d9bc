/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* AF_XDP (CAP_NET_RAW): frames put into the device's queue from memory that user space shares with
 * the kernel. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "deliver.h"
#include "wire.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

#define CHUNK 4096
#define SLOTS 4

static int frame(const struct target* t) {
    struct sockaddr_xdp at = {
        .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = if_nametoindex(t->ifname)};
    struct xdp_mmap_offsets offsets;
    socklen_t length = sizeof(offsets);
    struct xdp_umem_reg memory = {.len = CHUNK * SLOTS, .chunk_size = CHUNK};
    struct packet packet = {0};
    struct xdp_desc* slot;
    size_t header;
    int slots = SLOTS;
    char *chunks, *queue;
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0) return errno;
    chunks = mmap(NULL, CHUNK * SLOTS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory.addr = (uint64_t)(uintptr_t)chunks;
    if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &memory, sizeof(memory)) ||
        setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &slots, sizeof(slots)) ||
        setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &slots, sizeof(slots)) ||
        setsockopt(fd, SOL_XDP, XDP_TX_RING, &slots, sizeof(slots)) ||
        getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length))
        return done(fd, errno);
    queue = mmap(NULL, offsets.tx.desc + SLOTS * sizeof(struct xdp_desc), PROT_READ | PROT_WRITE,
                 MAP_SHARED, fd, XDP_PGOFF_TX_RING);
    if (queue == MAP_FAILED) return done(fd, errno);
    /* a socket that was just closed gives the queue back a little later */
    for (int i = 0; bind(fd, (struct sockaddr*)&at, sizeof(at)); i++) {
        if (errno != EBUSY || i == 200) return done(fd, errno);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    add_ethernet(&packet, t, ETH_P_IP);
    header = begin_ip4(&packet, t->own4, t->host4, IPPROTO_UDP, 0);
    add_udp(&packet, t, 40000, t->port, PAYLOAD);
    end_ip4(&packet, header);
    memcpy(chunks, packet.bytes, packet.size);
    slot = (struct xdp_desc*)(void*)(queue + offsets.tx.desc);
    *slot = (struct xdp_desc){.addr = 0, .len = (uint32_t)packet.size};
    __atomic_store_n((uint32_t*)(void*)(queue + offsets.tx.producer), 1, __ATOMIC_RELEASE);
    return done(fd, sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0);
}

const struct route xdp_routes[] = {
    {"xdp/frame", "net_raw", frame},
    {0},
};
