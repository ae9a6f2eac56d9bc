/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The network hooks of a jail. The programs pick the destination out of their context and ask
 * verdict.h.
 *
 * Theory of operation. The programs are attached to the container's cgroup and run for every IP
 * socket that was created in it or below it, in whatever network namespace the socket lives.
 *
 *  - connect4/6 run inside connect(2) and what ends there (TCP Fast Open, MPTCP, io_uring);
 *    sendmsg4/6 run for UDP datagrams that name a destination of their own. Returning 0 makes the
 *    call fail with EPERM before anything leaves.
 *  - egress sees each packet as it goes on the wire, and is the backstop for what the others can't
 *    see: raw, ICMP and UDP-Lite sockets, headers made by hand, source routes, address translation
 *    inside the container. To a denied address only answers leave: TCP from a socket that has
 *    accepted the connection, and UDP to a peer that ingress has seen a short time ago. Whatever
 *    leaves, its source is checked.
 *  - An address that the container's network namespace has a copy of (pasta gives it the host's),
 *    or may get, is the container itself if the kernel delivers it over the namespace's
 *    loopback. So are 127.0.0.0/8 and ::1, unless they leave by another device: a host that takes
 *    such packets (route_localnet) delivers them to itself. That shows at egress, which drops what
 *    would leave; connect and sendmsg leave it to that, unless the socket is bound to a device.
 *  - A TCP socket has accepted its connection if it descends from one that listened. Such a socket
 *    is marked when a SYN comes to it, and the kernel copies the mark to what it accepts. What was
 *    opened actively carries none: connections to an address that is denied later end there.
 *  - sock_create marks raw IPv6 sockets, so that egress can distinguish what they write from the
 *    kernel's own neighbour discovery.
 *  - ingress lets everything in, and remembers at each UDP socket which peers on the host have sent
 *    a datagram to it, and where to, so that published UDP ports answer from there. The kernel's
 *    own answers (ICMP, neighbour discovery, a RST for a closed port) come from sockets outside of
 *    every container.
 *
 * There is no error path that lets a destination pass: a lookup cannot fail, only find nothing, and
 * userspace fills the map before it attaches.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/if_packet.h>
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
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct jail_peer_table);
} jail_peers SEC(".maps");

/* TCP sockets that listen and were asked, and those that they accept. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u8);
} jail_accepted SEC(".maps");

/* Raw IPv6 sockets that a process has made. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u8);
} jail_raw SEC(".maps");

/* For those who list jails. No program reads it; the loader binds it to one, so that it lives as
 * long, and gives the value its size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct jail_about));
} jail_about SEC(".maps");

/* Set before loading: count what would be denied, and let it pass. */
const volatile __u8 audit = 0;

/* Set before loading: what a denied connect or sendmsg fails with; 0 for EPERM, which takes no
 * helper that kernels before Linux 6.1 lack. */
const volatile __u32 denial_errno = 0;

/* Set before loading: the container is in the engine's network namespace, so that the host's
 * addresses are its own, too. */
const volatile __u8 shares_network = 0;

/* Set before loading, in units of 2^JAIL_PEER_TICK ns: how long after a UDP peer has last spoken an
 * answer passes. */
const volatile __u32 answer_ticks = 0;

#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define LOOPBACK_IFINDEX 1
#define TCP_LISTEN 10 /* include/net/tcp_states.h */

/* skb->priority of what a jailed socket sends to a denied address of the network namespace that it
 * is in: it survives the loopback device. */
#define FROM_JAIL 0x4a41494c

JAIL_INLINE int jail_load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, offset, to, size) != 0;
}

JAIL_INLINE const struct jail_rule *jail_lookup(const void *rules, const struct jail_key *key)
{
	return bpf_map_lookup_elem((void *)rules, key);
}

/* In four words again. */
static __always_inline void words_of(__u32 words[4], struct jail_address address)
{
	words[0] = (__u32)address.first;
	words[1] = (__u32)(address.first >> 32);
	words[2] = (__u32)address.second;
	words[3] = (__u32)(address.second >> 32);
}

static __always_inline void key_of(struct jail_key *key, __u64 first, __u64 second)
{
	key->prefix_bits = 128;
	words_of(key->words, (struct jail_address){first, second});
}

