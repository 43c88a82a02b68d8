/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who opened an attempt on this host: what the BPF side writes (bpf/owner.h) and the daemon reads
 * (user/owner_maps.c). */
#ifndef RECONMON_OWNER_H
#define RECONMON_OWNER_H

#include "attempt.h"

enum owner_source {
	OWNER_NONE = 0,	 /* a socket of this host, nobody knows whose; uid and cgroup are its own */
	OWNER_COOKIE,	 /* the process that made the socket, or connected it */
	OWNER_GUESS,	 /* who was running as the packet left, with the socket's user and cgroup */
	OWNER_FORWARDED, /* no socket of this host's: it came in through `ifindex` */
};

enum {
	OWNER_COMM_LEN = 16,  /* TASK_COMM_LEN */
	OWNER_ARGS_LEN = 256, /* of a command line; what is longer is cut, unless /proc has it */
	OWNER_NAME_LEN = 160, /* of one part of a cgroup's path: "POD.slice:cri-containerd:ID" */
	OWNER_DEPTH = 12,     /* parts of a cgroup's path that are kept, from the inner end */
	OWNER_SLOTS = 32768,  /* 2 MB */
};

struct socket_owner {
	__u64 start_ns;	 /* of the process, CLOCK_BOOTTIME; with it a pid is never another's */
	__u64 cgroup_id; /* in the hierarchy of v2 */
	__u32 pid;	 /* in the host's namespace, 0: unknown; */
	__u32 uid;	 /* likewise; without a process the socket's */
	__u32 ifindex;	 /* OWNER_FORWARDED: where it came in; 0: it did not, the kernel made it */
	__u8 source;	 /* enum owner_source */
	__u8 pad[3];
	char comm[OWNER_COMM_LEN];
};
_Static_assert(sizeof(struct socket_owner) == 48, "no hidden padding");

/* The owner of the attempts at one contact, as of the last that opened: an element of the array
 * `owners`, in which a contact has one place, owner_hash(). Whoever comes later takes the place: a
 * scan has many contacts, and its alert needs few of them. The tag changes with each writing; an
 * odd one is being written. */
struct owner_slot {
	__u64 tag; /* hash above OWNER_TAG_BITS, below it a count */
	__u64 pad;
	struct socket_owner owner;
};
_Static_assert(sizeof(struct owner_slot) == 64, "one cache line");

#define OWNER_TAG_BITS 16

/* Of the map `processes`: what a process is called, taken while it is certain to be there. */
struct process_key {
	__u64 start_ns;
	__u32 pid;
	__u32 pad;
};

struct process_args {
	__u32 len;		   /* bytes of `args` that are in use */
	char args[OWNER_ARGS_LEN]; /* as in /proc/PID/cmdline: each ends with a NUL */
};

/* Of the map `cgroups`, key: the id of a cgroup. Its path is the names up to the root, whose id no
 * entry has. */
struct cgroup_node {
	__u64 parent; /* id */
	char name[OWNER_NAME_LEN];
};

/* Where the running kernel keeps what is read of a process: byte offsets, from its BTF. So neither
 * the build nor a kernel without BTF is bound to them; without, there are no owners. */
struct kernel_layout {
	__u32 task_tgid, task_group_leader, task_start_boottime, task_comm, task_cred, task_mm,
		task_cgroups;
	__u32 cred_uid;
	__u32 mm_arg_start, mm_arg_end;
	__u32 css_set_dfl_cgrp, cgroup_kn;
	__u32 kernfs_id, kernfs_name, kernfs_parent;
};

/* owner_hash - of a contact; seed as nursery_hash()'s, so that nobody chooses whose place he
 * takes. */
static __always_inline __u64 owner_hash(const struct contact_key *k, const volatile __u64 *seed)
{
	__u64 x = (k->orig.w[0] ^ seed[0]) * 0x9E3779B97F4A7C15ull;

	x = (x ^ x >> 29 ^ k->orig.w[1]) * (seed[1] | 1);
	x = (x ^ x >> 32 ^ k->resp.w[0]) * 0xBF58476D1CE4E5B9ull;
	x = (x ^ x >> 29 ^ k->resp.w[1]) * (seed[2] | 1);
	x = (x ^ x >> 32 ^ (__u64)k->resp_port << 8 ^ k->proto) * 0x94D049BB133111EBull;
	x = (x ^ x >> 31) * (seed[3] | 1);
	return x ^ x >> 32;
}

/* owner_tag - that of a slot which held `was` and is written for `hash` now. Even. */
static __always_inline __u64 owner_tag(__u64 hash, __u64 was)
{
	return hash >> OWNER_TAG_BITS << OWNER_TAG_BITS | (__u16)((was | 1) + 1);
}

#endif
