/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The least that keeps a container from addresses: one program on its way out, which looks each
 * packet's destination up and drops what it finds. It answers nobody, knows no port and believes
 * every header; the benchmark shows what a packet costs under it.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "address.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, 64);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct jail_key);
    __type(value, __u8);
} drop_rules SEC(".maps");

SEC("cgroup_skb/egress")
int bench_drop(struct __sk_buff* skb) {
    struct jail_key key;
    __u32 words[4];

    if (skb->protocol == bpf_htons(ETH_P_IP)) {
        if (bpf_skb_load_bytes(skb, 16, words, 4)) return 0;
        jail_key_v4(&key, words[0]);
    } else {
        if (bpf_skb_load_bytes(skb, 24, words, 16)) return 0;
        jail_key_v6(&key, words);
    }
    return bpf_map_lookup_elem(&drop_rules, &key) == 0;
}