/* What is asked for at an address, as JAIL_GLOBAL functions take that: the protocol and the port.
 */
static __always_inline __u32 service(__u8 protocol, __u16 port)
{
	return (__u32)protocol << 16 | port;
}

JAIL_GLOBAL int jail_check_key(__u64 first, __u64 second, __u32 service)
{
	struct jail_key key;

	key_of(&key, first, second);
	return jail_evaluate_rule(jail_lookup(&jail_rules, &key), (__u8)(service >> 16),
				  (__u16)service);
}

/* As it stands. */
static __always_inline int check_key(struct jail_address address, __u8 protocol, __u16 port)
{
	return jail_check_key(address.first, address.second, service(protocol, port));
}

JAIL_INLINE int jail_evaluate_key(const void *rules, const struct jail_key *key, __u8 protocol,
				  __u16 port)
{
	return check_key(jail_address_v6(key->words), protocol, port);
}

JAIL_GLOBAL int jail_check_address(__u64 first, __u64 second, __u32 service)
{
	struct jail_key key;

	key_of(&key, first, second);
	return jail_evaluate(&jail_rules, &key, (__u8)(service >> 16), (__u16)service);
}

static __always_inline int check_address(struct jail_address address, __u8 protocol, __u16 port)
{
	return jail_check_address(address.first, address.second, service(protocol, port));
}

JAIL_GLOBAL int jail_local_kind(__u64 first, __u64 second)
{
	struct jail_key key;

	key_of(&key, first, second);
	return jail_container_local(&jail_rules, &key);
}

static __always_inline int local_kind(struct jail_address address)
{
	return jail_local_kind(address.first, address.second);
}

static __always_inline void record_at(__u64 first, __u64 second, __u32 service, __u32 reason,
				      int by_task)
{
	struct jail_denial what = {
	    .port = (__u16)service, .protocol = (__u8)(service >> 16), .reason = (__u8)reason};
	__u32 words[4];

	words_of(words, (struct jail_address){first, second});
	__builtin_memcpy(what.addr, words, sizeof(what.addr));
	jail_record(&what, by_task);
}

/* Two, for on Linux 5.10 programs on packets can't ask for the process that runs. They give
 * nothing: Linux wants a number of every such function. */
JAIL_GLOBAL int jail_record_call(__u64 first, __u64 second, __u32 service, __u32 reason)
{
	record_at(first, second, service, reason, 1);
	return 0;
}

JAIL_GLOBAL int jail_record_packet(__u64 first, __u64 second, __u32 service, __u32 reason)
{
	record_at(first, second, service, reason, 0);
	return 0;
}

/* What a cgroup program returns: 1 lets the call go on, 0 fails it with EPERM. */
static __always_inline int answer(int verdict, struct jail_address address, __u8 protocol,
				  __u16 port, int by_task)
{
	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	if (by_task)
		jail_record_call(address.first, address.second, service(protocol, port),
				 (__u32)verdict);
	else
		jail_record_packet(address.first, address.second, service(protocol, port),
				   (__u32)verdict);
	return audit ? 1 : 0;
}

static __always_inline int apply_verdict_to_call(struct bpf_sock_addr *ctx,
						 struct jail_address address, int verdict,
						 enum jail_line line)
{
	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	if (denial_errno)
		bpf_set_retval(-(int)denial_errno);
	if (jail_is_probe(line, bpf_get_socket_cookie(ctx)))
		return audit ? 1 : 0;
	return answer(verdict, address, (__u8)ctx->protocol, bpf_ntohs((__u16)ctx->user_port), 1);
}

static __always_inline int apply_verdict_to_packet(struct __sk_buff *skb,
						   const struct jail_packet *packet, int verdict)
{
	__be16 ports[2] = {0, 0};

	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	if (jail_is_probe(skb->protocol == bpf_htons(ETH_P_IP) ? JAIL_LINE_EGRESS4
							       : JAIL_LINE_EGRESS6,
			  bpf_get_socket_cookie(skb)))
		return audit ? 1 : 0;
	if (!packet->parse_status && !packet->fragment &&
	    (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) &&
	    jail_load(skb, packet->upper_layer, ports, sizeof(ports)))
		ports[1] = 0;
	return answer(verdict, packet->destination, packet->protocol, bpf_ntohs(ports[1]), 0);
}

