/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The guard of a jail: LSM programs on the container's cgroup that close what no network hook sees.
 * They want BPF LSM to be active and Linux 6.0; if it isn't, the jail does without all of them.
 *
 * Theory of operation.
 *
 *  - Every program runs for the process that calls, by its cgroup: for whatever is in the
 *    container's cgroup or below it, also if that calls on a Unix socket from outside. Not for a
 *    process outside that has got hold of a Unix socket of the container's. io_uring, 32-bit system
 *    calls and pidfd_getfd(2) end in the same hooks.
 *  - A socket is the container's own when the cgroup it was made in is the container's or below it.
 *    A socket keeps that cgroup for good, and an accepted one has its listener's.
 *  - A file is checked by what it is, for no file says who has opened it: see leads_out(). What is
 *    kept out can't be passed between the container's own processes either, but for what is said
 *    there.
 *
 * What the guard can't see: descriptors that the container's first process inherits (the hook looks
 * for those); what a process outside that helps puts into a ring of io_uring that is the
 * container's (IORING_OP_MSG_RING), for no hook is called; and what such a process does itself and
 * passes on, by a pipe or a Unix socket.
 */
#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/in.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "abi.h"
#include "kernel_types.h"
#include "record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* Set before loading. */
const volatile __u64 container_cgroup = 0; /* its id, as name_to_handle_at(2) gives it */
const volatile __u32 engine_network = 0;   /* inode of the engine's network namespace */
const volatile __u8 audit = 0;		   /* count what would be denied, and let it pass */
const volatile __u8 reads_kernel =
    0; /* the kernel is not locked down against bpf_probe_read_kernel() */

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

/* `detail` and `protocol` are as struct jail_denial has them for the reason. */
static __always_inline int deny(__u8 reason, int detail, int protocol)
{
	struct jail_denial what = {
	    .port = (__u16)detail, .protocol = (__u8)protocol, .reason = reason};

	jail_record(&what, 1);
	return audit ? ALLOW : 0; /* 0 is EPERM */
}

/*
 * With the error of a name that is not in use: clients that try an abstract name and then a path
 * (libxcb) go on to the path after that, and give up after EPERM.
 */
static __always_inline int deny_name(void)
{
	if (!audit)
		bpf_set_retval(-ECONNREFUSED);
	return deny(JAIL_REASON_ABSTRACT_UNIX, 0, 0);
}

/* Families by which nothing outside this kernel's own tables is reached. */
static __always_inline int is_local_family(int family)
{
	return family == AF_UNIX || family == AF_NETLINK || family == AF_ALG;
}

/* What the network hooks check, by connect, by datagram or by packet. Raw sockets are checked by
 * packet, whatever they carry. */
static __always_inline int is_checked(int type, int protocol)
{
	switch (type) {
	case SOCK_STREAM:
		return protocol == IPPROTO_IP || protocol == IPPROTO_TCP ||
		       protocol == PROTO_MPTCP || protocol == IPPROTO_SCTP;
	case SOCK_DGRAM:
		return protocol == IPPROTO_IP || protocol == IPPROTO_UDP ||
		       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_ICMP ||
		       protocol == PROTO_ICMPV6;
	case SOCK_SEQPACKET:
		return protocol == IPPROTO_IP || protocol == IPPROTO_SCTP;
	case SOCK_RAW:
		return 1;
	default:
		return 0;
	}
}

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFDIR 0040000
#define S_IFCHR 0020000

#define CGROUP_MAGIC 0x27e0eb
#define CGROUP2_MAGIC 0x63677270
#define PROC_MAGIC 0x9fa0
#define ANON_INODE_MAGIC 0x09041934
#define PIDFS_MAGIC                                                                                \
	0x50494446 /* of process descriptors since Linux 6.9; before, they are anonymous inodes */

#define DEVICE(major, minor) ((major) << 20 | (minor))

/* Is it a device that carries packets to where its opener bound it? */
static __always_inline int is_network_device(struct file *file)
{
	const char tap[4] = "tap"; /* of macvtap and ipvtap, whose number is nowhere fixed */
	struct module *owner;

	switch (file->f_inode->i_rdev) {
	case DEVICE(10, 200): /* tun */
	case DEVICE(10, 238): /* vhost-net */
	case DEVICE(10, 241): /* vhost-vsock */
	case DEVICE(108, 0):  /* ppp */
		return 1;
	}
	owner = file->f_op->owner;
	if (!owner)
		return 0;
	for (int i = 0; i < (int)sizeof(tap); i++)
		if (owner->name[i] != tap[i])
			return 0;
	return 1;
}

/* Is the file reached by a mount of another mount namespace than the receiver's, or of none? */
static __always_inline int is_elsewhere(struct file *file)
{
	struct task_struct *receiver = (struct task_struct *)bpf_get_current_task();
	void *visible = 0;
	struct mount *mount;
	__u32 theirs;

	if (!reads_kernel)
		return 1;
	bpf_core_read(&visible, sizeof(visible), &file->f_path.mnt);
	mount = visible - bpf_core_field_offset(struct mount, mnt); /* the kernel's container_of */
	theirs = BPF_CORE_READ(mount, mnt_ns, ns.inum);
	return theirs == 0 || theirs != BPF_CORE_READ(receiver, nsproxy, mnt_ns, ns.inum);
}

static __always_inline struct pid_namespace *pid_namespace_at(const struct pid *pid, __u32 level)
{
	const struct upid *number = (const void *)pid + bpf_core_field_offset(struct pid, numbers) +
				    level * sizeof(*number);

	return BPF_CORE_READ(number, ns);
}

