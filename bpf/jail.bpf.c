/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The network hooks of a jail. The programs pick the destination out of their context and ask verdict.h.
 *
 * Theory of operation. The programs are attached to the container's cgroup and run for every IP socket that was created in it or below
 * it, in whatever network namespace the socket lives.
 *
 *  - connect4/6 run inside connect(2) and what ends there (TCP Fast Open, MPTCP, io_uring); sendmsg4/6 run for UDP datagrams that name a
 *    destination of their own. Returning 0 makes the call fail with EPERM before anything leaves.
 *  - egress sees each packet as it goes on the wire, and is the backstop for what the others can't see: raw, ICMP and UDP-Lite sockets,
 *    headers made by hand, source routes, address translation inside the container. To a blocked address only answers leave:
 *    TCP that doesn't open a connection, from a TCP socket, and UDP to a peer that ingress has seen.
 *  - An address that the container's network namespace has a copy of (pasta gives it the host's), or may get, is the container itself where the
 *    kernel delivers it over the namespace's loopback. That shows at egress, which drops what would leave; connect and sendmsg leave it to that.
 *  - ingress lets everything in, and remembers which peers on the host have sent a datagram to which socket, so that published UDP ports
 *    answer. The kernel's own answers (ICMP, neighbour discovery, a RST for a closed port) come from sockets outside of every container.
 *
 * There is no error path that lets a destination pass: a lookup cannot fail, only find nothing, and userspace fills the map before it
 * attaches.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "packet.h"
#include "record.h"
#include "verdict.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, JAIL_RULES_ROOM);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct jail_key);
	__type(value, struct jail_rule);
} jail_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, JAIL_MAX_PEERS);
	__type(key, struct jail_peer);
	__type(value, __u8);
} jail_peers SEC(".maps");

/* For those who list jails. No program reads it; the loader binds it to one, so that it lives as long, and gives the value its size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct jail_about));
} jail_about SEC(".maps");

/* Set before loading: count what would be denied, and let it pass. */
const volatile __u8 audit = 0;

/* Set before loading: the container is in the engine's network namespace, so that the host's addresses are its own, too. */
const volatile __u8 shares_network = 0;

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define LOOPBACK_IFINDEX 1

JAIL_INLINE int jail_load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size) != 0;
}

JAIL_INLINE const struct jail_rule *jail_lookup(const struct jail_key *key)
{
	return bpf_map_lookup_elem(&jail_rules, key);
}

/* What a cgroup program returns: 1 lets the call go on, 0 fails it with EPERM. */
static __always_inline int answer(int verdict, const struct jail_key *key, __u8 protocol, __u16 port, int by_task)
{
	struct jail_refusal what = {.port = port, .protocol = protocol, .reason = (__u8)verdict};

	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	__builtin_memcpy(what.addr, key->words, sizeof(what.addr));
	jail_record(&what, by_task);
	return audit ? 1 : 0;
}

static __always_inline int answer_call(const struct bpf_sock_addr *ctx, const struct jail_key *key, int verdict)
{
	return answer(verdict, key, (__u8)ctx->protocol, bpf_ntohs((__u16)ctx->user_port), 1);
}

static __always_inline int answer_packet(struct __sk_buff *skb, const struct jail_packet *packet, int verdict)
{
	__be16 ports[2] = {0, 0};

	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	if (!packet->odd && !packet->fragment && (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) &&
	    jail_load(skb, packet->upper_layer, ports, sizeof(ports)))
		ports[1] = 0;
	return answer(verdict, &packet->destination, packet->protocol, bpf_ntohs(ports[1]), 0);
}

static __always_inline void name_peer(struct jail_peer *peer, __u64 socket_cookie, const struct jail_key *key, __u16 port)
{
	__builtin_memset(peer, 0, sizeof(*peer));
	peer->socket_cookie = socket_cookie;
	__builtin_memcpy(peer->addr, key->words, sizeof(peer->addr));
	peer->port = port;
}

/* Has this peer on the host sent a datagram to this socket? */
static __always_inline int has_spoken(__u64 socket_cookie, const struct jail_key *key, __u16 port)
{
	struct jail_peer peer;

	name_peer(&peer, socket_cookie, key, port);
	return bpf_map_lookup_elem(&jail_peers, &peer) != 0;
}

static __always_inline int is_own(const struct jail_key *key)
{
	return !shares_network && jail_is_own(key);
}

/*
 * Binds the socket that connects to the very address that it connects to. Where that is an address of its own network namespace the kernel
 * would choose the same source by itself; where it is none, bind refuses it, and connect can fail at once. What bind can't tell, for a
 * socket that is bound already, egress decides.
 */
static __always_inline int is_elsewhere4(struct bpf_sock_addr *ctx)
{
	struct sockaddr_in own;

	__builtin_memset(&own, 0, sizeof(own));
	own.sin_family = AF_INET;
	own.sin_addr.s_addr = ctx->user_ip4;
	return bpf_bind(ctx, (struct sockaddr *)&own, sizeof(own)) == -EADDRNOTAVAIL;
}

