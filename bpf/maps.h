/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps and settings of the BPF side, and the part of `struct store` that every build shares. Map
 * sizes are defaults; user/load.c sets max_entries. */
#ifndef RECONMON_BPF_MAPS_H
#define RECONMON_BPF_MAPS_H

#include <reconmon/drain_seq.h>
#include <reconmon/nursery.h>

/* Fixed at load; the verifier knows their values. */
const volatile __u64 hash_seed[4] = { 1, 3, 5, 7 };  /* load.c: random, odd */
const volatile __u64 wake_ports = 3;		     /* lowest threshold of any rule */
const volatile __u8 exempt_transfers = 1;	     /* 0 under --profile splunk */
const volatile __u64 nursery_bucket_mask = 8192 - 1; /* buckets - 1; a power of two less one */
const volatile __u32 guard_rate = 0;		     /* 0: off; load.c: --guard-rate */
const volatile __u32 guard_second = 1000;	     /* jiffies a second; load.c */
const volatile __u32 fill_mask = 4095;		     /* new contacts a CPU between wake-ups, less
						      * one; a power of two; load.c */
const volatile __u8 log_ended = LOG_NONE;	     /* enum log_attempts */

/* Judged attempts by contact, since the last drain: those of strangers, and of originators that are
 * a flood by themselves. LRU: a flood of contacts pushes out the oldest instead of refusing the
 * newest; what left unseen is inserted - drained, both counted. 65,536 entries take about 10 MB
 * (key 40, value 56, the kernel's own 64). Written by contact_add(), emptied by user/drain.c in
 * batches. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct contact_key);
	__type(value, struct contact);
} contacts SEC(".maps");

/* The same of originators that were seen before (guard.h), out of a flood's reach. A quarter as
 * many entries: none of them has more than GUARD_SOURCE_RATE attempts a second. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct contact_key);
	__type(value, struct contact);
} contacts_known SEC(".maps");

/* Distinct silent ports between two hosts, only to know when not to wait for the tick. Written by
 * source_add(), corrected and emptied by user/drain.c. 16,384 entries, about 1.9 MB. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct contact_key); /* resp_port 0 */
	__type(value, struct source);
} sources SEC(".maps");

/* Wake-ups. One page: what does not fit is a wake-up while one is pending. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wakeups SEC(".maps");

/* Attempts that have left the table, for `--attempts`: 1 MB of them (load.c; a page where nobody
 * asks). Written by attempt_ended(), read by user/drain.c; what does not fit is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ended SEC(".maps");

/* Every counter of stats.h, per CPU. Written by everyone, read by user/load.c, never reset. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stats);
} stats SEC(".maps");

/* The clock of ages: CLOCK_BOOTTIME >> NURSERY_AGE_SHIFT, written by the daemon (user/sweep.c). A
 * helper call a packet would cost more than everything else here. Stands still while the daemon
 * does: then ages only lose resolution. */
__u32 age_clock;

/* Odd while user/drain.c empties the maps of contacts (drain_seq.h). */
__u32 drain_seq;

/* What went by lately: store_note_at(). 32 KB; written only where a flow's first segment, payload
 * or reply changes it. */
#define ORPHAN_NOTES 8192
__u32 orphan_notes[ORPHAN_NOTES];

/* The flood guard's cells. Written by attempt_admit(), its floods read and freed by user/floods.c.
 */
struct guard guard;

/* Which interfaces have shown us a packet since the daemon looked last: a bit a direction (1 <<
 * enum attempt_dir), at the low bits of the ifindex. Every packet reads it, and only the first
 * after a look writes, so that it costs a load from a line that nobody changes. Two CPUs may undo
 * each other's bit: the next packet sets it. Cleared by user/watch.c, judged by user/unseen.c. */
__u8 seen[SEEN_SLOTS];

static __always_inline void note_seen(__u32 ifindex, __u8 dir)
{
	__u8 *bits = &seen[ifindex & (SEEN_SLOTS - 1)], bit = (__u8)(1 << dir);

	if (!(*bits & bit))
		*bits |= bit;
}

struct store {
	struct stats *stats;
	__u32 ifindex;
	__u8 dir; /* enum attempt_dir */
};

static __always_inline struct stats *stats_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stats, &zero);
}

static __always_inline void store_count(struct store *st, enum stat which)
{
	st->stats->n[which]++;
}

static __always_inline __u8 store_age(struct store *st)
{
	(void)st;
	return (__u8)age_clock;
}

static __always_inline int store_exempts_transfers(struct store *st)
{
	(void)st;
	return exempt_transfers;
}

static __always_inline __u32 *store_note_at(struct store *st, __u64 hash)
{
	(void)st;
	return &orphan_notes[hash & (ORPHAN_NOTES - 1)];
}

static __always_inline struct guard *store_guard(struct store *st)
{
	(void)st;
	return &guard;
}

static __always_inline __u32 store_guard_rate(struct store *st)
{
	(void)st;
	return guard_rate;
}

static __always_inline __u32 store_ticks(struct store *st)
{
	(void)st;
	return (__u32)bpf_jiffies64();
}

static __always_inline __u32 store_second(struct store *st)
{
	(void)st;
	return guard_second;
}

static __always_inline const volatile __u64 *store_seed(struct store *st)
{
	(void)st;
	return hash_seed;
}

static __always_inline struct attempt_origin store_origin(struct store *st)
{
	return (struct attempt_origin){ .ifindex = st->ifindex, .dir = st->dir };
}

static __always_inline void store_count_unfollowed(struct store *st, __u32 i)
{
	OPAQUE(i); /* the bound right before the access, for the verifier of 6.1 */
	st->stats->unfollowed[i & (GUARD_FLOODS - 1)]++;
}

static __always_inline void store_stamp(struct store *st, struct attempt *a)
{
	a->first_ns = bpf_ktime_get_boot_ns();
	a->ifindex = st->ifindex;
	a->dir = st->dir;
}

#endif
