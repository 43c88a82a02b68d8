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

/* Takes an entry out; whoever loses the exchange leaves it to the winner. */
static void retire(struct sweep *s, uint64_t *tag_ptr, uint64_t tag)
{
	if (CAS(tag_ptr, tag, TAG_EMPTY(tag)) == tag)
		s->stats.retired++;
}

/* Eight bits of age wrap after 137 s: what is older than half of that stays that old. */
static uint64_t clamp_age(uint64_t *tag_ptr, uint64_t tag, uint8_t now)
{
	uint64_t want = (tag & ~0xff00ull) | (uint64_t)(uint8_t)(now - 128) << 8;

	if ((uint8_t)(now - TAG_AGE(tag)) <= 128)
		return tag;
	return CAS(tag_ptr, tag, want) == tag ? want : tag;
}

/* An attempt that carried payload: says so once. What is lost to another CPU comes again at the
 * next sweep, or that CPU has handed it over. */
static void report_carried(struct sweep *s, uint64_t *tag_ptr, uint64_t tag,
			   const struct attempt *a, sweep_fn *fn, void *ctx)
{
	if (CAS(tag_ptr, tag, tag_swept(tag, a->proto)) != tag)
		return;
	s->stats.carried++;
	fn(ctx, a, owed_bits(a, TAG_STATE(tag)));
}

static void look_at(struct sweep *s, uint64_t *tag_ptr, const struct attempt *value,
		    uint64_t now_ns, sweep_fn *fn, void *ctx)
{
	uint8_t age = (uint8_t)(now_ns >> NURSERY_AGE_SHIFT);
	uint64_t tag = LOAD(tag_ptr);
	uint8_t state = TAG_STATE(tag);
	struct attempt a = *value;
	uint64_t old_ns;

	if (!(state & STATE_LIVE) || LOAD(tag_ptr) != tag)
		return; /* being written, or changed hands: the next sweep sees it */
	s->stats.live++;
	if (!(state & (STATE_REPORTED | STATE_DECIDED)))
		s->stats.undecided++;
	tag = clamp_age(tag_ptr, tag, age);
	if (owed_bits(&a, state)) {
		report_carried(s, tag_ptr, tag, &a, fn, ctx);
		return;
	}
	old_ns = now_ns > a.first_ns ? now_ns - a.first_ns : 0;
	if (state & STATE_DECIDED) /* a flow: its last packet counts, to half a second */
		old_ns = (uint64_t)(uint8_t)(age - TAG_AGE(tag)) << NURSERY_AGE_SHIFT;
	if (sweep_is_over(&a, state, old_ns)) {
		retire(s, tag_ptr, tag);
		return;
	}
	if (state & (STATE_REPORTED | STATE_DECIDED) || old_ns < ripe_after_ns(&s->ripe, &a, state))
		return;
	/* Whoever changed it meanwhile may have judged it: then it is not ours to report. */
	if (CAS(tag_ptr, tag, tag | STATE_REPORTED) != tag)
		return;
	s->stats.ripened++;
	fn(ctx, &a, silent_bits(&a, state));
}

void sweep_run(struct sweep *s, uint64_t now_ns, sweep_fn *fn, void *ctx)
{
	*s->age_clock = (uint32_t)(now_ns >> NURSERY_AGE_SHIFT);
	s->stats.live = 0;
	s->stats.undecided = 0;
	for (uint32_t b = 0; b < s->buckets; b++) {
		uint64_t *t = (uint64_t *)s->tags[b].t;
		uint64_t any = t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7];

		if (!(any & STATE_LIVE))
			continue;
		for (int i = 0; i < NURSERY_WAYS; i++)
			if (t[i] & STATE_LIVE)
				look_at(s, &t[i], &s->vals[b].v[i], now_ns, fn, ctx);
	}
}

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret)
{
	*ret = s->stats;
}
