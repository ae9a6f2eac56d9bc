/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The network hooks of a jail. Every program here is a thin wrapper: it picks the destination out of its context and asks verdict.h.
 *
 * Theory of operation. The programs are attached to the container's cgroup and run for every socket that was created in it or below
 * it, in whatever network namespace the socket lives. connect4/6 run inside connect(2) (and TCP Fast Open, MPTCP and io_uring, which
 * end there); sendmsg4/6 run for UDP datagrams that name a destination of their own. Returning 0 makes the call fail with EPERM
 * before anything leaves. There is no error path that lets a destination pass: a map lookup cannot fail, only find nothing, and userspace fills
 * the map before it attaches.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "verdict.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, JAIL_MAX_RULES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct jail_key);
	__type(value, struct jail_rule);
} jail_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JAIL_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} jail_denials SEC(".maps");

JAIL_INLINE const struct jail_rule *jail_lookup(const struct jail_key *key)
{
	return bpf_map_lookup_elem(&jail_rules, key);
}

/* What a cgroup program returns: 1 lets the call go on, 0 fails it with EPERM. */
static __always_inline int answer(int verdict)
{
	__u32 reason = (__u32)verdict;
	__u64 *count;

	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	count = bpf_map_lookup_elem(&jail_denials, &reason);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 0;
}

static __always_inline int judge_sockaddr4(const struct bpf_sock_addr *ctx)
{
	__u32 address = ctx->user_ip4;

	return answer(jail_judge_v4((const __u8 *)&address, (__u8)ctx->protocol, bpf_ntohs((__u16)ctx->user_port)));
}

static __always_inline int judge_sockaddr6(const struct bpf_sock_addr *ctx)
{
	__u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	return answer(jail_judge_v6((const __u8 *)address, (__u8)ctx->protocol, bpf_ntohs((__u16)ctx->user_port)));
}

SEC("cgroup/connect4")
int jail_connect4(struct bpf_sock_addr *ctx)
{
	return judge_sockaddr4(ctx);
}

SEC("cgroup/connect6")
int jail_connect6(struct bpf_sock_addr *ctx)
{
	return judge_sockaddr6(ctx);
}

SEC("cgroup/sendmsg4")
int jail_sendmsg4(struct bpf_sock_addr *ctx)
{
	return judge_sockaddr4(ctx);
}

SEC("cgroup/sendmsg6")
int jail_sendmsg6(struct bpf_sock_addr *ctx)
{
	return judge_sockaddr6(ctx);
}
