// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "sweep.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/tag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "array_view.h"
#include "store_maps.h"

enum {
	RANGE = ARRAY_VIEW_PIECE / sizeof(struct nursery_vals), /* buckets looked at together */
};

/* Tags are read with each sweep; values only where something lives. */
struct sweep {
	struct nursery_tags *tags;
	struct array_view *vals;
	size_t tags_len; /* bytes mapped */
	uint32_t buckets;
	volatile uint32_t *age_clock;
	struct ripeness ripe;
	struct sweep_stats stats;
};

int store_maps_size(struct reconmon_bpf *skel, uint32_t slots)
{
	int r = bpf_map__set_max_entries(skel->maps.nursery_tags, slots / NURSERY_WAYS);

	return r ? r : bpf_map__set_max_entries(skel->maps.nursery_vals, slots / NURSERY_WAYS);
}

static void *map_memory(const struct bpf_map *map, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t page_round(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) / page * page;
}

int sweep_open(const struct bpf_side *b, const struct config *cfg, struct sweep **ret,
	       struct error *err)
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for the sweep");
	s->buckets = cfg->nursery_slots / NURSERY_WAYS;
	s->tags_len = page_round(s->buckets * sizeof(*s->tags));
	s->age_clock = &b->skel->bss->age_clock;
	s->ripe.settle_ns = cfg->settle_ns;
	s->ripe.settle_open_ns = cfg->settle_open_ns;
	s->tags = map_memory(b->skel->maps.nursery_tags, s->tags_len);
	if (s->tags)
		s->vals = array_view_open(bpf_map__fd(b->skel->maps.nursery_vals),
					  s->buckets * sizeof(struct nursery_vals), false);
	if (!s->tags || !s->vals) {
		int r = -errno;

		sweep_close(s);
		return error_set(err, r, EXIT_RUNTIME, "cannot map the nursery: %s", strerror(-r));
	}
	*ret = s;
	return 0;
}

void sweep_close(struct sweep *s)
{
	if (!s)
		return;
	if (s->tags)
		munmap(s->tags, s->tags_len);
	array_view_close(s->vals);
	free(s);
}

static bool has_life(const struct nursery_tags *tags, uint32_t buckets)
{
	uint64_t any = 0;

	for (uint32_t b = 0; b < buckets; b++)
		for (int i = 0; i < NURSERY_WAYS; i++)
			any |= tags[b].t[i];
	return any & STATE_LIVE;
}

/* next_range - the values of the next buckets from *b on of which one holds something, *ret_n of
 * them; NULL if there are no more. What the kernel does not map waits for another sweep. */
static struct nursery_vals *next_range(struct sweep *s, uint32_t *b, uint32_t *ret_n)
{
	for (; *b < s->buckets; *b += *ret_n) {
		struct nursery_vals *vals;

		*ret_n = s->buckets - *b < RANGE ? s->buckets - *b : RANGE;
		if (!has_life(&s->tags[*b], *ret_n))
			continue;
		vals = array_view_ask(s->vals, *b * sizeof(*vals), *ret_n * sizeof(*vals));
		if (vals)
			return vals;
		s->stats.unread++;
	}
	return NULL;
}

void sweep_run(struct sweep *s, uint64_t now_ns, const struct sweep_out *out)
{
	uint64_t live = 0, undecided = 0;
	struct nursery_vals *vals;

	*s->age_clock = (uint32_t)(now_ns >> NURSERY_AGE_SHIFT);
	for (uint32_t b = 0, n; (vals = next_range(s, &b, &n)); b += n) {
		sweep_nursery(&s->tags[b], vals, n, now_ns, &s->ripe, &s->stats, out);
		live += s->stats.live;
		undecided += s->stats.undecided;
	}
	s->stats.live = live;
	s->stats.undecided = undecided;
	array_view_turn(s->vals);
}

void sweep_last(struct sweep *s, const struct sweep_out *out)
{
	const struct nursery_vals *vals;

	for (uint32_t b = 0, n; (vals = next_range(s, &b, &n)); b += n)
		sweep_nursery_last(&s->tags[b], vals, n, out);
}

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret)
{
	*ret = s->stats;
}
