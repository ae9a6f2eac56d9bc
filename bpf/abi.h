/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) OR Apache-2.0 */
/*
 * What userspace and the BPF programs agree on: the keys and values of the maps, their limits, and
 * the reasons for which a destination is denied. Compiled as C by clang for BPF and as C++ by the
 * hook and the tests, hence only fixed-width UAPI types.
 */
#ifndef JAIL_AI_ABI_H
#define JAIL_AI_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define JAIL_ASSERT static_assert
#else
#define JAIL_ASSERT _Static_assert
#endif

/*
 * How many prefixes one jail holds. The trie allocates a node an entry, so that a large limit costs
 * nothing, and has room for the rules of before and after together while they are exchanged.
 */
#define JAIL_MAX_RULES 4096
#define JAIL_RULES_ROOM (2 * JAIL_MAX_RULES)

/* How many port ranges one prefix lets through. */
#define JAIL_MAX_PORTS 8

/* Why a destination is denied. The numbers index jail_denials; jail_ai::reason_name() gives their
 * names. */
enum jail_reason {
	JAIL_REASON_LOCAL, /* an address of the host: type local or anycast in its routing tables,
			      or on one of its interfaces */
	JAIL_REASON_BROADCAST, /* a broadcast address: the limited one, or of one of the host's
				  networks */
	JAIL_REASON_ALIAS, /* an address by which a container engine or virtual machine exposes its
			      host */
	JAIL_REASON_HOSTS_FILE,	      /* what the container's hosts file calls the host */
	JAIL_REASON_LOOPBACK,	      /* 127.0.0.0/8 and ::1: the host's if the container shares its
					 network namespace, and if they leave by a device */
	JAIL_REASON_UNSPECIFIED,      /* 0.0.0.0/8 and ::, which mean loopback */
	JAIL_REASON_MULTICAST,	      /* every group: the host hears what is sent on its links */
	JAIL_REASON_LINK_LOCAL,	      /* fe80::/10: a neighbour on the link, and the host is one */
	JAIL_REASON_METADATA,	      /* a cloud's instance metadata service */
	JAIL_REASON_POLICY,	      /* what the container's policy denies beyond the host */
	JAIL_REASON_MALFORMED_PACKET, /* bound for a denied address in a form that cannot be parsed
				       */
	/* the guard's, for what goes nowhere by a network hook */
	JAIL_REASON_FAMILY, /* a socket of a family or protocol that the network hooks can't check
			     */
	JAIL_REASON_INHERITED_SOCKET, /* a socket made outside, handed in */
	JAIL_REASON_INHERITED_FILE,   /* another descriptor that leads out of the jail, handed in */
	JAIL_REASON_ABSTRACT_UNIX,    /* an abstract Unix socket of a process outside */
	JAIL_REASON_BPF,	      /* bpf(2) */
	JAIL_REASON_COUNT
};

/* What a denial of JAIL_REASON_INHERITED_FILE was of. */
enum jail_file {
	JAIL_FILE_DEVICE = 1, /* a device that carries packets: tun, tap, vhost, ppp */
	JAIL_FILE_CGROUP,     /* a file or directory of a cgroup file system */
	JAIL_FILE_RING,	      /* a ring of io_uring */
	JAIL_FILE_PATH, /* a directory, a Unix socket's path or a file of procfs, of another mount
			   namespace */
	JAIL_FILE_PROCESS, /* a process descriptor of a process outside */
};

/*
 * Key of jail_rules, an LPM trie (BPF_MAP_TYPE_LPM_TRIE wants the length in bits first, then the
 * bytes in network order). Both families live in one trie: IPv4 a.b.c.d/n is kept as
 * ::ffff:a.b.c.d/(96+n), so that the mapped form of RFC 4291 2.5.5.2 needs no case of its own.
 */
struct jail_key {
	__u32 prefix_bits; /* 0 to 128 */
	union {		   /* network order; bits behind prefix_bits are zero */
		__u8 addr[16];
		__u32 words[4];
	};
};
JAIL_ASSERT(sizeof(struct jail_key) == 20, "the trie compares the bytes that follow the length");

#define JAIL_V4_BITS 96 /* what an IPv4 prefix length grows by as a key */

#define JAIL_PORTS_TCP 0x1
#define JAIL_PORTS_UDP 0x2

/* Ports that a denied prefix allows, both ends included, host byte order; protocols 0 is an
 * unused slot. */
struct jail_ports {
	__u16 first;
	__u16 last;
	__u8 protocols; /* JAIL_PORTS_* */
	__u8 pad;
};

/* Whether a denied address is container-local: reachable as long as what is sent to it
 * stays inside of its network namespace. */
enum jail_container_local_kind {
	JAIL_CONTAINER_LOCAL_NOT,
	JAIL_CONTAINER_LOCAL_ADDRESS,  /* the container's network namespace has the address, or may
			      get it: the  kernel knows */
	JAIL_CONTAINER_LOCAL_LOOPBACK, /* every network namespace has it, and a packet for it that
			      leaves by a device was meant for another host */
};

/* Value of jail_rules: that its prefix is denied, but for these ports. */
struct jail_rule {
	__u8 reason;	      /* enum jail_reason */
	__u8 container_local; /* enum jail_container_local_kind */
	__u8 pad[2];
	struct jail_ports ports[JAIL_MAX_PORTS];
};
JAIL_ASSERT(sizeof(struct jail_ports) == 6, "no hidden padding: the value is copied as bytes");
JAIL_ASSERT(sizeof(struct jail_rule) == 4 + 6 * JAIL_MAX_PORTS,
	    "no hidden padding: the value is copied as bytes");

