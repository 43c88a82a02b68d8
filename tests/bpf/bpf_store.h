/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The BPF side, loaded for a test: open, look, empty, close, over whichever store it was built. */
#ifndef RECONMON_TESTS_BPF_STORE_H
#define RECONMON_TESTS_BPF_STORE_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/flood.h>
#include <reconmon/owner.h>
#include <reconmon/stats.h>
#include <reconmon/tag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <reconmon.skel.h>

struct bpf_store {
	struct reconmon_bpf *skel;
#ifndef STORE_LRU
	struct nursery_tags *tags; /* both mapped */
	struct nursery_vals *vals;
#endif
	__u32 buckets;
};

/* bpf_store_skip - says why and returns 1 where programs cannot be loaded at all. */
static inline int bpf_store_skip(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, NULL, 4, 4, 1, NULL);

	if (fd < 0) {
		printf("needs CAP_BPF and CAP_NET_ADMIN\n");
		return 1;
	}
	close(fd);
	return 0;
}

#ifndef STORE_LRU
/* bpf_store_map - maps the tables; anew, if they were, as another daemon would. */
static inline int bpf_store_map(struct bpf_store *s)
{
	size_t tags = s->buckets * sizeof(*s->tags), vals = s->buckets * sizeof(*s->vals);

	if (s->tags)
		munmap(s->tags, tags);
	if (s->vals)
		munmap(s->vals, vals);

	s->tags = mmap(NULL, tags, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(s->skel->maps.nursery_tags), 0);
	s->vals = mmap(NULL, vals, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(s->skel->maps.nursery_vals), 0);
	return s->tags == MAP_FAILED || s->vals == MAP_FAILED ? -errno : 0;
}

static inline void bpf_store_size(struct bpf_store *s)
{
	s->skel->rodata->nursery_bucket_mask = s->buckets - 1;
	bpf_map__set_max_entries(s->skel->maps.nursery_tags, s->buckets);
	bpf_map__set_max_entries(s->skel->maps.nursery_vals, s->buckets);
}
#else
static inline int bpf_store_map(struct bpf_store *s)
{
	(void)s;
	return 0;
}

static inline void bpf_store_size(struct bpf_store *s)
{
	bpf_map__set_max_entries(s->skel->maps.attempts, s->buckets * NURSERY_WAYS);
}
#endif

/* bpf_store_open_guarded - loads the programs over `buckets` (a power of two) of eight attempts,
 * with the flood guard at `rate` attempts a second, of which each has so many jiffies. Returns 0 or
 * a negative errno; end it with bpf_store_close() either way. */
static inline int bpf_store_open_guarded(struct bpf_store *s, __u32 buckets, int exempt_transfers,
					 __u32 rate, __u32 second)
{
	static const __u64 seed[4] = { 0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1,
				       0x082EFA98EC4E6C89 };
	int r;

	*s = (struct bpf_store){ .skel = reconmon_bpf__open(), .buckets = buckets };
	if (!s->skel)
		return -errno;
	for (int i = 0; i < 4; i++)
		s->skel->rodata->hash_seed[i] = seed[i];
	s->skel->rodata->exempt_transfers = (__u8)exempt_transfers;
	s->skel->rodata->guard_rate = rate;
	s->skel->rodata->guard_second = second;
	s->skel->rodata->log_ended = LOG_ALL;
	bpf_store_size(s);
	r = reconmon_bpf__load(s->skel);
	return r < 0 ? r : bpf_store_map(s);
}

/* bpf_store_open - likewise, without a guard; a second has no jiffy, so that nobody is too fast for
 * a stranger. */
static inline int bpf_store_open(struct bpf_store *s, __u32 buckets, int exempt_transfers)
{
	return bpf_store_open_guarded(s, buckets, exempt_transfers, 0, 0);
}

static inline void bpf_store_close(struct bpf_store *s)
{
#ifndef STORE_LRU
	if (s->tags && s->tags != MAP_FAILED)
		munmap(s->tags, s->buckets * sizeof(*s->tags));
	if (s->vals && s->vals != MAP_FAILED)
		munmap(s->vals, s->buckets * sizeof(*s->vals));
#endif
	reconmon_bpf__destroy(s->skel);
}

/* bpf_store_stats - every counter, summed over CPUs. */
static inline void bpf_store_stats(struct bpf_store *s, __u64 *ret)
{
	static struct stats per_cpu[1024];
	int cpus = libbpf_num_possible_cpus();
	__u32 zero = 0;

	memset(ret, 0, STAT_MAX * sizeof(*ret));
	if (cpus > 1024 || bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.stats), &zero, per_cpu))
		abort();
	for (int cpu = 0; cpu < cpus; cpu++)
		for (int i = 0; i < STAT_MAX; i++)
			ret[i] += per_cpu[cpu].n[i];
}

/* bpf_store_clear - removes every attempt and every note; `live` (may be NULL) is told of each
 * attempt before. */
typedef void bpf_store_fn(void *ctx, __u64 tag, const struct attempt *a);
static inline void bpf_store_clear(struct bpf_store *s, bpf_store_fn *live, void *ctx)
{
	memset(s->skel->bss->orphan_notes, 0, sizeof(s->skel->bss->orphan_notes));
#ifndef STORE_LRU
	for (__u32 i = 0; i < s->buckets * NURSERY_WAYS; i++) {
		__u64 *tag = &s->tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS];

		if (TAG_STATE(*tag) && live)
			live(ctx, *tag, &s->vals[i / NURSERY_WAYS].v[i % NURSERY_WAYS]);
		*tag = TAG_EMPTY(*tag);
	}
#else
	int fd = bpf_map__fd(s->skel->maps.attempts);
	__u8 key[40];
	struct {
		__u64 tag;
		struct attempt a;
	} entry;

	while (!bpf_map_get_next_key(fd, NULL, key)) {
		if (!bpf_map_lookup_elem(fd, key, &entry) && live)
			live(ctx, entry.tag, &entry.a);
		bpf_map_delete_elem(fd, key);
	}
#endif
}

/* bpf_store_clear_contacts - removes every contact. */
static inline void bpf_store_clear_contacts(struct bpf_store *s)
{
	const struct bpf_map *maps[] = { s->skel->maps.contacts, s->skel->maps.contacts_known };
	struct contact_key key;

	for (int i = 0; i < 2; i++)
		while (!bpf_map_get_next_key(bpf_map__fd(maps[i]), NULL, &key))
			bpf_map_delete_elem(bpf_map__fd(maps[i]), &key);
}

/* bpf_store_ended - takes what the ring of ended attempts holds; returns how many it was. */
static inline int bpf_store_count_ended(void *ctx, void *data, size_t len)
{
	__u64 *n = ctx;

	(void)data;
	*n += len == sizeof(struct ended);
	return 0;
}

static inline __u64 bpf_store_ended(struct bpf_store *s)
{
	__u64 n = 0;
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(s->skel->maps.ended), bpf_store_count_ended, &n, NULL);

	if (!ring || ring_buffer__consume(ring) < 0)
		abort();
	ring_buffer__free(ring);
	return n;
}

#endif
