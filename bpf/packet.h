/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Taking a packet apart as far as the verdict needs it: where it goes as on the wire, and what is
 * in it. Every read is checked against the packet's end, and what cannot be read says so in
 * `parse_status`, so that the caller can deny it.
 *
 * The egress hook runs before the kernel fragments (ip_finish_output, ip6_finish_output), so that a
 * fragment seen there was made by hand, by a raw socket with a header of its own.
 */
#ifndef JAIL_AI_PACKET_H
#define JAIL_AI_PACKET_H

#ifndef __bpf__
#include <netinet/in.h> /* before the kernel's own headers, as linux/libc-compat.h wants it */
#endif

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "address.h"

#define JAIL_MAX_EXTENSIONS 6
#define JAIL_MAX_OPTIONS 4

#define JAIL_FRAGMENT bpf_htons(0x3fff) /* more fragments, or an offset */

/* Byte 13 of a TCP header (RFC 9293 3.1). */
#define JAIL_TCP_SYN 0x02
#define JAIL_TCP_ACK 0x10

enum jail_parse_status {
	JAIL_PARSE_OK,
	JAIL_PARSE_UNREADABLE, /* truncated, of a version that is not the family's, more extension
				  headers than any program needs, an IPv6 fragment */
	JAIL_PARSE_SOURCE_ROUTED, /* goes on from its destination to one that was not checked: IPv4
				   source route, IPv6 routing header */
};

struct jail_packet {
	struct jail_address source;
	struct jail_address destination;
	__u32 parse_status; /* enum jail_parse_status; addresses are valid unless version or header
			      couldn't be read */
	__u8 fragment;	    /* IPv4: part of a datagram. One of IPv6 is odd, for what is behind its
			       header may be a routing header */
	__u8 protocol;	    /* upper layer, or the extension header at which the walk ended */
	__u32 upper_layer;  /* offset of what `protocol` names */
};

/* Copies `size` bytes at an offset from the IP header; nonzero when the packet ends before. The
 * includer defines it. */
JAIL_INLINE int jail_load(const struct __sk_buff *skb, __u32 offset, void *to, __u32 size);

/*
 * IPv4's options (RFC 791 3.1): a source route is loose (LSRR) or strict (SSRR). No program needs
 * more than a few options; a longer list counts as one.
 */
JAIL_GLOBAL __u32 jail_parse_options(const struct __sk_buff *skb, __u32 end)
{
	__u32 at = 20;

	JAIL_ROLLED
	for (int i = 0; i < JAIL_MAX_OPTIONS; i++) {
		__u8 kind, length = 1;

		if (at >= end)
			return JAIL_PARSE_OK;
		if (jail_load(skb, at, &kind, 1))
			return JAIL_PARSE_UNREADABLE;
		if (kind == IPOPT_END)
			return JAIL_PARSE_OK;
		if (kind == IPOPT_LSRR || kind == IPOPT_SSRR)
			return JAIL_PARSE_SOURCE_ROUTED;
		if (kind != IPOPT_NOOP && (jail_load(skb, at + 1, &length, 1) || length < 2))
			return JAIL_PARSE_SOURCE_ROUTED;
		at += length;
	}
	return at >= end ? JAIL_PARSE_OK : JAIL_PARSE_SOURCE_ROUTED;
}

JAIL_INLINE void jail_parse_v4(const struct __sk_buff *skb, struct jail_packet *packet)
{
	struct iphdr header;

	if (jail_load(skb, 0, &header, sizeof(header)) || header.version != 4 || header.ihl < 5) {
		packet->parse_status = JAIL_PARSE_UNREADABLE;
		return;
	}
	packet->source = jail_address_v4(header.saddr);
	packet->destination = jail_address_v4(header.daddr);
	packet->protocol = header.protocol;
	packet->upper_layer = header.ihl * 4u;
	packet->fragment = (header.frag_off & JAIL_FRAGMENT) != 0;
	if (header.ihl > 5)
		packet->parse_status = jail_parse_options(skb, packet->upper_layer);
}

/* What an IPv6 header's extensions lead to, in one number: the offset of the upper layer, its
 * protocol, the enum jail_parse_status. */
#define JAIL_WALKED(upper_layer, protocol, status)                                                 \
	((upper_layer) | (protocol)*0x10000u | (status)*0x1000000u)

JAIL_GLOBAL __u32 jail_walk_extensions(const struct __sk_buff *skb, __u32 next_header)
{
	__u32 upper_layer = sizeof(struct ipv6hdr);
	__u32 protocol = next_header;
	__u8 extension[2];

	JAIL_ROLLED
	for (int i = 0; i < JAIL_MAX_EXTENSIONS; i++) {
		if (protocol == IPPROTO_ROUTING)
			return JAIL_WALKED(upper_layer, protocol, JAIL_PARSE_SOURCE_ROUTED);
		if (protocol == IPPROTO_FRAGMENT)
			break;
		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_DSTOPTS)
			return JAIL_WALKED(upper_layer, protocol, JAIL_PARSE_OK);
		if (jail_load(skb, upper_layer, extension, sizeof(extension)))
			break;
		protocol = extension[0];
		upper_layer += 8 + 8u * extension[1];
	}
	return JAIL_WALKED(upper_layer, protocol, JAIL_PARSE_UNREADABLE);
}

JAIL_INLINE void jail_parse_v6(const struct __sk_buff *skb, struct jail_packet *packet)
{
	struct ipv6hdr header __attribute__((aligned(8))); /* so that an address is two loads */
	__u32 walked;

	if (jail_load(skb, 0, &header, sizeof(header)) || header.version != 6) {
		packet->parse_status = JAIL_PARSE_UNREADABLE;
		return;
	}
	packet->source = jail_address_v6(header.saddr.s6_addr32);
	packet->destination = jail_address_v6(header.daddr.s6_addr32);
	walked = jail_walk_extensions(skb, header.nexthdr);
	packet->upper_layer = walked & 0xffff;
	packet->protocol = walked >> 16 & 0xff;
	packet->parse_status = walked >> 24;
}

/*
 * Fills *packet, which the caller has zeroed. The family is what the stack takes the packet for: a
 * raw socket may write another version into the header, and what follows then means something else
 * to anyone who receives it.
 */
JAIL_INLINE void jail_parse(const struct __sk_buff *skb, struct jail_packet *packet)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		jail_parse_v4(skb, packet);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		jail_parse_v6(skb, packet);
	else
		packet->parse_status = JAIL_PARSE_UNREADABLE;
}

#endif