static __always_inline int is_elsewhere6(struct bpf_sock_addr *ctx, const struct jail_key *key)
{
	struct sockaddr_in6 own;

	__builtin_memset(&own, 0, sizeof(own));
	own.sin6_family = AF_INET6;
	__builtin_memcpy(&own.sin6_addr, key->words, sizeof(own.sin6_addr));
	return bpf_bind(ctx, (struct sockaddr *)&own, sizeof(own)) == -EADDRNOTAVAIL;
}

static __always_inline void name_destination4(const struct bpf_sock_addr *ctx, struct jail_key *key)
{
	jail_key_v4(key, ctx->user_ip4);
}

static __always_inline void name_destination6(const struct bpf_sock_addr *ctx, struct jail_key *key)
{
	__u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	jail_key_v6(key, address);
}

static __always_inline int judge_sockaddr(struct bpf_sock_addr *ctx, const struct jail_key *key)
{
	__u8 protocol = (__u8)ctx->protocol;
	__u16 port = bpf_ntohs((__u16)ctx->user_port);
	int verdict = jail_judge(key, protocol, port);

	if (verdict != JAIL_VERDICT_PASS && protocol == IPPROTO_UDP && has_spoken(bpf_get_socket_cookie(ctx), key, port))
		return JAIL_VERDICT_PASS;
	return verdict;
}

SEC("cgroup/connect4")
int jail_connect4(struct bpf_sock_addr *ctx)
{
	struct jail_key key;
	int verdict;

	name_destination4(ctx, &key);
	verdict = judge_sockaddr(ctx, &key);
	if (verdict != JAIL_VERDICT_PASS && is_own(&key) && !is_elsewhere4(ctx))
		return 1;
	return answer_call(ctx, &key, verdict);
}

SEC("cgroup/connect6")
int jail_connect6(struct bpf_sock_addr *ctx)
{
	struct jail_key key;
	int verdict;

	name_destination6(ctx, &key);
	verdict = judge_sockaddr(ctx, &key);
	if (verdict != JAIL_VERDICT_PASS && is_own(&key) && !is_elsewhere6(ctx, &key))
		return 1;
	return answer_call(ctx, &key, verdict);
}

SEC("cgroup/sendmsg4")
int jail_sendmsg4(struct bpf_sock_addr *ctx)
{
	struct jail_key key;
	int verdict;

	name_destination4(ctx, &key);
	verdict = judge_sockaddr(ctx, &key);
	return verdict != JAIL_VERDICT_PASS && is_own(&key) ? 1 : answer_call(ctx, &key, verdict);
}

SEC("cgroup/sendmsg6")
int jail_sendmsg6(struct bpf_sock_addr *ctx)
{
	struct jail_key key;
	int verdict;

	name_destination6(ctx, &key);
	verdict = judge_sockaddr(ctx, &key);
	return verdict != JAIL_VERDICT_PASS && is_own(&key) ? 1 : answer_call(ctx, &key, verdict);
}

/* Is the packet from a socket of this type and protocol, and not from a raw one that only writes such packets? */
static __always_inline int is_from(struct __sk_buff *skb, __u32 type, __u32 protocol)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return 0;
	sk = bpf_sk_fullsock(sk);
	return sk && sk->type == type && sk->protocol == protocol;
}

#define IPV6_HEADER 40
#define ICMPV6 58
#define SOLICITATION 135
#define ADVERTISEMENT 136

/*
 * Is this IPv6 neighbour discovery (RFC 4861 4.3, 4.4), in exactly the form that the kernel gives it? Its socket belongs to the jail where the
 * runtime makes the network namespace inside of the container's cgroup, as runc does; without an answer the host could not reach the
 * container. A raw socket can say no more in this form than who it claims to be on its link.
 */
static __always_inline int is_discovery(struct __sk_buff *skb, const struct jail_packet *packet)
{
	__u8 hop_limit, type, code, option[2];
	__u32 size = skb->len - packet->upper_layer;

	if (packet->protocol != ICMPV6 || packet->upper_layer != IPV6_HEADER)
		return 0;
	if (jail_load(skb, 7, &hop_limit, 1) || hop_limit != 255)
		return 0;
	if (jail_load(skb, IPV6_HEADER, &type, 1) || jail_load(skb, IPV6_HEADER + 1, &code, 1))
		return 0;
	if (code != 0 || (type != SOLICITATION && type != ADVERTISEMENT))
		return 0;
	if (size == 24)
		return 1;
	/* One option: the source's (1) or the target's (2) link-layer address, of 8 bytes. */
	return size == 32 && !jail_load(skb, IPV6_HEADER + 24, option, sizeof(option)) && option[0] == type - 134 && option[1] == 1;
}

