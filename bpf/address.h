/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) OR Apache-2.0 */
/*
 * Addresses as keys of the trie, and the IPv4 addresses that IPv6 addresses carry. Freestanding C,
 * as verdict.h.
 */
#ifndef JAIL_AI_ADDRESS_H
#define JAIL_AI_ADDRESS_H

#include "abi.h"

#ifdef __bpf__
#define JAIL_INLINE static __attribute__((always_inline)) inline
/* A function of its own to the verifier, which follows it once, whatever its arguments, and knows
 * nothing of what it gives back; else it follows a body again for each call, and for each state in
 * which a call may come. Arguments are numbers or the program's context (Linux 5.6). */
#define JAIL_GLOBAL __attribute__((noinline))
/* Before a loop that compilers would unroll: the verifier follows each round either way, and the
 * kernel keeps what it has once, not as often. */
#define JAIL_ROLLED _Pragma("clang loop unroll(disable)")
#else
#define JAIL_INLINE static inline
#define JAIL_GLOBAL static inline
#define JAIL_ROLLED
#endif

/* A number of which compilers know nothing: of what they know they make branches, and in a loop
 * each would double what the verifier follows. */
JAIL_INLINE __u64 jail_opaque(__u64 number)
{
	__asm__ volatile("" : "+r"(number));
	return number;
}

/* 1 or 0, without a branch. */
JAIL_INLINE __u64 jail_is_equal(__u32 one, __u32 other)
{
	return (jail_opaque(one ^ other) - 1) >> 63;
}

/* A word of an address, written as its value in host byte order: JAIL_WORD(0x7f000001) is
 * 127.0.0.1. */
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

/* An address of either family as two numbers, each of two words, so that it can be an argument of a
 * JAIL_GLOBAL function. */
struct jail_address {
	__u64 first, second;
};

JAIL_INLINE __u64 jail_pair(__u64 one, __u64 other)
{
	return one | other << 32;
}

/* IPv4, one word in network order: the mapped form. */
JAIL_INLINE struct jail_address jail_address_v4(__u32 v4)
{
	struct jail_address address = {0, jail_pair(JAIL_WORD(0x0000ffff), v4)};

	return address;
}

/* IPv6, four words in network order. */
JAIL_INLINE struct jail_address jail_address_v6(const __u32 v6[4])
{
	struct jail_address address = {jail_pair(v6[0], v6[1]), jail_pair(v6[2], v6[3])};

	return address;
}

/*
 * Does an IPv6 address carry an IPv4 address that a translator, a tunnel or the kernel itself would
 * go to? Then *v4 is that, in network order.
 *   ::a.b.c.d           compatible, RFC 4291 2.5.5.1 (without :: and ::1, which are addresses of
 * their own)
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
		return words[1] == 0 && ((words[2] == 0 && (words[3] & ~JAIL_WORD(1)) != 0) ||
					 words[2] == JAIL_WORD(0xffff0000));
	if (words[0] == JAIL_WORD(0x0064ff9b))
		return (words[1] | words[2]) == 0;
	if ((words[0] & JAIL_WORD(0xffff0000)) != JAIL_WORD(0x20020000))
		return 0;
	*v4 = JAIL_WORD(JAIL_WORD(words[0]) << 16 | JAIL_WORD(words[1]) >> 16);
	return 1;
}

/*
 * 64:ff9b:1::/48 is for NAT64, too (RFC 8215), and which prefix of it a translator has been given
 * only its operator knows. RFC 6052 2.2 puts the IPv4 address behind a prefix of 48, 56, 64 or 96
 * bits, around byte 8, which it leaves out: forms 0 to 3. An address means one of them; the others
 * find zeros in it or parts of it.
 */
#define JAIL_TRANSLATED_FORMS 4

JAIL_INLINE int jail_is_translated(const struct jail_key *v6)
{
	return v6->words[0] == JAIL_WORD(0x0064ff9b) &&
	       (v6->words[1] & JAIL_WORD(0xffff0000)) == JAIL_WORD(0x00010000);
}

/* The address in an address of that range by its form, network order; 0 if that is in 0.0.0.0/8,
 * to which no translator sends. */
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

#endif
