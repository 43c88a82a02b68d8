/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whose attempt is it? When a socket is made or connects, its process is running: that is when the
 * process is written down, by the socket's cookie. When a packet opens an attempt on its way out,
 * its socket still has the cookie, however late the packet is sent and by whom: a retransmission,
 * or a first packet that waited for ARP, leaves from an interrupt, while somebody else runs.
 *
 * All of this is reached by what opens an attempt, or makes a socket, and never by other packets.
 * Kernel structures are read through offsets that the daemon took from BTF (struct kernel_layout).
 * Needs CAP_PERFMON and BTF; without, owners_on stays 0 and the verifier removes it. */
#ifndef RECONMON_BPF_OWNER_H
#define RECONMON_BPF_OWNER_H

#include <reconmon/owner.h>

#include "maps.h"

const volatile __u8 owners_on = 0; /* load.c: 1 if everything below can be loaded */
const volatile struct kernel_layout layout = { 0 };

/* Sockets by cookie. LRU, because nothing tells of a socket's end; one that still opens attempts is
 * looked up, so it stays. 16,384 entries, 2.1 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct socket_owner);
} sockets SEC(".maps");

/* Command lines of processes that made sockets: 2,048 of the last, 0.8 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct process_key);
	__type(value, struct process_args);
} processes SEC(".maps");

/* Names of cgroups, so that a container is known when it is gone already: 1,024, 0.3 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct cgroup_node);
} cgroups SEC(".maps");

/* Written by owner_note(), read by user/owner_maps.c through its mapping. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, OWNER_SETS);
	__type(key, __u32);
	__type(value, struct owner_set);
} owners SEC(".maps");

/* A socket's, include/linux/socket.h and net.h. */
enum {
	FAMILY_PACKET = 17,
	TYPE_STREAM = 1,
};

/* What `current` is read from. */
struct process {
	void *leader; /* of its threads: the task that /proc/PID shows */
	void *mm;     /* NULL: a kernel thread */
	void *cgroup; /* struct kernfs_node */
};

static __always_inline void *read_pointer(const void *base, __u32 offset)
{
	void *p = NULL;

	bpf_probe_read_kernel(&p, sizeof(p), base + offset);
	return p;
}

static __always_inline __u64 cgroup_id_of(const void *kernfs)
{
	__u64 id = 0;

	bpf_probe_read_kernel(&id, sizeof(id), kernfs + layout.kernfs_id);
	return id;
}

/* process_read - the process that is running now. */
static __always_inline void process_read(struct process *p, struct socket_owner *o)
{
	void *task = (void *)bpf_get_current_task(), *css;

	p->leader = read_pointer(task, layout.task_group_leader);
	p->mm = read_pointer(task, layout.task_mm);
	css = read_pointer(task, layout.task_cgroups);
	p->cgroup = read_pointer(read_pointer(css, layout.css_set_dfl_cgrp), layout.cgroup_kn);

	bpf_probe_read_kernel(&o->pid, sizeof(o->pid), task + layout.task_tgid);
	bpf_probe_read_kernel(&o->uid, sizeof(o->uid),
			      read_pointer(task, layout.task_cred) + layout.cred_uid);
	bpf_probe_read_kernel(&o->start_ns, sizeof(o->start_ns),
			      p->leader + layout.task_start_boottime);
	bpf_probe_read_kernel(o->comm, sizeof(o->comm), p->leader + layout.task_comm);
	o->cgroup_id = cgroup_id_of(p->cgroup);
}

/* args_note - a process's command line, once. The process is running, so its memory is there; of a
 * page that is not at the moment nothing is read, and /proc has to say it. */
SLOW_PATH int args_note(const struct socket_owner *o, const void *mm)
{
	struct process_key key = { .start_ns = o->start_ns, .pid = o->pid };
	struct process_args args = { 0 };
	__u64 start, len;

	if (bpf_map_lookup_elem(&processes, &key))
		return 0;
	start = (__u64)read_pointer(mm, layout.mm_arg_start);
	len = (__u64)read_pointer(mm, layout.mm_arg_end) - start;
	if (len > OWNER_ARGS_LEN)
		len = OWNER_ARGS_LEN;
	OPAQUE(len);
	if (len && len <= OWNER_ARGS_LEN &&
	    !bpf_probe_read_user(args.args, (__u32)len, (void *)start))
		args.len = (__u32)len;
	bpf_map_update_elem(&processes, &key, &args, BPF_NOEXIST);
	return 0;
}

