// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The sweep of the reference build: the same questions to a plain LRU map, by batch look-ups.
 * Marking an attempt as reported goes through a system call and may lose a packet's mark that comes
 * at the same moment; the build is for comparison, not for use. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <reconmon/tag.h>
#include <stdlib.h>
#include <string.h>

#include "store_maps.h"
#include "sweep.h"

enum {
	BATCH = 4096
};

/* As in bpf/store_lru.h. */
struct attempt_key {
	struct ip_addr orig, resp;
	__be16 orig_port, resp_port;
	__u8 proto;
	__u8 pad[3];
};

struct attempt_entry {
	__u64 tag;
	struct attempt a;
};

struct sweep {
	int fd;
	uint32_t max;
	volatile uint32_t *age_clock;
	struct attempt_key *key; /* BATCH each */
	struct attempt_entry *entry;
	struct ripeness ripe;
	struct sweep_stats stats;
};

int store_maps_size(struct reconmon_bpf *skel, uint32_t slots)
{
	return bpf_map__set_max_entries(skel->maps.attempts, slots);
}

int sweep_open(const struct bpf_side *b, const struct config *cfg, struct sweep **ret,
	       struct error *err)
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (s) {
		s->key = calloc(BATCH, sizeof(*s->key));
		s->entry = calloc(BATCH, sizeof(*s->entry));
	}
	if (!s || !s->key || !s->entry) {
		sweep_close(s);
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "no memory for the sweep");
	}
	s->fd = bpf_map__fd(b->skel->maps.attempts);
	s->max = bpf_map__max_entries(b->skel->maps.attempts);
	s->age_clock = &b->skel->bss->age_clock;
	s->ripe.settle_ns = cfg->settle_ns;
	s->ripe.settle_open_ns = cfg->settle_open_ns;
	*ret = s;
	return 0;
}

void sweep_close(struct sweep *s)
{
	if (!s)
		return;
	free(s->key);
	free(s->entry);
	free(s);
}

/* An attempt that carried payload: says so once. */
static void report_carried(struct sweep *s, const struct attempt_key *key, struct attempt_entry *e,
			   const struct sweep_out *out)
{
	uint8_t state = TAG_STATE(e->tag);
	uint32_t bits = owed_bits(&e->a, state);

	e->tag = tag_swept(e->tag, e->a.proto);
	out->report(out->ctx, &e->a, bits);
	if (TAG_STATE(e->tag) ? bpf_map_update_elem(s->fd, key, e, BPF_EXIST)
			      : bpf_map_delete_elem(s->fd, key)) {
		if (out->undo)
			out->undo(out->ctx);
		return;
	}
	s->stats.carried++;
	if (!TAG_STATE(e->tag))
		sweep_tell(out, &e->a, state);
}

static void look_at(struct sweep *s, const struct attempt_key *key, struct attempt_entry *e,
		    uint64_t now_ns, const struct sweep_out *out)
{
	uint8_t state = TAG_STATE(e->tag), age = (uint8_t)(now_ns >> NURSERY_AGE_SHIFT);
	uint64_t old_ns = now_ns > e->a.first_ns ? now_ns - e->a.first_ns : 0;

	if (!(state & STATE_LIVE))
		return;
	s->stats.live++;
	if (!(state & (STATE_REPORTED | STATE_DECIDED)))
		s->stats.undecided++;
	if (owed_bits(&e->a, state)) {
		report_carried(s, key, e, out);
		return;
	}
	if (state & STATE_DECIDED)
		old_ns = (uint64_t)(uint8_t)(age - TAG_AGE(e->tag)) << NURSERY_AGE_SHIFT;
	if (sweep_is_over(&e->a, state, old_ns)) {
		if (bpf_map_delete_elem(s->fd, key))
			return;
		s->stats.retired++;
		sweep_tell(out, &e->a, state);
		return;
	}
	if (state & (STATE_REPORTED | STATE_DECIDED) ||
	    old_ns < ripe_after_ns(&s->ripe, &e->a, state))
		return;
	e->tag |= STATE_REPORTED;
	out->report(out->ctx, &e->a, silent_bits(&e->a, state));
	if (!bpf_map_update_elem(s->fd, key, e, BPF_EXIST))
		s->stats.ripened++;
	else if (out->undo)
		out->undo(out->ctx);
}

/* A walk over all entries, in batches. */
typedef void walk_fn(struct sweep *s, const struct attempt_key *key, struct attempt_entry *e,
		     uint64_t now_ns, const struct sweep_out *out);

static void walk(struct sweep *s, walk_fn *fn, uint64_t now_ns, const struct sweep_out *out)
{
	uint32_t cursor = 0;

	for (uint32_t round = 0; round <= s->max / BATCH; round++) {
		LIBBPF_OPTS(bpf_map_batch_opts, opts);
		uint32_t n = BATCH;
		int r = bpf_map_lookup_batch(s->fd, round ? &cursor : NULL, &cursor, s->key,
					     s->entry, &n, &opts);

		if (r && r != -ENOENT)
			return;
		for (uint32_t i = 0; i < n; i++)
			fn(s, &s->key[i], &s->entry[i], now_ns, out);
		if (r)
			return;
	}
}

void sweep_run(struct sweep *s, uint64_t now_ns, const struct sweep_out *out)
{
	*s->age_clock = (uint32_t)(now_ns >> NURSERY_AGE_SHIFT);
	s->stats.live = 0;
	s->stats.undecided = 0;
	walk(s, look_at, now_ns, out);
}

static void tell_last(struct sweep *s, const struct attempt_key *key, struct attempt_entry *e,
		      uint64_t now_ns, const struct sweep_out *out)
{
	(void)s;
	(void)key;
	(void)now_ns;
	if (TAG_STATE(e->tag) & (STATE_REPORTED | STATE_DECIDED))
		sweep_tell(out, &e->a, TAG_STATE(e->tag));
}

void sweep_last(struct sweep *s, const struct sweep_out *out)
{
	if (out->ended)
		walk(s, tell_last, 0, out);
}

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret)
{
	*ret = s->stats;
}
