/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) OR Apache-2.0 */
/*
 * The decision: may something inside go to this destination? Freestanding C without helpers, compiled into the BPF programs, the
 * unit tests and every command that explains a verdict, so that all of them give the same answer.
 *
 * How a destination is judged
 *  1. Its address is looked up as it stands; the longest prefix that holds it decides.
 *  2. An IPv6 address that carries an IPv4 address (see jail_embedded_v4) is looked up a second time as that. Either lookup blocks.
 *  3. A rule that blocks still lets its port ranges pass, for the protocols that it names and no other.
 * A destination that no rule holds passes. The family that the caller of connect(2) claims plays no part: sendto(2) with AF_UNSPEC
 * and an IPv4 address on an IPv6 socket reach the hooks with the real address filled in and another family.
 *
 * Where the rules live is the includer's to say, by defining jail_lookup() before any of these is called.
 */
#ifndef JAIL_AI_VERDICT_H
#define JAIL_AI_VERDICT_H

#include "abi.h"

#ifdef __bpf__
#define JAIL_INLINE static __attribute__((always_inline)) inline
#else
#define JAIL_INLINE static inline
#endif

#define JAIL_PROTO_TCP 6
#define JAIL_PROTO_UDP 17

/* The rule of the longest prefix that holds key->addr (key->prefix_bits is 128), or a null pointer. */
JAIL_INLINE const struct jail_rule *jail_lookup(const struct jail_key *key);

/* IPv4, four bytes in network order, as a key: the mapped form. */
JAIL_INLINE void jail_key_v4(struct jail_key *key, const __u8 v4[4])
{
	key->prefix_bits = 128;
	for (int i = 0; i < 10; i++)
		key->addr[i] = 0;
	key->addr[10] = 0xff;
	key->addr[11] = 0xff;
	for (int i = 0; i < 4; i++)
		key->addr[12 + i] = v4[i];
}

JAIL_INLINE int jail_bytes_are(const __u8 *bytes, int count, __u8 value)
{
	for (int i = 0; i < count; i++)
		if (bytes[i] != value)
			return 0;
	return 1;
}

/*
 * Where in a 16-byte IPv6 address an IPv4 address begins that a translator, a tunnel or the kernel itself would go to, or -1:
 *   ::a.b.c.d           compatible, RFC 4291 2.5.5.1 (without :: and ::1, which are addresses of their own)
 *   ::ffff:0:a.b.c.d    translated, RFC 2765
 *   64:ff9b::a.b.c.d    NAT64, RFC 6052; 64:ff9b:1::/48 is RFC 8215's local-use range with a /96 inside
 *   2002:aabb:ccdd::    6to4, RFC 3056
 * The mapped form ::ffff:a.b.c.d is how IPv4 is kept in the trie and needs no second lookup.
 */
JAIL_INLINE int jail_embedded_v4(const __u8 v6[16])
{
	if (v6[0] == 0) {
		if (v6[1] == 0x64 && v6[2] == 0xff && v6[3] == 0x9b) {
			if (jail_bytes_are(v6 + 4, 8, 0) || (v6[4] == 0 && v6[5] == 1))
				return 12;
			return -1;
		}
		if (!jail_bytes_are(v6, 8, 0))
			return -1;
		if (jail_bytes_are(v6 + 8, 4, 0))
			return jail_bytes_are(v6 + 12, 3, 0) && v6[15] <= 1 ? -1 : 12;
		if (v6[8] == 0xff && v6[9] == 0xff && v6[10] == 0 && v6[11] == 0)
			return 12;
		return -1;
	}
	return v6[0] == 0x20 && v6[1] == 0x02 ? 2 : -1;
}

/* Does the rule let this destination port (host byte order) of this IP protocol pass? */
JAIL_INLINE int jail_rule_admits(const struct jail_rule *rule, __u8 protocol, __u16 port)
{
	__u8 bit = protocol == JAIL_PROTO_TCP ? JAIL_PORTS_TCP : protocol == JAIL_PROTO_UDP ? JAIL_PORTS_UDP : 0;

	if (rule->action == JAIL_PASS)
		return 1;
	if (!bit)
		return 0;
	for (int i = 0; i < JAIL_MAX_PORTS; i++) {
		const struct jail_ports *ports = &rule->ports[i];

		if ((ports->protocols & bit) && ports->first <= port && port <= ports->last)
			return 1;
	}
	return 0;
}

/* The verdict that means: let it pass. Any other verdict is the enum jail_reason of the rule that blocks. */
#define JAIL_VERDICT_PASS (-1)

JAIL_INLINE int jail_judge_key(const struct jail_key *key, __u8 protocol, __u16 port)
{
	const struct jail_rule *rule = jail_lookup(key);

	if (!rule || jail_rule_admits(rule, protocol, port))
		return JAIL_VERDICT_PASS;
	return rule->reason < JAIL_REASON_COUNT ? rule->reason : JAIL_REASON_PACKET;
}

/* Judges an IPv4 destination, four bytes in network order. */
JAIL_INLINE int jail_judge_v4(const __u8 v4[4], __u8 protocol, __u16 port)
{
	struct jail_key key;

	jail_key_v4(&key, v4);
	return jail_judge_key(&key, protocol, port);
}

/* Judges an IPv6 destination, 16 bytes in network order, in each form in which it would be travelled to. */
JAIL_INLINE int jail_judge_v6(const __u8 v6[16], __u8 protocol, __u16 port)
{
	struct jail_key key;
	int at, verdict;

	key.prefix_bits = 128;
	for (int i = 0; i < 16; i++)
		key.addr[i] = v6[i];
	verdict = jail_judge_key(&key, protocol, port);
	if (verdict != JAIL_VERDICT_PASS)
		return verdict;
	at = jail_embedded_v4(v6);
	if (at == 12)
		return jail_judge_v4(v6 + 12, protocol, port);
	if (at == 2)
		return jail_judge_v4(v6 + 2, protocol, port);
	return JAIL_VERDICT_PASS;
}

#endif