static __always_inline __u32 now_in_ticks(void)
{
	return (__u32)(bpf_ktime_get_ns() >> JAIL_PEER_TICK);
}

/* All ones for a number that is negative with a sign, else zero. */
static __always_inline __u64 if_negative(__u64 number)
{
	return jail_opaque((__u64)((__s64)jail_opaque(number) >> 63));
}

/* The smaller of two below 2^63. */
static __always_inline __u64 smaller(__u64 one, __u64 other)
{
	__u64 more = one - other;

	return other + (more & if_negative(more));
}

/* The two ends of a datagram, as the container sees them: who is at the other one, and where the
 * container's is. */
struct ends {
	const struct jail_key *peer, *local;
	__u16 port, local_port;
};

static __always_inline __u32 fold(const struct jail_key *key)
{
	return key->words[0] ^ key->words[1] ^ key->words[2] ^ key->words[3];
}

/* The highest bits are those on which every bit bears. */
static __always_inline __u32 hashed(const struct jail_peer_table *table, __u32 word)
{
	return (word ^ table->seed) * 0x9e3779b1;
}

/* Differs for ends that differ in one thing, whatever the seed. */
static __always_inline __u32 tag_of(const struct jail_peer_table *table, const struct ends *ends)
{
	return hashed(table, fold(ends->peer) ^ fold(ends->local) ^ (__u32)ends->port << 16 ^
				 ends->local_port);
}

static __always_inline int is_same_address(const __u32 *addr, const struct jail_key *key)
{
	return addr[0] == key->words[0] && addr[1] == key->words[1] && addr[2] == key->words[2] &&
	       addr[3] == key->words[3];
}

static __always_inline int is_between(const struct jail_peer *peer, const struct ends *ends)
{
	return is_same_address(peer->addr, ends->peer) &&
	       is_same_address(peer->local, ends->local) && peer->port == ends->port &&
	       peer->local_port == ends->local_port;
}

/* Was it heard too long ago to be answered? */
static __always_inline __u64 is_over(const struct jail_peer *peer, __u32 now)
{
	return ((__u64)answer_ticks - (__u32)(now - peer->heard) - 1) >> 63;
}

static __always_inline struct jail_peer *peer_set(struct jail_peer_table *table,
						  const struct ends *ends)
{
	__u32 hash = hashed(table, fold(ends->peer) ^ (__u32)ends->port << 16);

	return table->sets[(__u64)hash * JAIL_PEER_SETS >> 32];
}

#define PLACE_FOUND 0x20
JAIL_ASSERT(JAIL_PEER_WAYS <= PLACE_FOUND, "a place is below the bit that says it is one");

/*
 * Has this peer on the host sent a datagram to this socket, a short time ago, and to the end that
 * the answer comes from? An entry that another processor is half done with writing has a tag that
 * fits neither what it was nor what it becomes.
 */
static __always_inline int has_spoken(struct bpf_sock *sk, const struct ends *ends)
{
	struct jail_peer_table *table = bpf_sk_storage_get(&jail_peers, sk, 0, 0);
	const struct jail_peer *set;
	__u64 found = 0; /* PLACE_FOUND and the place; a tag is in a set once */
	__u32 tag;

	if (!table)
		return 0;
	set = peer_set(table, ends);
	tag = tag_of(table, ends);
	for (__u64 i = PLACE_FOUND; i < PLACE_FOUND + JAIL_PEER_WAYS; i++)
		found |= jail_opaque(jail_is_equal(set[i - PLACE_FOUND].tag, tag)) * i;
	if (!(found & PLACE_FOUND))
		return 0;
	found &= PLACE_FOUND - 1;
	if (found >= JAIL_PEER_WAYS)
		return 0;
	return is_between(&set[found], ends) && !is_over(&set[found], now_in_ticks());
}

/*
 * The place for a peer: its own, else one that has expired, else that of the oldest of its own
 * address, else of the oldest. By a number, the smallest of which wins: whether it is another's
 * that may still be answered, how much of all time it has left, its place.
 */
