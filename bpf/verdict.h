/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) OR Apache-2.0 */
/*
 * The decision: may something inside go to this destination? Freestanding C without helpers,
 * compiled into the BPF programs, the unit tests and every command that explains a verdict, so that
 * all of them give the same answer.
 *
 * How a destination is checked
 *  1. Its address is looked up as it stands; the longest prefix that holds it decides.
 *  2. An IPv6 address that carries an IPv4 address (address.h) is looked up a second time as that.
 * Either lookup denies.
 *  3. A rule that denies still allows its port ranges, for the protocols that it names and no
 * other. A destination that no rule holds passes. The family that the caller of connect(2) claims
 * plays no part: sendto(2) with AF_UNSPEC and an IPv4 address on an IPv6 socket reach the hooks
 * with the real address filled in and another family.
 *
 * What the rules are is the includer's to say: it hands them through, and defines jail_lookup(),
 * which looks into them.
 */
#ifndef JAIL_AI_VERDICT_H
#define JAIL_AI_VERDICT_H

#ifdef __bpf__
#include <linux/in.h>
#else
#include <netinet/in.h>
#endif

#include "abi.h"
#include "address.h"

/* The rule of the longest prefix that holds key->addr (key->prefix_bits is 128), or a null pointer.
 * `rules` is what the caller checks by. */
JAIL_INLINE const struct jail_rule *jail_lookup(const void *rules, const struct jail_key *key);

/* Does the rule let this destination port (host byte order) of this IP protocol pass? */
JAIL_INLINE int jail_rule_admits(const struct jail_rule *rule, __u8 protocol, __u16 port)
{
	__u64 bits = jail_is_equal(protocol, IPPROTO_TCP) * JAIL_PORTS_TCP |
		     jail_is_equal(protocol, IPPROTO_UDP) * JAIL_PORTS_UDP;
	__u64 asked = port;
	/* The highest bit stays as long as each range ends before it, begins behind it, or is not
	 * for the protocol: without a branch, of which the verifier would follow both sides. */
	__u64 outside = ~0ULL;

	if (!bits)
		return 0;
	JAIL_ROLLED
	for (int i = 0; i < JAIL_MAX_PORTS; i++) {
		const struct jail_ports *ports = &rule->ports[i];

		outside &= (asked - ports->first) | (ports->last - asked) |
			   ((ports->protocols & bits) - 1);
	}
	return !(outside >> 63);
}

/* The verdict that means: let it pass. Any other verdict is the enum jail_reason of the rule that
 * denies. */
#define JAIL_VERDICT_PASS (-1)

JAIL_INLINE int jail_evaluate_rule(const struct jail_rule *rule, __u8 protocol, __u16 port)
{
	if (!rule || jail_rule_admits(rule, protocol, port))
		return JAIL_VERDICT_PASS;
	if (rule->reason < JAIL_REASON_COUNT)
		return rule->reason;
	return JAIL_REASON_MALFORMED_PACKET; /* not a value of ours, but it denies */
}

/* jail_evaluate_rule() of what jail_lookup() finds. The programs have it as a function of its own.
 */
JAIL_INLINE int jail_evaluate_key(const void *rules, const struct jail_key *key, __u8 protocol,
				  __u16 port);

#ifndef __bpf__
JAIL_INLINE int jail_evaluate_key(const void *rules, const struct jail_key *key, __u8 protocol,
				  __u16 port)
{
	return jail_evaluate_rule(jail_lookup(rules, key), protocol, port);
}
#endif

/*
 * Is this address, as it stands, one that the container's own network namespace has or may get,
 * although it is denied? What goes to it stays inside exactly if the kernel sends it over the
 * loopback device, which only a packet on its way out shows. Gives an enum
 * jail_container_local_kind.
 */
JAIL_INLINE int jail_container_local(const void *rules, const struct jail_key *key)
{
	const struct jail_rule *rule = jail_lookup(rules, key);

	if (!rule)
		return JAIL_CONTAINER_LOCAL_NOT;
	return rule->container_local;
}

/* A protocol that no exception names: checked with it, a destination passes exactly when no rule
 * denies its address. */
#define JAIL_PROTO_ANY 0

/* One form of an address that jail_is_translated(). */
JAIL_INLINE int jail_check_form(const void *rules, const struct jail_key *key, int form,
				__u8 protocol, __u16 port)
{
	struct jail_key inside;
	__u32 v4 = jail_translated_v4(key, form);

	if (!v4)
		return JAIL_VERDICT_PASS;
	jail_key_v4(&inside, v4);
	return jail_evaluate_key(rules, &inside, protocol, port);
}

/* No loop over forms, which clang lays out so that Linux 6.1 takes it for one without an end. */
JAIL_INLINE int jail_check_forms(const void *rules, const struct jail_key *key, __u8 protocol,
				 __u16 port)
{
	int verdict = jail_check_form(rules, key, 0, protocol, port);

	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_check_form(rules, key, 1, protocol, port);
	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_check_form(rules, key, 2, protocol, port);
	if (verdict == JAIL_VERDICT_PASS)
		verdict = jail_check_form(rules, key, 3, protocol, port);
	return verdict;
}

/*
 * Checks a destination of either family, in each form in which it would be travelled to. `port` is
 * in host byte order; 0 if the protocol has none. Gives JAIL_VERDICT_PASS or an enum
 * jail_reason.
 */
JAIL_INLINE int jail_evaluate(const void *rules, const struct jail_key *key, __u8 protocol,
			      __u16 port)
{
	struct jail_key inside;
	__u32 v4;
	int verdict = jail_evaluate_key(rules, key, protocol, port);

	if (verdict != JAIL_VERDICT_PASS)
		return verdict;
	if (jail_embedded_v4(key, &v4)) {
		jail_key_v4(&inside, v4);
		return jail_evaluate_key(rules, &inside, protocol, port);
	}
	return jail_is_translated(key) ? jail_check_forms(rules, key, protocol, port)
				       : JAIL_VERDICT_PASS;
}

#endif
