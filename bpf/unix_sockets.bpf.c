/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * Stands in for the guard's Unix part if BPF LSM is not active: a container that shares the
 * engine's network namespace reaches no abstract Unix socket at all. Hooks of connect(2) and
 * sendto(2) know the name but not the socket behind it, so that those of the container itself are
 * closed, too. Linux 6.7.
 *
 * They run by the cgroup of the socket that connects or sends. The name is the kernel's copy, not
 * the caller's memory. What libbpf 1.1 knows neither as section nor as attach type, the loader
 * sets.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/un.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "kernel_types.h"
#include "record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Set before loading: count what would be denied, and let it pass. */
const volatile __u8 audit = 0;

/* Set before loading: the kernel's numbers of these structures, by its BTF. */
const volatile __u32 sockaddr_un = 0;
const volatile __u32 bpf_sock_addr_kern = 0;

/* The kernel's bpf_cast_to_kern_ctx and bpf_rdonly_cast: the loader puts them in the place of these
 * numbers. Left to itself libbpf would read all of the kernel's BTF to find them. */
static void *(*const cast_to_kern_ctx)(void *ctx) = (void *)JAIL_CALL_CAST_TO_KERN_CTX;
static void *(*const rdonly_cast)(const void *pointer,
				  __u32 btf_id) = (void *)JAIL_CALL_RDONLY_CAST;

#define PATH_OFFSET __builtin_offsetof(struct sockaddr_un, sun_path)

static __always_inline int evaluate(struct bpf_sock_addr *ctx)
{
	/* As memory to read from: for a pointer that it trusts the verifier searches all of the
	 * kernel's BTF with each member. */
	struct bpf_sock_addr_kern *call = rdonly_cast(cast_to_kern_ctx(ctx), bpf_sock_addr_kern);
	struct sockaddr_un___kernel *name;
	struct jail_denial what = {.reason = JAIL_REASON_ABSTRACT_UNIX};

	if (call->uaddrlen <=
	    (int)PATH_OFFSET) /* it names no peer: the kernel rejects it or disconnects */
		return 1;
	name = rdonly_cast(call->uaddr, sockaddr_un);
	if (name->sun_path[0])
		return 1;
	if (!jail_is_probe(JAIL_LINE_UNIX, bpf_get_socket_cookie(ctx)))
		jail_record(&what, 1);
	if (audit)
		return 1;
	bpf_set_retval(-ECONNREFUSED); /* as in guard.bpf.c */
	return 0;
}

SEC("unix/connect")
int jail_abs_conn(struct bpf_sock_addr *ctx)
{
	return evaluate(ctx);
}

SEC("unix/sendmsg")
int jail_abs_send(struct bpf_sock_addr *ctx)
{
	return evaluate(ctx);
}