static __always_inline __u32 place_for(const struct jail_peer *set, const struct ends *ends,
				       __u32 tag, __u32 now)
{
	__u64 best = (__u64)1 << 62, over = (__u32)~answer_ticks;

	for (__u32 i = 0; i < JAIL_PEER_WAYS; i++) {
		const struct jail_peer *peer = &set[i];
		__u64 left = (__u32)(peer->heard - now - 1);
		/* Of its own address by the part that differs most: it is only who goes first.
		 */
		__u64 other = 0 - jail_opaque(peer->addr[3] ^ ends->peer->words[3]);
		__u64 rank = jail_opaque((other & (over - left)) >> 63) << 61 | left << 8;

		best = smaller(best, (rank & if_negative(0 - (__u64)(peer->tag ^ tag))) | i);
	}
	best &= 0xff;
	return best < JAIL_PEER_WAYS ? best : 0;
}

static __always_inline void remember_peer(struct bpf_sock *sk, const struct ends *ends)
{
	struct jail_peer_table *table = bpf_sk_storage_get(&jail_peers, sk, 0, 0);
	struct jail_peer *place;
	__u32 now = now_in_ticks(), tag;

	if (!table) {
		table = bpf_sk_storage_get(&jail_peers, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (!table)
			return;
		table->seed = bpf_get_prandom_u32();
	}
	tag = tag_of(table, ends);
	place = peer_set(table, ends);
	place += place_for(place, ends, tag, now);
	__builtin_memcpy(place->addr, ends->peer->words, sizeof(place->addr));
	__builtin_memcpy(place->local, ends->local->words, sizeof(place->local));
	place->port = ends->port;
	place->local_port = ends->local_port;
	place->tag = tag;
	asm volatile(
	    ""
	    :
	    :
	    : "memory"); /* the time last: what was there before is not fresh again for a moment */
	place->heard = now;
}

/* Does a packet to or from this denied address stay inside of the container's network namespace?
 */
static __always_inline int stays_inside(const struct __sk_buff *skb, struct jail_address address)
{
	return skb->ifindex == LOOPBACK_IFINDEX && local_kind(address) != JAIL_CONTAINER_LOCAL_NOT;
}

/* `family` is the program's, and no variable: the kernel gives each program the fields of its own
 * family alone. */
static __always_inline struct jail_address destination_of(const struct bpf_sock_addr *ctx,
							  int family)
{
	if (family == AF_INET)
		return jail_address_v4(ctx->user_ip4);
	return (struct jail_address){jail_pair(ctx->user_ip6[0], ctx->user_ip6[1]),
				     jail_pair(ctx->user_ip6[2], ctx->user_ip6[3])};
}

/*
 * Binds the socket that connects to the very address that it connects to. If that is an address
 * of its own network namespace the kernel would choose the same source by itself; if it is none,
 * bind denies it, and connect can fail at once. What bind doesn't see, for a socket that is bound
 * already, egress decides.
 */
static __always_inline int is_not_local(struct bpf_sock_addr *ctx, int family,
					struct jail_address address)
{
	struct sockaddr_in address4 = {.sin_family = AF_INET,
				       .sin_addr.s_addr = (__u32)(address.second >> 32)};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6};
	__u32 words[4];

	words_of(words, address);
	if (family == AF_INET)
		return bpf_bind(ctx, (struct sockaddr *)&address4, sizeof(address4)) ==
		       -EADDRNOTAVAIL;
	__builtin_memcpy(&address6.sin6_addr, words, sizeof(address6.sin6_addr));
	return bpf_bind(ctx, (struct sockaddr *)&address6, sizeof(address6)) == -EADDRNOTAVAIL;
}

/* A UDP socket to which a peer on the host has sent a datagram may answer; whether it is that peer
 * which it sends to, and from where, egress decides. */
static __always_inline int may_answer(struct bpf_sock_addr *ctx)
{
	return ctx->sk && bpf_sk_storage_get(&jail_peers, ctx->sk, 0, 0) != 0;
}

