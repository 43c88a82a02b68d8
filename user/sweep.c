// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "sweep.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/tag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store_maps.h"

struct sweep {
	struct nursery_tags *tags;
	struct nursery_vals *vals;
	size_t tags_len, vals_len; /* bytes mapped */
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
	s->vals_len = page_round(s->buckets * sizeof(*s->vals));
	s->age_clock = &b->skel->bss->age_clock;
	s->ripe.settle_ns = cfg->settle_ns;
	s->ripe.settle_open_ns = cfg->settle_open_ns;
	s->tags = map_memory(b->skel->maps.nursery_tags, s->tags_len);
	s->vals = map_memory(b->skel->maps.nursery_vals, s->vals_len);
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
	if (s->vals)
		munmap(s->vals, s->vals_len);
	free(s);
}

void sweep_run(struct sweep *s, uint64_t now_ns, const struct sweep_out *out)
{
	*s->age_clock = (uint32_t)(now_ns >> NURSERY_AGE_SHIFT);
	sweep_nursery(s->tags, s->vals, s->buckets, now_ns, &s->ripe, &s->stats, out);
}

void sweep_last(struct sweep *s, const struct sweep_out *out)
{
	sweep_nursery_last(s->tags, s->vals, s->buckets, out);
}

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret)
{
	*ret = s->stats;
}
