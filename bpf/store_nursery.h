/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The store of track.h over the nursery: the build that ships. */
#ifndef RECONMON_BPF_STORE_NURSERY_H
#define RECONMON_BPF_STORE_NURSERY_H

#include "contact.h"

/* The nursery's two arrays, a bucket an entry: 8,192 buckets of 8 ways hold 65,536 attempts in 4.7
 * MB. Larger ones cost a cache miss a packet. Memory-mapped, so that user/sweep.c reads them
 * without a system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct nursery_tags);
} nursery_tags SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct nursery_vals);
} nursery_vals SEC(".maps");

static __always_inline struct nursery_tags *nursery_tags_at(struct store *st, __u64 hash)
{
	__u32 bucket = (__u32)(hash & nursery_bucket_mask);

	(void)st;
	return bpf_map_lookup_elem(&nursery_tags, &bucket);
}

static __always_inline struct nursery_vals *nursery_vals_at(struct store *st, __u64 hash)
{
	__u32 bucket = (__u32)(hash & nursery_bucket_mask);

	(void)st;
	return bpf_map_lookup_elem(&nursery_vals, &bucket);
}

static __always_inline __u64 store_hash(struct store *st, const struct packet *pkt)
{
	(void)st;
	return nursery_hash(pkt, hash_seed);
}

#include <reconmon/nursery_store.h>

#endif