/* Is it a process that the receiver's PID namespace doesn't show? */
static __always_inline int is_unseen(const struct pid *pid)
{
	struct task_struct *receiver = (struct task_struct *)bpf_get_current_task();
	const struct pid *receiver_pid;
	__u32 level;

	if (!reads_kernel)
		return 1;
	receiver_pid = BPF_CORE_READ(receiver, thread_pid);
	level = BPF_CORE_READ(receiver_pid, level);
	return BPF_CORE_READ(pid, level) < level ||
	       pid_namespace_at(pid, level) != pid_namespace_at(receiver_pid, level);
}

/* By the name that /proc/PID/fd shows of an anonymous inode, from its second character on: the
 * first is a bracket, and libbpf takes it for all. */
#define HAS_NAME(dentry, name, member)                                                             \
	({                                                                                         \
		const char wanted[] = name;                                                        \
		int equal = 1;                                                                     \
		for (int i = 1; i < (int)sizeof(wanted); i++)                                      \
			equal &= (dentry)->member[i] == (unsigned char)wanted[i];                  \
		equal;                                                                             \
	})
#define IS_CALLED(dentry, name)                                                                    \
	(bpf_core_field_exists((dentry)->d_iname) ? HAS_NAME(dentry, name, d_iname)                \
						  : HAS_NAME(dentry, name, d_shortname.string))

/*
 * Which way out of the jail a file that is not a socket is, 0 for none. The same as what
 * createRuntime rejects among the descriptors that a container starts with
 * (hook/facts/container_facts.cpp), and more, for there the kernel's own look like the engine's:
 *
 *  - network devices, files of the cgroup file systems, and rings of io_uring, which act in the
 *    name of who has made them: always;
 *  - directories, Unix sockets as files (O_PATH) and files of procfs, which lead to all that is
 *    below them, to anyone who listens, and into other processes: those of another mount namespace
 *    than the receiver's;
 *  - process descriptors: those of processes that the receiver's PID namespace doesn't show.
 */
static __always_inline int leads_out(struct file *file)
{
	struct inode *inode = file->f_inode;
	unsigned long file_system = inode->i_sb->s_magic;
	unsigned int type = inode->i_mode & S_IFMT;

	if (file_system == CGROUP_MAGIC || file_system == CGROUP2_MAGIC)
		return JAIL_FILE_CGROUP;
	if (file_system == PIDFS_MAGIC)
		return is_unseen(inode->i_private) ? JAIL_FILE_PROCESS : 0;
	if (file_system == ANON_INODE_MAGIC) {
		struct dentry *name = file->f_path.dentry;

		if (IS_CALLED(name, "[io_uring]"))
			return JAIL_FILE_RING;
		return IS_CALLED(name, "[pidfd]") && is_unseen(file->private_data)
			   ? JAIL_FILE_PROCESS
			   : 0;
	}
	if (type == S_IFCHR)
		return is_network_device(file) ? JAIL_FILE_DEVICE : 0;
	if (type != S_IFDIR && type != S_IFSOCK && file_system != PROC_MAGIC)
		return 0;
	return is_elsewhere(file) ? JAIL_FILE_PATH : 0;
}

/* Was the socket made in the container's cgroup or below it? */
static __always_inline int made_in_this_cgroup(struct sock *sk)
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

/* Is it an abstract socket (unix(7)) from outside this cgroup, in the network namespace of the
 * host's? */
static __always_inline int is_foreign_abstract(struct sock *sk)
{
	struct unix_sock *unix_sk = bpf_skc_to_unix_sock(sk);
	struct unix_address *address;

	if (!unix_sk)
		return 0;
	address = unix_sk->addr;
	if (!address || address->name[0].sun_path[0])
		return 0;
	return sk->__sk_common.skc_net.net->ns.inum == engine_network && !made_in_this_cgroup(sk);
}

SEC("lsm_cgroup/socket_create")
int BPF_PROG(jail_socket, int family, int type, int protocol, int kern)
{
	if (kern || is_local_family(family))
		return ALLOW;
	if ((family == AF_INET || family == AF_INET6) && is_checked(type, protocol))
		return ALLOW;
	if (jail_is_probe(JAIL_LINE_FAMILY, (__u32)protocol))
		return audit ? ALLOW : 0;
	return deny(JAIL_REASON_FAMILY, family, protocol);
}

SEC("lsm_cgroup/file_receive")
int BPF_PROG(jail_receive, struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;

	if (!socket) {
		int way = leads_out(file);

		return way ? deny(JAIL_REASON_INHERITED_FILE, way, 0) : ALLOW;
	}
	sk = socket->sk;
	/* Unix sockets are what connections with the outside are made of. A netlink socket is one
	 * into the network namespace it was made in. */
	if (!sk || sk->__sk_common.skc_family == AF_UNIX || made_in_this_cgroup(sk))
		return ALLOW;
	return deny(JAIL_REASON_INHERITED_SOCKET, 0, 0);
}

SEC("lsm_cgroup/unix_stream_connect")
int BPF_PROG(jail_unix_conn, struct sock *sock, struct sock *other)
{
	return is_foreign_abstract(other) ? deny_name() : ALLOW;
}

SEC("lsm_cgroup/unix_may_send")
int BPF_PROG(jail_unix_send, struct socket *socket, struct socket *other)
{
	struct sock *sk = other->sk;

	return sk && is_foreign_abstract(sk) ? deny_name() : ALLOW;
}

SEC("lsm_cgroup/bpf")
int BPF_PROG(jail_bpf, int cmd)
{
	return deny(JAIL_REASON_BPF, cmd, 0);
}