static __always_inline int check_sockaddr(struct bpf_sock_addr *ctx, int family,
					  struct jail_address address)
{
	__u8 protocol = (__u8)ctx->protocol;
	__u16 port = bpf_ntohs((__u16)ctx->user_port);
	/* No IPv4 address has another one in it. */
	int verdict = family == AF_INET ? check_key(address, protocol, port)
					: check_address(address, protocol, port);

	if (verdict != JAIL_VERDICT_PASS && protocol == IPPROTO_UDP && may_answer(ctx))
		return JAIL_VERDICT_PASS;
	return verdict;
}

/* Would the kernel send by another device than the loopback, whatever the address is? */
static __always_inline int is_bound_to_device(const struct bpf_sock_addr *ctx)
{
	return ctx->sk && ctx->sk->bound_dev_if != 0 && ctx->sk->bound_dev_if != LOOPBACK_IFINDEX;
}

/* A socket that has accepted a connection, or listened, can be disconnected and used for one of its
 * own. */
static __always_inline void forget_acceptance(struct bpf_sock_addr *ctx)
{
	if (ctx->protocol == IPPROTO_TCP && ctx->sk)
		bpf_sk_storage_delete(&jail_accepted, ctx->sk);
}

/* What all four programs do: those of connect for `connects`, those of sendmsg else. */
static __always_inline int check_call(struct bpf_sock_addr *ctx, int family, int connects,
				      enum jail_line line)
{
	struct jail_address address = destination_of(ctx, family);
	int verdict, container_local;

	if (connects)
		forget_acceptance(ctx);
	verdict = check_sockaddr(ctx, family, address);
	if (verdict == JAIL_VERDICT_PASS)
		return 1;
	container_local = local_kind(address);
	if (container_local == JAIL_CONTAINER_LOCAL_LOOPBACK && !is_bound_to_device(ctx))
		return 1;
	if (container_local == JAIL_CONTAINER_LOCAL_ADDRESS &&
	    !(connects && is_not_local(ctx, family, address)))
		return 1;
	return apply_verdict_to_call(ctx, address, verdict, line);
}

/* What a program ends with: the verifier wants to see 0 or 1, and compilers take for 1 what they
 * have found equal to it, of which the verifier may know less. */
static __always_inline int ends_with(int answer)
{
	asm volatile("" : "+r"(answer));
	return answer & 1;
}

SEC("cgroup/connect4")
int jail_connect4(struct bpf_sock_addr *ctx)
{
	return ends_with(check_call(ctx, AF_INET, 1, JAIL_LINE_CONNECT4));
}

SEC("cgroup/connect6")
int jail_connect6(struct bpf_sock_addr *ctx)
{
	return ends_with(check_call(ctx, AF_INET6, 1, JAIL_LINE_CONNECT6));
}

SEC("cgroup/sendmsg4")
int jail_sendmsg4(struct bpf_sock_addr *ctx)
{
	return ends_with(check_call(ctx, AF_INET, 0, JAIL_LINE_SENDMSG4));
}

SEC("cgroup/sendmsg6")
int jail_sendmsg6(struct bpf_sock_addr *ctx)
{
	return ends_with(check_call(ctx, AF_INET6, 0, JAIL_LINE_SENDMSG6));
}

/* The packet's socket; a null pointer if it has none that is more than a request or a remainder.
 */
static __always_inline struct bpf_sock *full_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : 0;
}

/* That, if it is of this type and protocol, and not a raw one that only writes such packets; else a
 * null pointer. */
static __always_inline struct bpf_sock *socket_of(struct __sk_buff *skb, __u32 type, __u32 protocol)
{
	struct bpf_sock *sk = full_socket(skb);

	return sk && sk->type == type && sk->protocol == protocol ? sk : 0;
}

SEC("cgroup/sock_create")
int jail_create(struct bpf_sock *sk)
{
	if (sk->family != AF_INET6 || sk->type != SOCK_RAW)
		return 1;
	/* Without memory for the mark the socket isn't made, in audit mode either: that is not a
	 * denial. */
	return bpf_sk_storage_get(&jail_raw, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) != 0;
}

/* Was the packet written by a raw socket of a process? The kernel's own sockets never come to
 * sock_create. */