/* What may leave for an address that is blocked: the ports that its rule lets through, and answers. */
static __always_inline int judge_for_blocked(struct __sk_buff *skb, const struct jail_packet *packet, int verdict)
{
	__be16 ports[2];
	__u8 tcp_flags;

	if (packet->odd || packet->fragment)
		return JAIL_REASON_PACKET;
	if (is_discovery(skb, packet))
		return JAIL_VERDICT_PASS;
	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return verdict;
	if (jail_load(skb, packet->upper_layer, ports, sizeof(ports)))
		return JAIL_REASON_PACKET;
	if (jail_judge(&packet->destination, packet->protocol, bpf_ntohs(ports[1])) == JAIL_VERDICT_PASS)
		return JAIL_VERDICT_PASS;
	if (packet->protocol == IPPROTO_UDP)
		return is_from(skb, SOCK_DGRAM, IPPROTO_UDP) &&
				       has_spoken(bpf_get_socket_cookie(skb), &packet->destination, bpf_ntohs(ports[1]))
			       ? JAIL_VERDICT_PASS
			       : verdict;
	if (jail_load(skb, packet->upper_layer + 13, &tcp_flags, sizeof(tcp_flags)))
		return JAIL_REASON_PACKET;
	if ((tcp_flags & (JAIL_TCP_SYN | JAIL_TCP_ACK)) == JAIL_TCP_SYN)
		return verdict;
	return is_from(skb, SOCK_STREAM, IPPROTO_TCP) ? JAIL_VERDICT_PASS : verdict;
}

/*
 * Does a packet for elsewhere claim to come from the host? Sent to another container's UDP socket it would make that one's jail remember
 * a peer that never spoke, and sent to anybody it would make that one answer the host. Raw, transparent and freebind sockets can, also of TCP,
 * whose first packet may carry data already.
 */
static __always_inline int is_forged(struct __sk_buff *skb, const struct jail_packet *packet)
{
	int verdict;

	if (shares_network)
		return 0;
	verdict = jail_judge(&packet->source, JAIL_PROTO_ANY, 0);
	return verdict != JAIL_VERDICT_PASS && verdict != JAIL_REASON_LINK_LOCAL && !is_own(&packet->source);
}

SEC("cgroup_skb/egress")
int jail_egress(struct __sk_buff *skb)
{
	struct jail_packet packet;
	int verdict;

	__builtin_memset(&packet, 0, sizeof(packet));
	jail_parse(skb, &packet);
	if (packet.destination.prefix_bits == 0)
		return answer_packet(skb, &packet, JAIL_REASON_PACKET); /* not even a destination */
	/* connect and sendmsg have counted what these send, but for what they left to this; where they deny, it never gets here. */
	if (audit && !packet.odd && !is_own(&packet.destination) &&
	    (is_from(skb, SOCK_STREAM, IPPROTO_TCP) || is_from(skb, SOCK_DGRAM, IPPROTO_UDP)))
		return 1;
	verdict = jail_judge(&packet.destination, JAIL_PROTO_ANY, 0);
	if (verdict != JAIL_VERDICT_PASS && !(skb->ifindex == LOOPBACK_IFINDEX && is_own(&packet.destination)))
		return answer_packet(skb, &packet, judge_for_blocked(skb, &packet, verdict));
	if (packet.odd == JAIL_ODD_SOURCE_ROUTED || is_forged(skb, &packet))
		return answer_packet(skb, &packet, JAIL_REASON_PACKET);
	return 1;
}

SEC("cgroup_skb/ingress")
int jail_ingress(struct __sk_buff *skb)
{
	struct jail_packet packet;
	struct jail_peer peer;
	__be16 source_port;
	__u8 used = 1;
	int verdict;

	/* In a network namespace of its own, what comes over loopback was sent by the container itself, whatever it claims. */
	if (skb->ifindex == LOOPBACK_IFINDEX && !shares_network)
		return 1;
	__builtin_memset(&packet, 0, sizeof(packet));
	jail_parse(skb, &packet);
	if (packet.odd || packet.protocol != IPPROTO_UDP || !is_from(skb, SOCK_DGRAM, IPPROTO_UDP))
		return 1;
	/* What the host sends to a group or to everybody was not for this container to answer. */
	if (!shares_network && jail_judge(&packet.destination, JAIL_PROTO_ANY, 0) != JAIL_VERDICT_PASS)
		return 1;
	verdict = jail_judge(&packet.source, JAIL_PROTO_ANY, 0);
	/* A link-local source proves nothing: every neighbour may claim to be fe80::1. */
	if (verdict == JAIL_VERDICT_PASS || verdict == JAIL_REASON_LINK_LOCAL)
		return 1;
	/* Nor does one that containers may have, since egress lets them use it. */
	if (is_own(&packet.source))
		return 1;
	if (jail_load(skb, packet.upper_layer, &source_port, sizeof(source_port)))
		return 1;
	name_peer(&peer, bpf_get_socket_cookie(skb), &packet.source, bpf_ntohs(source_port));
	bpf_map_update_elem(&jail_peers, &peer, &used, BPF_ANY);
	return 1;
}