/*
 * What a UDP socket remembers of its peers on the host: a hash table in the socket's storage, so
 * that no socket takes another's place in it. In a full set the newcomer takes the place of another
 * port of its own address before it takes another's.
 */
#define JAIL_PEER_SETS 6
#define JAIL_PEER_WAYS 29

/*
 * This peer has sent a datagram to the socket, which may answer it until a time is over, from where
 * it was sent to: connection tracking translates an answer back by both ends, and one from
 * elsewhere would be for the host itself. All zero if there is none.
 */
struct jail_peer {
	__u32 addr[4];	/* network order, IPv4 in mapped form */
	__u32 local[4]; /* likewise: where it was sent to */
	__u16 port;	/* host byte order */
	__u16 local_port;
	__u32 heard; /* when it last did: CLOCK_MONOTONIC in units of 2^JAIL_PEER_TICK ns */
	__u32 tag;   /* a hash of all but the time */
};
JAIL_ASSERT(sizeof(struct jail_peer) == 44, "no hidden padding");

#define JAIL_PEER_TICK 27 /* 0.13 s, so that 32 bits last for 18 years */

/* Value of jail_peers. */
struct jail_peer_table {
	__u32 seed; /* of the hash, so that no peer can choose whose place to take */
	struct jail_peer sets[JAIL_PEER_SETS][JAIL_PEER_WAYS];
};
/* Linux 7.3 gives a socket no storage that is larger than a slab's object, and doesn't say so when
 * the map is made. */
JAIL_ASSERT(sizeof(struct jail_peer_table) <= 8192 - 256,
	    "with room for what the kernel keeps beside it");

/*
 * For how long an answer passes after the peer has last spoken, at most: a bit less than the 30 s
 * after which conntrack forgets (nf_conntrack_udp_timeout of
 * Documentation/networking/nf_conntrack-sysctl.rst). What it forgets it no longer translates, and
 * then an answer to a container that the host has masqueraded would go to the host itself.
 */
#define JAIL_ANSWER_SECONDS 28

/* How many different denials one jail remembers; the least recently repeated one is forgotten
 * first. */
#define JAIL_MAX_RECENT 128

/* Key of jail_recent: what was denied. */
struct jail_denial {
	__u32 addr[4]; /* the destination, network order, IPv4 in mapped form; zero if there is
			  none */
	__u16 port;    /* host byte order; 0 if there is none. Of JAIL_REASON_FAMILY the family, of
			  _FOREIGN_FILE enum jail_file, of _BPF the command */
	__u8 protocol; /* IPPROTO_*, or 0 */
	__u8 reason;   /* enum jail_reason */
};
JAIL_ASSERT(sizeof(struct jail_denial) == 20, "no hidden padding: the key is hashed as bytes");

#define JAIL_COMM_SIZE 16 /* TASK_COMM_LEN */

/* Value of jail_recent: how often, and the last time. */
struct jail_denial_seen {
	__u64 count;
	__u64 last; /* ns of CLOCK_BOOTTIME */
	__u32 pid;  /* in the initial PID namespace; 0 if unknown */
	__u8 comm[JAIL_COMM_SIZE];
	__u32 pad;
};
JAIL_ASSERT(sizeof(struct jail_denial_seen) == 40, "no hidden padding");

/* The lines of defence, as far as each denies something by itself. */
enum jail_line {
	JAIL_LINE_CONNECT4,
	JAIL_LINE_CONNECT6,
	JAIL_LINE_SENDMSG4,
	JAIL_LINE_SENDMSG6,
	JAIL_LINE_EGRESS4,
	JAIL_LINE_EGRESS6,
	JAIL_LINE_FAMILY, /* the guard's */
	JAIL_LINE_UNIX,	  /* of what stands in for it */
	JAIL_LINE_COUNT
};

/*
 * The one value of jail_probe, which is there for the moment of a probe: by which that
 * (hook/jail/acting.h) is known at each line, and how often it was denied there. A cookie of zero
 * matches no socket.
 */
struct jail_probe {
	struct {
		__u64 who; /* the cookie of a socket; of JAIL_LINE_FAMILY the protocol that is asked
			      for */
		__u64 denied;
	} lines[JAIL_LINE_COUNT];
};

/*
 * What the one value of jail_about begins with, which no program reads: what a jail is, for those
 * who list jails. Behind it, as text, stands what its policy is compiled from
 * (hook/policy/inputs.h).
 */
#define JAIL_ID_SIZE 80
struct jail_about {
	__u32 version; /* JAIL_ABOUT_VERSION */
	__u32 risks;   /* bits by enum Risk of hook/container/risk.h: found, and accepted or
				only reported */
	__u64 since;   /* ns of CLOCK_REALTIME */
	__u8 mode;     /* enum Mode of the same */
	__u8 guard;    /* enum Guard of hook/policy/facts.h */
	__u8 shares_network;
	__u8 pad;
	__u32 engine_network; /* inode of the network namespace whose addresses are the host's */
	__u32 inputs_size;    /* bytes of the text */
	__u32 name_size;      /* of the container's name, behind the text: what its engine calls it;
				 0 if unknown */
	__u64 cgroup;	      /* its id, which is its directory's inode */
	char container[JAIL_ID_SIZE]; /* the runtime's id, NUL-terminated, cut off if it is
					 longer */
};
JAIL_ASSERT(sizeof(struct jail_about) == 40 + JAIL_ID_SIZE, "no hidden padding");
#define JAIL_ABOUT_VERSION 5

/* What programs call where a function of the kernel's is meant (kfunc): no number of a helper. */
#define JAIL_CALL_CAST_TO_KERN_CTX 0x4a410001
#define JAIL_CALL_RDONLY_CAST 0x4a410002

#endif