static __always_inline int is_of_process(struct __sk_buff *skb)
{
	struct bpf_sock *sk = full_socket(skb);

	return sk && bpf_sk_storage_get(&jail_raw, sk, 0, 0) != 0;
}

#define ROUTER_SOLICITATION 133 /* RFC 4861 4.1, 4.3 and 4.4 */
#define NEIGHBOUR_SOLICITATION 135
#define NEIGHBOUR_ADVERTISEMENT 136
#define LISTENER_REPORT_V1 131 /* RFC 2710 3 */
#define LISTENER_DONE 132
#define LISTENER_REPORT_V2 143 /* RFC 3810 5.2 */

/* The fixed part, in front of the options. */
static __always_inline __u32 discovery_size(__u8 type)
{
	return type == ROUTER_SOLICITATION ? 8 : 24;
}

/* To a group of the link, as the hop limit says, with the hop-by-hop header that the kernel writes:
 * what follows, a router alert and padding to 8 bytes (RFC 2711). */
static __always_inline int is_listener_report(struct __sk_buff *skb)
{
	__be16 group;
	struct {
		__be32 header[2];
		__u8 type;
	} start;

	if (jail_load(skb, 24, &group, sizeof(group)) ||
	    (group & bpf_htons(0xff0f)) != bpf_htons(0xff02))
		return 0;
	if (jail_load(skb, sizeof(struct ipv6hdr), &start, sizeof(start.header) + 1) ||
	    start.header[0] != bpf_htonl(IPPROTO_ICMPV6 << 24 | 0x0502) ||
	    start.header[1] != bpf_htonl(0x0100))
		return 0;
	return start.type == LISTENER_REPORT_V1 || start.type == LISTENER_DONE ||
	       start.type == LISTENER_REPORT_V2;
}

/*
 * Is this ICMPv6, behind whatever headers, the kernel's own neighbour discovery, or its report of
 * the groups that it listens to? Its sockets belong to the jail if the runtime makes the network
 * namespace inside of the container's cgroup, as runc does; without an answer the host could not
 * reach the container, and without a report a bridge that looks for reports does not pass the
 * question on. The form must be exactly the kernel's, for raw sockets that were made before the
 * jail carry no mark: they can say who they claim to be on their link and what they listen to, and
 * no more.
 */
JAIL_GLOBAL int jail_is_discovery(struct __sk_buff *skb)
{
	struct {
		__u8 type, code;
	} start;
	__u8 hop_limit;
	__be16 option;
	__u32 size;

	if (is_of_process(skb))
		return 0;
	if (jail_load(skb, 7, &hop_limit, 1))
		return 0;
	if (hop_limit == 1)
		return is_listener_report(skb);
	if (hop_limit != 255)
		return 0;
	if (jail_load(skb, sizeof(struct ipv6hdr), &start, sizeof(start)))
		return 0;
	if (start.code != 0 ||
	    (start.type != ROUTER_SOLICITATION && start.type != NEIGHBOUR_SOLICITATION &&
	     start.type != NEIGHBOUR_ADVERTISEMENT))
		return 0;
	size = skb->len - sizeof(struct ipv6hdr) - discovery_size(start.type);
	if (size == 0)
		return 1;
	/* One option: the source's (1) or the target's (2) link-layer address, of 8 bytes (1). */
	return size == 8 &&
	       !jail_load(skb, sizeof(struct ipv6hdr) + discovery_size(start.type), &option,
			  sizeof(option)) &&
	       option ==
		   (start.type == NEIGHBOUR_ADVERTISEMENT ? bpf_htons(0x0201) : bpf_htons(0x0101));
}

/* Does this TCP packet answer? A SYN without ACK opens a connection, and any other answers if its
 * socket has accepted one, or listens and was asked. */
static __always_inline int is_tcp_answer(struct __sk_buff *skb, __u8 tcp_flags)
{
	struct bpf_sock *sk = socket_of(skb, SOCK_STREAM, IPPROTO_TCP);

	return sk && (tcp_flags & (JAIL_TCP_SYN | JAIL_TCP_ACK)) != JAIL_TCP_SYN &&
	       bpf_sk_storage_get(&jail_accepted, sk, 0, 0) != 0;
}

