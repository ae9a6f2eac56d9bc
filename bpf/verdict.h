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
#define JAIL_SELDOM static __attribute__((noinline, unused))
#else
#define JAIL_INLINE static inline
#define JAIL_SELDOM static inline
#endif

#define JAIL_PROTO_TCP 6
#define JAIL_PROTO_UDP 17

/* The rule of the longest prefix that holds key->addr (key->prefix_bits is 128), or a null pointer. */
JAIL_INLINE const struct jail_rule *jail_lookup(const struct jail_key *key);

/* A word of an address, written as its value in host byte order: JAIL_WORD(0x7f000001) is 127.0.0.1. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define JAIL_WORD(host) __builtin_bswap32(host)
#else
#define JAIL_WORD(host) ((__u32)(host))
#endif

/* IPv4, one word in network order, as a key: the mapped form. */
JAIL_INLINE void jail_key_v4(struct jail_key *key, __u32 v4)
{
	key->prefix_bits = 128;
	key->words[0] = 0;
	key->words[1] = 0;
	key->words[2] = JAIL_WORD(0x0000ffff);
	key->words[3] = v4;
}

/* IPv6, four words in network order, as a key. */
JAIL_INLINE void jail_key_v6(struct jail_key *key, const __u32 v6[4])
{
	key->prefix_bits = 128;
	key->words[0] = v6[0];
	key->words[1] = v6[1];
	key->words[2] = v6[2];
	key->words[3] = v6[3];
}

/*
 * Does an IPv6 address carry an IPv4 address that a translator, a tunnel or the kernel itself would go to? Then *v4 is that, in network
 * order.
 *   ::a.b.c.d           compatible, RFC 4291 2.5.5.1 (without :: and ::1, which are addresses of their own)
 *   ::ffff:0:a.b.c.d    translated, RFC 2765
 *   64:ff9b::a.b.c.d    NAT64, RFC 6052; of RFC 8215's range see jail_translated_v4
 *   2002:aabb:ccdd::    6to4, RFC 3056
 * The mapped form ::ffff:a.b.c.d is how IPv4 is kept in the trie and needs no second lookup.
 */
JAIL_INLINE int jail_embedded_v4(const struct jail_key *v6, __u32 *v4)
{
	const __u32 *words = v6->words;

	*v4 = words[3];
	if (words[0] == 0)
		return words[1] == 0 && ((words[2] == 0 && (words[3] & ~JAIL_WORD(1)) != 0) || words[2] == JAIL_WORD(0xffff0000));
	if (words[0] == JAIL_WORD(0x0064ff9b))
		return (words[1] | words[2]) == 0;
	if ((words[0] & JAIL_WORD(0xffff0000)) != JAIL_WORD(0x20020000))
		return 0;
	*v4 = JAIL_WORD(JAIL_WORD(words[0]) << 16 | JAIL_WORD(words[1]) >> 16);
	return 1;
}

/*
 * 64:ff9b:1::/48 is for NAT64, too (RFC 8215), and which prefix of it a translator has been given only its operator knows. RFC 6052 2.2 puts the IPv4
 * address behind a prefix of 48, 56, 64 or 96 bits, around byte 8, which it leaves out: forms 0 to 3. An address means one of them; the others find
 * zeros in it or parts of it.
 */
#define JAIL_TRANSLATED_FORMS 4

JAIL_INLINE int jail_is_translated(const struct jail_key *v6)
{
	return v6->words[0] == JAIL_WORD(0x0064ff9b) && (v6->words[1] & JAIL_WORD(0xffff0000)) == JAIL_WORD(0x00010000);
}

/* The address in an address of that range by its form, network order; 0 where that is in 0.0.0.0/8, to which nobody translates. */
JAIL_INLINE __u32 jail_translated_v4(const struct jail_key *v6, int form)
{
	__u32 before = JAIL_WORD(v6->words[1]); /* bytes 4 to 7 */
	__u32 around = JAIL_WORD(v6->words[2]); /* bytes 8 to 11 */
	__u32 behind = JAIL_WORD(v6->words[3]); /* bytes 12 to 15 */
	__u32 v4 = behind;

	if (form == 0)
		v4 = before << 16 | (around >> 8 & 0xffff);
	else if (form == 1)
		v4 = before << 24 | (around & 0xffffff);
	else if (form == 2)
		v4 = around << 8 | behind >> 24;
	return v4 >> 24 == 0 ? 0 : JAIL_WORD(v4);
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
	if (rule->reason < JAIL_REASON_COUNT)
		return rule->reason;
	return JAIL_REASON_PACKET; /* not a value of ours, but it blocks */
}

/*
 * Is this address, as it stands, one that the container's own network namespace has or may get, although it is blocked? What goes to it
 * stays inside exactly where the kernel sends it over the loopback device, which only a packet on its way out shows. Gives an enum jail_own.
 */
JAIL_INLINE int jail_is_own(const struct jail_key *key)
{
	const struct jail_rule *rule = jail_lookup(key);

	if (!rule)
		return JAIL_OWN_NOT;
	return rule->own;
}

/* A protocol that no exception names: judged with it, a destination passes exactly when no rule blocks its address. */
#define JAIL_PROTO_ANY 0

/* One form of an address that jail_is_translated(). */
JAIL_INLINE int jail_judge_form(const struct jail_key *key, int form, __u8 protocol, __u16 port)
{
	struct jail_key inside;
	__u32 v4 = jail_translated_v4(key, form);

	if (!v4)
		return JAIL_VERDICT_PASS;
	jail_key_v4(&inside, v4);
	return jail_judge_key(&inside, protocol, port);
}

/* Not inlined, since hardly any packet comes here; no loop over forms, which clang lays out so that Linux 6.1 takes it for one without an end. */
JAIL_SELDOM int jail_judge_forms(const struct jail_key *key, __u8 protocol, __u16 port)
{
	int verdict = jail_judge_form(key, 0, protocol, port);

	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_judge_form(key, 1, protocol, port);
	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_judge_form(key, 2, protocol, port);
	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_judge_form(key, 3, protocol, port);
	return verdict;
}

/*
 * Judges a destination of either family, in each form in which it would be travelled to. `port` is in host byte order; 0 where the
 * protocol has none. Gives JAIL_VERDICT_PASS or an enum jail_reason.
 */
JAIL_INLINE int jail_judge(const struct jail_key *key, __u8 protocol, __u16 port)
{
	struct jail_key inside;
	__u32 v4;
	int verdict = jail_judge_key(key, protocol, port);

	if (verdict != JAIL_VERDICT_PASS)
		return verdict;
	if (jail_embedded_v4(key, &v4)) {
		jail_key_v4(&inside, v4);
		return jail_judge_key(&inside, protocol, port);
	}
	return jail_is_translated(key) ? jail_judge_forms(key, protocol, port) : JAIL_VERDICT_PASS;
}

#endif
