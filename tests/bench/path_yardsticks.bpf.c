/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * What the benchmark of the path is measured by.
 *
 * bench_drop is the least that keeps a container from addresses: one program on its way out, which
 * looks each packet's destination up and drops what it finds. It answers nobody, knows no port and
 * believes every header.
 *
 * The others are the floor of a jail: at each of its hooks what it has to ask the kernel about
 * something that is allowed, and nothing else.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "address.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, JAIL_MAX_RULES);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct jail_key);
    __type(value, __u8);
} path_rules SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_SK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
    __type(key, int);
    __type(value, __u8);
} path_sockets SEC(".maps");

static __always_inline int passes(const struct jail_key* key) {
    return bpf_map_lookup_elem(&path_rules, key) == 0;
}

static __always_inline int passes4(__u32 address) {
    struct jail_key key;

    jail_key_v4(&key, address);
    return passes(&key);
}

static __always_inline int passes6(const __u32 address[4]) {
    struct jail_key key;

    jail_key_v6(&key, address);
    return passes(&key);
}

SEC("cgroup_skb/egress")
int bench_drop(struct __sk_buff* skb) {
    __u32 words[4];

    if (skb->protocol == bpf_htons(ETH_P_IP))
        return !bpf_skb_load_bytes(skb, 16, words, 4) && passes4(words[0]);
    return !bpf_skb_load_bytes(skb, 24, words, 16) && passes6(words);
}

static __always_inline int call_passes4(const struct bpf_sock_addr* ctx) {
    return passes4(ctx->user_ip4);
}

static __always_inline int call_passes6(const struct bpf_sock_addr* ctx) {
    const __u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
                              ctx->user_ip6[3]};

    return passes6(address);
}

static __always_inline void forget_socket(struct bpf_sock_addr* ctx) {
    if (ctx->protocol == IPPROTO_TCP && ctx->sk) bpf_sk_storage_delete(&path_sockets, ctx->sk);
}

SEC("cgroup/connect4")
int floor_connect4(struct bpf_sock_addr* ctx) {
    forget_socket(ctx);
    return call_passes4(ctx);
}

SEC("cgroup/connect6")
int floor_connect6(struct bpf_sock_addr* ctx) {
    forget_socket(ctx);
    return call_passes6(ctx);
}

SEC("cgroup/sendmsg4")
int floor_sendmsg4(struct bpf_sock_addr* ctx) {
    return call_passes4(ctx);
}

SEC("cgroup/sendmsg6")
int floor_sendmsg6(struct bpf_sock_addr* ctx) {
    return call_passes6(ctx);
}

SEC("cgroup/sock_create")
int floor_create(struct bpf_sock* ctx) {
    return 1;
}

/* The header, and both of its addresses. */
SEC("cgroup_skb/egress")
int floor_egress(struct __sk_buff* skb) {
    __u32 words[10];

    if (skb->protocol == bpf_htons(ETH_P_IP))
        return !bpf_skb_load_bytes(skb, 0, words, 20) && passes4(words[4]) && passes4(words[3]);
    return !bpf_skb_load_bytes(skb, 0, words, 40) && passes6(words + 6) && passes6(words + 2);
}

/* Of UDP alone: the header, and where it is from. */
SEC("cgroup_skb/ingress")
int floor_ingress(struct __sk_buff* skb) {
    struct bpf_sock* sk = skb->sk ? bpf_sk_fullsock(skb->sk) : 0;
    __u32 words[10];

    if (!sk || sk->protocol != IPPROTO_UDP) return 1;
    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (!bpf_skb_load_bytes(skb, 0, words, 20)) passes4(words[3]);
    } else {
        if (!bpf_skb_load_bytes(skb, 0, words, 40)) passes6(words + 2);
    }
    return 1;
}
