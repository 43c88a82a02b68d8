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
	OWNER_SETS = 4096,    /* 1.8 MB */
	OWNER_WAYS = 7,	      /* a set's; with `turn` their tags are a cache line */
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

/* The owners of the attempts at some contacts, as of the last that opened at each: an element of
 * the array `owners`, by owner_hash(). Full, it gives away the place of who came first. They are
 * read as their contact is drained, and once more when an alert opens that lists it. A thousand
 * other contacts in between take the place of one in a hundred million; where each contact had one
 * place alone, they took that of one in thirty-three. A tag changes with each writing; an odd one
 * is being written. */
struct owner_set {
	__u64 tag[OWNER_WAYS]; /* hash above OWNER_TAG_BITS, below it a count; 0: nobody */
	__u64 turn;	       /* owners that were new: the next takes the way of that number */
	struct socket_owner owner[OWNER_WAYS];
	__u64 pad[6];
};
_Static_assert(sizeof(struct owner_set) == 7 * 64, "whole cache lines");

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

/* owner_hash - of a contact: its set below, its tag above. Seed as nursery_hash()'s, so that nobody
 * chooses whose place he takes. */
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

/* owner_way - where the set has that contact, OWNER_WAYS if it has not. */
static __always_inline __u32 owner_way(const struct owner_set *set, __u64 hash)
{
	__u32 way = 0;

	while (way < OWNER_WAYS && (LOAD(&set->tag[way]) ^ hash) >> OWNER_TAG_BITS)
		way++;
	return way;
}

/* owner_put - writes down the owner of a contact. Two CPUs that do so for the same one at once may
 * take two ways for it, of which the first is read and renewed. Returns 0, or -1 while another CPU
 * writes the same way: then that one wins. */
static __always_inline int owner_put(struct owner_set *set, __u64 hash,
				     const struct socket_owner *owner)
{
	__u32 way = owner_way(set, hash);
	__u64 was;

	if (way == OWNER_WAYS)
		way = (__u32)(__sync_fetch_and_add(&set->turn, 1) % OWNER_WAYS);
	OPAQUE(way); /* the verifier must see the bound right before the accesses */
	if (way >= OWNER_WAYS)
		return -1; /* never */
	was = LOAD(&set->tag[way]);
	if (was & 1 || CAS(&set->tag[way], was, was | 1) != was)
		return -1;
	set->owner[way] = *owner;
	PUBLISH(&set->tag[way], hash >> OWNER_TAG_BITS << OWNER_TAG_BITS | (__u16)((was | 1) + 1));
	return 0;
}

/* owner_get - user space's look. Returns 1, or 0 if nobody knows, or it is being written. */
static __always_inline int owner_get(const struct owner_set *set, __u64 hash,
				     struct socket_owner *ret)
{
	__u32 way = owner_way(set, hash);
	struct socket_owner copy;
	__u64 tag;

	if (way == OWNER_WAYS)
		return 0;
	tag = LOAD(&set->tag[way]);
	copy = set->owner[way];
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (tag & 1 || (tag ^ hash) >> OWNER_TAG_BITS || LOAD(&set->tag[way]) != tag)
		return 0;
	*ret = copy;
	return 1;
}

#endif
