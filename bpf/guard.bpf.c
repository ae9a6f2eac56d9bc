/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The guard of a jail: LSM programs on the container's cgroup that close what no network hook sees. They want BPF LSM to be active and
 * Linux 6.0; where it isn't, the jail does without all of them.
 *
 * Theory of operation.
 *
 *  - socket_create, bpf and file_receive run for the process that calls, by its cgroup: for whatever is in the container's cgroup or below
 *    it. io_uring, 32-bit system calls and pidfd_getfd(2) end in the same hooks.
 *  - unix_stream_connect and unix_may_send run by the cgroup of the socket that connects or sends, which is that of its maker.
 *  - A socket is the container's own when the cgroup it was made in is the container's or below it. A socket keeps that cgroup for good, and
 *    an accepted one has its listener's.
 *
 * What the guard can't see: descriptors that the container's first process inherits (the hook looks for those), and an unbound Unix socket
 * that somebody outside hands in.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi.h"
#include "kernel_types.h"
#include "record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Set before loading. */
const volatile __u64 container_cgroup = 0; /* its id, as name_to_handle_at(2) gives it */
const volatile __u32 engine_network = 0;   /* inode of the engine's network namespace */
const volatile __u8 audit = 0;             /* count what would be denied, and let it pass */

/* What is deeper than this below the container's cgroup counts as outside, which denies. */
#define MAX_DEPTH 64

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_ALG 38

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5

#define PROTO_ICMPV6 58
#define PROTO_MPTCP 262

#define ALLOW 1

/* `detail` and `protocol` are as struct jail_refusal has them for the reason. */
static __always_inline int deny(__u8 reason, int detail, int protocol)
{
	struct jail_refusal what = {.port = (__u16)detail, .protocol = (__u8)protocol, .reason = reason};

	jail_record(&what, 1);
	return audit ? ALLOW : 0; /* 0 is EPERM */
}

/* Families by which nothing outside this kernel's own tables is reached. */
static __always_inline int is_local_family(int family)
{
	return family == AF_UNIX || family == AF_NETLINK || family == AF_ALG;
}

/* What the network hooks judge, by connect, by datagram or by packet. Raw sockets are judged by packet, whatever they carry. */
static __always_inline int is_judged(int type, int protocol)
{
	switch (type) {
	case SOCK_STREAM:
		return protocol == IPPROTO_IP || protocol == IPPROTO_TCP || protocol == PROTO_MPTCP || protocol == IPPROTO_SCTP;
	case SOCK_DGRAM:
		return protocol == IPPROTO_IP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ICMP ||
		       protocol == PROTO_ICMPV6;
	case SOCK_SEQPACKET:
		return protocol == IPPROTO_IP || protocol == IPPROTO_SCTP;
	case SOCK_RAW:
		return 1;
	default:
		return 0;
	}
}

/* Was the socket made in the container's cgroup or below it? */
static __always_inline int is_own(struct sock *sk)
{
	struct cgroup *cgroup = sk->sk_cgrp_data.cgroup;

	for (int i = 0; i < MAX_DEPTH; i++) {
		struct cgroup_subsys_state *parent;

		if (!cgroup)
			return 0;
		if (cgroup->kn->id == container_cgroup)
			return 1;
		parent = cgroup->self.parent;
		if (!parent)
			return 0;
		cgroup = parent->cgroup;
	}
	return 0;
}

/* Is it somebody else's abstract socket (unix(7)), in the network namespace where the host's are? */
static __always_inline int is_foreign_abstract(struct sock *sk)
{
	struct unix_sock *unix_sk = bpf_skc_to_unix_sock(sk);
	struct unix_address *address;

	if (!unix_sk)
		return 0;
	address = unix_sk->addr;
	if (!address || address->name[0].sun_path[0])
		return 0;
	return sk->__sk_common.skc_net.net->ns.inum == engine_network && !is_own(sk);
}

SEC("lsm_cgroup/socket_create")
int BPF_PROG(jail_socket, int family, int type, int protocol, int kern)
{
	if (kern || is_local_family(family))
		return ALLOW;
	if ((family == AF_INET || family == AF_INET6) && is_judged(type, protocol))
		return ALLOW;
	return deny(JAIL_REASON_FAMILY, family, protocol);
}

SEC("lsm_cgroup/file_receive")
int BPF_PROG(jail_receive, struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;

	if (!socket)
		return ALLOW;
	sk = socket->sk;
	if (!sk || is_local_family(sk->__sk_common.skc_family) || is_own(sk))
		return ALLOW;
	return deny(JAIL_REASON_FOREIGN_SOCKET, 0, 0);
}

SEC("lsm_cgroup/unix_stream_connect")
int BPF_PROG(jail_unix_conn, struct sock *sock, struct sock *other)
{
	return is_foreign_abstract(other) ? deny(JAIL_REASON_ABSTRACT_UNIX, 0, 0) : ALLOW;
}

SEC("lsm_cgroup/unix_may_send")
int BPF_PROG(jail_unix_send, struct socket *socket, struct socket *other)
{
	struct sock *sk = other->sk;

	return sk && is_foreign_abstract(sk) ? deny(JAIL_REASON_ABSTRACT_UNIX, 0, 0) : ALLOW;
}

SEC("lsm_cgroup/bpf")
int BPF_PROG(jail_bpf, int cmd)
{
	return deny(JAIL_REASON_BPF, cmd, 0);
}