/* cgroups_note - the names of a process's cgroup and of all it is in, once. */
SLOW_PATH int cgroups_note(void *kernfs)
{
	for (int depth = 0; depth < OWNER_DEPTH; depth++) {
		void *parent = read_pointer(kernfs, layout.kernfs_parent);
		struct cgroup_node node = { 0 };
		__u64 id = cgroup_id_of(kernfs);

		if (!parent)
			break; /* the root has no name */
		if (!bpf_map_lookup_elem(&cgroups, &id)) {
			node.parent = cgroup_id_of(parent);
			bpf_probe_read_kernel_str(node.name, sizeof(node.name),
						  read_pointer(kernfs, layout.kernfs_name));
			bpf_map_update_elem(&cgroups, &id, &node, BPF_NOEXIST);
		}
		kernfs = parent;
	}
	return 0;
}

/* socket_note - `cookie` belongs to the process that is running now. */
static __always_inline void socket_note(__u64 cookie)
{
	struct socket_owner o = { .source = OWNER_COOKIE }, *known;
	struct process p;

	process_read(&p, &o);
	known = bpf_map_lookup_elem(&sockets, &cookie);
	if (known && known->pid == o.pid && known->start_ns == o.start_ns)
		return;
	bpf_map_update_elem(&sockets, &cookie, &o, BPF_ANY);
	args_note(&o, p.mm);
	cgroups_note(p.cgroup);
}

static __always_inline int is_packet_socket(const struct __sk_buff *skb)
{
	const struct bpf_sock *sk = skb->sk;

	return sk && sk->family == FAMILY_PACKET;
}

/* owner_guess - takes the running process for the owner of a socket without an entry, if it may be.
 * A packet socket, which no hook shows as it is made, sends at once, while its process runs. Others
 * are older than the daemon, or made by somebody who gave them away: then it has the socket's user
 * and cgroup. A kernel thread sends what others have queued; so does the timer that repeats a SYN,
 * and the first was seen with its owner. Returns 1 if it did. */
static __always_inline int owner_guess(const struct __sk_buff *skb, struct socket_owner *o,
				       __u32 uid, __u64 cgroup_id)
{
	int packet = is_packet_socket(skb);
	struct bpf_sock *sk = skb->sk;
	struct process p;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || (!packet && sk->type == TYPE_STREAM))
		return 0;
	process_read(&p, o);
	if (!p.mm || !o->pid || (!packet && (o->uid != uid || o->cgroup_id != cgroup_id))) {
		__builtin_memset(o, 0, sizeof(*o));
		return 0;
	}
	cgroups_note(p.cgroup);
	return 1;
}

/* owner_find - whose socket has sent skb? */
static __always_inline enum stat owner_find(struct __sk_buff *skb, struct socket_owner *o)
{
	__u64 cookie = bpf_get_socket_cookie(skb), cgroup_id;
	const struct socket_owner *known;
	__u32 uid;

	if (!cookie) {
		o->source = OWNER_FORWARDED;
		o->ifindex = skb->ingress_ifindex;
		return STAT_OWNER_FORWARDED;
	}
	known = bpf_map_lookup_elem(&sockets, &cookie);
	if (known) {
		*o = *known;
		return o->source == OWNER_COOKIE ? STAT_OWNER_COOKIE : STAT_OWNER_GUESS;
	}
	uid = bpf_get_socket_uid(skb);
	cgroup_id = bpf_skb_cgroup_id(skb);
	if (owner_guess(skb, o, uid, cgroup_id)) {
		o->source = OWNER_GUESS;
		/* The first guess of a packet socket is as good as the next, and costs once. */
		if (is_packet_socket(skb))
			bpf_map_update_elem(&sockets, &cookie, o, BPF_ANY);
		return STAT_OWNER_GUESS;
	}
	o->uid = uid;
	o->cgroup_id = cgroup_id;
	return STAT_OWNER_NONE;
}

/* owner_note - writes down who opened the attempt that skb has just opened on its way out. A global
 * function: the verifier walks it once. */
__attribute__((noinline)) int owner_note(struct __sk_buff *skb, const struct packet *pkt)
{
	struct store st = { .stats = stats_of_cpu() };
	struct contact_key key = { 0 };
	struct socket_owner o = { 0 };
	struct owner_set *set;
	__u64 hash;
	__u32 index;

	if (!pkt || !st.stats)
		return 0;
	key.orig = pkt->src;
	key.resp = pkt->dst;
	key.resp_port = pkt->dst_port;
	key.proto = pkt->proto;
	hash = owner_hash(&key, hash_seed);
	index = (__u32)hash & (OWNER_SETS - 1);
	set = bpf_map_lookup_elem(&owners, &index);
	if (!set)
		return 0;
	store_count(&st, owner_find(skb, &o));
	if (owner_put(set, hash, &o) < 0)
		store_count(&st, STAT_OWNER_BUSY);
	return 0;
}

#endif
