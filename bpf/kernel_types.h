/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * The few members of the kernel's own structures that the guard reads. The loader relocates every
 * access to where the running kernel keeps the member (CO-RE), and fails to load if it has
 * none of that name; so order and size here mean nothing.
 */
#ifndef JAIL_AI_KERNEL_TYPES_H
#define JAIL_AI_KERNEL_TYPES_H

#include <linux/types.h>
#include <linux/un.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct vfsmount {
	int mnt_flags;
};

struct mount {
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct {
	struct nsproxy *nsproxy;
	struct pid *thread_pid;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
};

struct socket {
	struct sock *sk;
};

struct unix_address {
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
};

struct sockaddr;

struct bpf_sock_addr_kern {
	struct sockaddr *uaddr;
	int uaddrlen;
};

struct sockaddr_un___kernel {
	char sun_path[108];
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned int i_rdev;
	struct super_block *i_sb;
	void *i_private;
};

union shortname_store {
	unsigned char string[16];
};

/* A short name lies in the first of these until Linux 6.13, in the second since. */
struct dentry {
	unsigned char d_iname[16];
	union shortname_store d_shortname;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct module {
	char name[56];
};

struct file_operations {
	struct module *owner;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	const struct file_operations *f_op;
	void *private_data;
};

#pragma clang attribute pop

#endif