/* The ends of a datagram whose header, at an offset, jail_load() can read. */
static __always_inline int load_ends(const struct __sk_buff *skb, __u32 upper_layer,
				     struct jail_key *source, struct jail_key *destination,
				     __be16 ports[2])
{
	__u32 words[8];

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (jail_load(skb, 12, words, 8))
			return 0;
		jail_key_v4(source, words[0]);
		jail_key_v4(destination, words[1]);
	} else {
		if (jail_load(skb, 8, words, 32))
			return 0;
		jail_key_v6(source, words);
		jail_key_v6(destination, words + 4);
	}
	return !jail_load(skb, upper_layer, ports, 4);
}

/* Does this UDP packet answer? */
JAIL_GLOBAL int jail_is_udp_answer(struct __sk_buff *skb, __u32 upper_layer)
{
	struct bpf_sock *sk = socket_of(skb, SOCK_DGRAM, IPPROTO_UDP);
	struct jail_key local, peer;
	__be16 ports[2];

	if (!sk || !load_ends(skb, upper_layer, &local, &peer, ports))
		return 0;
	return has_spoken(sk,
			  &(struct ends){&peer, &local, bpf_ntohs(ports[1]), bpf_ntohs(ports[0])});
}

/* What may leave for an address that is denied: the ports that its rule allows, and answers.
 */
static __always_inline int check_denied_destination(struct __sk_buff *skb,
						    const struct jail_packet *packet, int verdict)
{
	__be16 ports[2];
	__u8 tcp_flags;

	if (packet->fragment)
		return JAIL_REASON_MALFORMED_PACKET;
	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return verdict;
	if (jail_load(skb, packet->upper_layer, ports, sizeof(ports)))
		return JAIL_REASON_MALFORMED_PACKET;
	if (check_address(packet->destination, packet->protocol, bpf_ntohs(ports[1])) ==
	    JAIL_VERDICT_PASS)
		return JAIL_VERDICT_PASS;
	if (packet->protocol == IPPROTO_UDP)
		return jail_is_udp_answer(skb, packet->upper_layer) ? JAIL_VERDICT_PASS : verdict;
	if (jail_load(skb, packet->upper_layer + 13, &tcp_flags, sizeof(tcp_flags)))
		return JAIL_REASON_MALFORMED_PACKET;
	return is_tcp_answer(skb, tcp_flags) ? JAIL_VERDICT_PASS : verdict;
}

/*
 * Does a packet claim to come from the host? Sent to another container's UDP socket it would make
 * that one's jail remember a peer that never spoke, and sent to any other machine it would make
 * that one answer the host; so would one to a port of the host that is open. Raw, transparent and
 * freebind sockets can, also of TCP, whose first packet may carry data already. An address of the
 * container's own is none of the host's, and loopback's only as long as it stays inside.
 */
static __always_inline int is_forged(struct __sk_buff *skb, const struct jail_packet *packet)
{
	int verdict, container_local;

	if (shares_network)
		return 0;
	verdict = check_address(packet->source, JAIL_PROTO_ANY, 0);
	if (verdict == JAIL_VERDICT_PASS || verdict == JAIL_REASON_LINK_LOCAL)
		return 0;
	container_local = local_kind(packet->source);
	return container_local == JAIL_CONTAINER_LOCAL_NOT ||
	       (container_local == JAIL_CONTAINER_LOCAL_LOOPBACK &&
		skb->ifindex != LOOPBACK_IFINDEX);
}

/* A packet that can't be parsed does not leave, whatever its destination: a source route leads on
 * to a destination that no program checks. */
static __always_inline int check_packet(struct __sk_buff *skb, const struct jail_packet *packet)
{
	int verdict;

	if (packet->parse_status)
		return JAIL_REASON_MALFORMED_PACKET;
	verdict = check_address(packet->destination, JAIL_PROTO_ANY, 0);
	if (verdict != JAIL_VERDICT_PASS && !stays_inside(skb, packet->destination)) {
		if (packet->protocol == IPPROTO_ICMPV6 && jail_is_discovery(skb))
			return JAIL_VERDICT_PASS;
		verdict = check_denied_destination(skb, packet, verdict);
		if (verdict != JAIL_VERDICT_PASS)
			return verdict;
		if (shares_network)
			skb->priority = FROM_JAIL;
	}
	return is_forged(skb, packet) ? JAIL_REASON_MALFORMED_PACKET : JAIL_VERDICT_PASS;
}

