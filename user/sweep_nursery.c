// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* One pass over a nursery, wherever its memory is: mapped from the kernel, or replay's own. */
#include <reconmon/tag.h>

#include "sweep.h"

/* What one pass works with. */
struct pass {
	const struct ripeness *ripe;
	struct sweep_stats *stats;
	const struct sweep_out *out;
};

void sweep_tell(const struct sweep_out *out, const struct attempt *a, uint8_t state)
{
	const struct ended e = { .a = *a, .bits = ended_bits(a, state), .state = state };

	if (out->ended)
		out->ended(out->ctx, &e);
}

/* Takes an entry out; whoever loses the exchange leaves it to the winner. */
static void retire(struct pass *s, uint64_t *tag_ptr, uint64_t tag, const struct attempt *a)
{
	if (CAS(tag_ptr, tag, TAG_EMPTY(tag)) != tag)
		return;
	s->stats->retired++;
	sweep_tell(s->out, a, TAG_STATE(tag));
}

/* Eight bits of age wrap after 137 s: what is older than half of that stays that old. */
static uint64_t clamp_age(uint64_t *tag_ptr, uint64_t tag, uint8_t now)
{
	uint64_t want = (tag & ~0xff00ull) | (uint64_t)(uint8_t)(now - 128) << 8;

	if ((uint8_t)(now - TAG_AGE(tag)) <= 128)
		return tag;
	return CAS(tag_ptr, tag, want) == tag ? want : tag;
}

/* report - tells of an attempt, and the nursery that it was told. Returns whether it was. */
static bool report(struct pass *s, uint64_t *tag_ptr, uint64_t tag, uint64_t told,
		   const struct attempt *a, uint32_t bits)
{
	s->out->report(s->out->ctx, a, bits);
	if (CAS(tag_ptr, tag, told) == tag)
		return true;
	if (s->out->undo)
		s->out->undo(s->out->ctx);
	return false;
}

/* An attempt that carried payload: says so once. What is lost to another CPU comes again at the
 * next sweep, or that CPU has handed it over. */
static void report_carried(struct pass *s, uint64_t *tag_ptr, uint64_t tag, const struct attempt *a)
{
	uint64_t swept = tag_swept(tag, a->proto);

	if (!report(s, tag_ptr, tag, swept, a, owed_bits(a, TAG_STATE(tag))))
		return;
	s->stats->carried++;
	if (!TAG_STATE(swept))
		sweep_tell(s->out, a, TAG_STATE(tag));
}

static void look_at(struct pass *s, uint64_t *tag_ptr, const struct attempt *value, uint64_t now_ns)
{
	uint8_t age = (uint8_t)(now_ns >> NURSERY_AGE_SHIFT);
	uint64_t tag = LOAD(tag_ptr);
	uint8_t state = TAG_STATE(tag);
	struct attempt a = *value;
	uint64_t old_ns;

	if (!(state & STATE_LIVE) || LOAD(tag_ptr) != tag)
		return; /* being written, or changed hands: the next sweep sees it */
	s->stats->live++;
	if (!(state & (STATE_REPORTED | STATE_DECIDED)))
		s->stats->undecided++;
	tag = clamp_age(tag_ptr, tag, age);
	if (owed_bits(&a, state)) {
		report_carried(s, tag_ptr, tag, &a);
		return;
	}
	old_ns = now_ns > a.first_ns ? now_ns - a.first_ns : 0;
	if (state & STATE_DECIDED) /* a flow: its last packet counts, to half a second */
		old_ns = (uint64_t)(uint8_t)(age - TAG_AGE(tag)) << NURSERY_AGE_SHIFT;
	if (sweep_is_over(&a, state, old_ns)) {
		retire(s, tag_ptr, tag, &a);
		return;
	}
	if (state & (STATE_REPORTED | STATE_DECIDED) || old_ns < ripe_after_ns(s->ripe, &a, state))
		return;
	/* Whoever changed it meanwhile may have judged it: then it is not ours to report. */
	if (report(s, tag_ptr, tag, tag | STATE_REPORTED, &a, silent_bits(&a, state)))
		s->stats->ripened++;
}

void sweep_nursery(struct nursery_tags *tags, struct nursery_vals *vals, uint32_t buckets,
		   uint64_t now_ns, const struct ripeness *ripe, struct sweep_stats *stats,
		   const struct sweep_out *out)
{
	struct pass pass = { .ripe = ripe, .stats = stats, .out = out };

	stats->live = 0;
	stats->undecided = 0;
	for (uint32_t b = 0; b < buckets; b++) {
		uint64_t *t = (uint64_t *)tags[b].t;
		uint64_t any = t[0] | t[1] | t[2] | t[3] | t[4] | t[5] | t[6] | t[7];

		if (!(any & STATE_LIVE))
			continue;
		for (int i = 0; i < NURSERY_WAYS; i++)
			if (t[i] & STATE_LIVE)
				look_at(&pass, &t[i], &vals[b].v[i], now_ns);
	}
}

void sweep_nursery_last(const struct nursery_tags *tags, const struct nursery_vals *vals,
			uint32_t buckets, const struct sweep_out *out)
{
	for (uint32_t i = 0; out->ended && i < buckets * NURSERY_WAYS; i++) {
		uint64_t tag = tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS];

		if (TAG_STATE(tag) & STATE_LIVE &&
		    TAG_STATE(tag) & (STATE_REPORTED | STATE_DECIDED))
			sweep_tell(out, &vals[i / NURSERY_WAYS].v[i % NURSERY_WAYS],
				   TAG_STATE(tag));
	}
}
