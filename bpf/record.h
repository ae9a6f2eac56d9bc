/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * What becomes of a denial: it is remembered by destination and counted by reason. Who follows the
 * log looks there (hook/jail/fresh_denials.h). Every object of programs includes this; the loader
 * gives those of one jail the same maps.
 */
#ifndef JAIL_AI_RECORD_H
#define JAIL_AI_RECORD_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi.h"

/* By enum jail_reason. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JAIL_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} jail_denials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, JAIL_MAX_RECENT);
	__type(key, struct jail_denial);
	__type(value, struct jail_denial_seen);
} jail_recent SEC(".maps");

/* Its one entry, at 0, is there for as long as a process probes the jail: only one can put it
 * there (BPF_NOEXIST). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct jail_probe);
} jail_probe SEC(".maps");

/* Is it the probe that is denied? Then nothing else becomes of the denial, which is not the
 * container's. */
static __always_inline int jail_is_probe(enum jail_line line, __u64 who)
{
	__u32 first = 0;
	struct jail_probe *probe = bpf_map_lookup_elem(&jail_probe, &first);

	if (!probe || !who || probe->lines[line].who != who)
		return 0;
	__sync_fetch_and_add(&probe->lines[line].denied, 1);
	return 1;
}

static __always_inline void jail_count(__u32 reason)
{
	__u64 *count = bpf_map_lookup_elem(&jail_denials, &reason);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* If two come at the same time, one may be forgotten here, or its process named for the other's;
 * the counters are exact. */
static __always_inline void jail_remember(const struct jail_denial *what,
					  const struct jail_denial_seen *once)
{
	struct jail_denial_seen *seen = bpf_map_lookup_elem(&jail_recent, what);

	if (!seen) {
		bpf_map_update_elem(&jail_recent, what, once, BPF_ANY);
		return;
	}
	__sync_fetch_and_add(&seen->count, 1);
	seen->last = once->last;
	seen->pid = once->pid;
	__builtin_memcpy(seen->comm, once->comm, sizeof(seen->comm));
}

/* `by_task`: the process that runs is the one that is denied. A packet may leave while another
 * process runs.
 */
static __always_inline void jail_record(const struct jail_denial *what, int by_task)
{
	struct jail_denial_seen once = {.count = 1, .last = bpf_ktime_get_boot_ns()};

	if (by_task) {
		once.pid = bpf_get_current_pid_tgid() >> 32;
		bpf_get_current_comm(once.comm, sizeof(once.comm));
	}
	/* In this order: what the counters have and is not remembered has been forgotten. */
	jail_remember(what, &once);
	jail_count(what->reason);
}

#endif