/* In audit mode, have connect and sendmsg counted what this packet is of, and not left it to
 * egress?
 */
static __always_inline int was_counted(struct __sk_buff *skb, struct jail_address destination)
{
	struct bpf_sock *sk;

	if (local_kind(destination))
		return 0;
	if (socket_of(skb, SOCK_STREAM, IPPROTO_TCP))
		return 1;
	sk = socket_of(skb, SOCK_DGRAM, IPPROTO_UDP);
	return sk && !bpf_sk_storage_get(&jail_peers, sk, 0, 0);
}

SEC("cgroup_skb/egress")
int jail_egress(struct __sk_buff *skb)
{
	struct jail_packet packet;

	__builtin_memset(&packet, 0, sizeof(packet));
	jail_parse(skb, &packet);
	if (audit && !packet.parse_status && was_counted(skb, packet.destination))
		return 1;
	return ends_with(apply_verdict_to_packet(skb, &packet, check_packet(skb, &packet)));
}

/* Remembers at its socket whom an incoming datagram is from. */
JAIL_GLOBAL int jail_hear(struct __sk_buff *skb, __u32 upper_layer)
{
	struct bpf_sock *sk = socket_of(skb, SOCK_DGRAM, IPPROTO_UDP);
	struct jail_key peer, local;
	__be16 ports[2];

	if (sk && load_ends(skb, upper_layer, &peer, &local, ports))
		remember_peer(
		    sk, &(struct ends){&peer, &local, bpf_ntohs(ports[0]), bpf_ntohs(ports[1])});
	return 0;
}

/* Where the UDP header of an incoming datagram is, and whom that is from; 0 if it is none. What is
 * behind IPv6 extension headers makes no peer. */
static __always_inline __u32 find_datagram(struct __sk_buff *skb, struct jail_address *source)
{
	struct ipv6hdr v6 __attribute__((aligned(8)));
	struct iphdr v4;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (jail_load(skb, 0, &v4, sizeof(v4)) || v4.protocol != IPPROTO_UDP)
			return 0;
		*source = jail_address_v4(v4.saddr);
		return v4.ihl * 4u;
	}
	if (jail_load(skb, 0, &v6, sizeof(v6)) || v6.nexthdr != IPPROTO_UDP)
		return 0;
	*source = jail_address_v6(v6.saddr.s6_addr32);
	return sizeof(v6);
}

SEC("cgroup_skb/ingress")
int jail_ingress(struct __sk_buff *skb)
{
	struct jail_address source;
	struct bpf_sock *sk;
	__u32 datagram;
	int verdict;

	/* What this jail's own sockets have sent is not a peer's: in a network namespace of its own
	 * all that comes over loopback, whatever it claims. */
	if (shares_network ? skb->priority == FROM_JAIL : skb->ifindex == LOOPBACK_IFINDEX)
		return 1;
	sk = socket_of(skb, SOCK_STREAM, IPPROTO_TCP);
	if (sk) {
		/* Not when it answers: a SYN cookie belongs to no socket. */
		if (sk->state == TCP_LISTEN)
			bpf_sk_storage_get(&jail_accepted, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		return 1;
	}
	datagram = find_datagram(skb, &source);
	/* What is for everybody on the link is not for this container to answer. Nor is what has a
	 * group's address, from which no answer can come. */
	if (!datagram || skb->pkt_type != PACKET_HOST)
		return 1;
	verdict = check_address(source, JAIL_PROTO_ANY, 0);
	/* A link-local source proves nothing: every neighbour may claim to be fe80::1. */
	if (verdict == JAIL_VERDICT_PASS || verdict == JAIL_REASON_LINK_LOCAL)
		return 1;
	/* Nor does one that containers may have, since egress lets them use it. */
	if (local_kind(source))
		return 1;
	jail_hear(skb, datagram);
	return 1;
}
