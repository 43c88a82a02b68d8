/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What has ripened among the undecided attempts, and which have carried payload since the last
 * look? The kernel judges what ends; what just stays silent is judged here, by looking at the
 * nursery through its mapping, without a system call. */
#ifndef RECONMON_SWEEP_H
#define RECONMON_SWEEP_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdint.h>

#include "load.h"

struct sweep;

/* What a sweep saw. */
struct sweep_stats {
	uint64_t ripened;   /* attempts reported as provisional probes, since the start */
	uint64_t carried;   /* attempts reported as having carried payload, since the start */
	uint64_t retired;   /* taken out: reported and over, or idle UDP flows, since the start */
	uint64_t unread;    /* times that a piece of the nursery could not be mapped, likewise */
	uint64_t live;	    /* attempts in the nursery at the last sweep */
	uint64_t undecided; /* ... of them not yet reported */
};

/* sweep_fn - takes a provisional probe, or an attempt that carried payload; `bits` are CONTACT_*, a
 * is the caller's for the call. */
typedef void sweep_fn(void *ctx, const struct attempt *a, uint32_t bits);

/* sweep_undo_fn - the last report was none: somebody else has changed the attempt at that moment.
 */
typedef void sweep_undo_fn(void *ctx);

/* sweep_ended_fn - takes an attempt that has left the nursery; *e is the caller's for the call. */
typedef void sweep_ended_fn(void *ctx, const struct ended *e);

/* Who is told. */
struct sweep_out {
	sweep_fn *report;      /* before the nursery learns that it was: a daemon that is killed in
				* between reports twice, not never */
	sweep_undo_fn *undo;   /* NULL: nobody else changes this nursery */
	sweep_ended_fn *ended; /* NULL: nobody keeps a log of attempts */
	void *ctx;	       /* their first argument */
};

/* sweep_open - maps the nursery. Returns 0 with *ret for sweep_close(), or a negative errno with
 * err filled. `b` must outlive it. */
int sweep_open(const struct bpf_side *b, const struct config *cfg, struct sweep **ret,
	       struct error *err);
void sweep_close(struct sweep *s); /* NULL is fine */

/* sweep_run - one pass at now_ns (CLOCK_BOOTTIME): sets the clock of ages, reports what has ripened
 * or carried payload, retires what is over. Less than 1 ms for 65,536 slots. */
void sweep_run(struct sweep *s, uint64_t now_ns, const struct sweep_out *out);

/* sweep_last - the run is over: everything that is known to be a probe or to have carried payload
 * has ended as far as we will ever know. */
void sweep_last(struct sweep *s, const struct sweep_out *out);

void sweep_stats_get(const struct sweep *s, struct sweep_stats *ret);

/* When an attempt is due, and when it is over; shared by both builds (ripe.c). */
struct ripeness {
	uint64_t settle_ns, settle_open_ns;
};
uint64_t ripe_after_ns(const struct ripeness *r, const struct attempt *a, uint8_t state);

/* sweep_is_over - may it leave the nursery? silent_ns is its age, for UDP flows that carried
 * payload the time since their last packet. */
bool sweep_is_over(const struct attempt *a, uint8_t state, uint64_t silent_ns);

/* sweep_nursery - the pass itself, over `buckets` buckets in memory: what sweep_run() does live and
 * replay does by the clock of its files. *stats goes on from pass to pass. */
struct nursery_tags;
struct nursery_vals;
void sweep_nursery(struct nursery_tags *tags, struct nursery_vals *vals, uint32_t buckets,
		   uint64_t now_ns, const struct ripeness *ripe, struct sweep_stats *stats,
		   const struct sweep_out *out);

/* sweep_nursery_last - likewise for sweep_last(). */
void sweep_nursery_last(const struct nursery_tags *tags, const struct nursery_vals *vals,
			uint32_t buckets, const struct sweep_out *out);

/* sweep_tell - hands an attempt that leaves in this state to out->ended, if somebody listens. */
void sweep_tell(const struct sweep_out *out, const struct attempt *a, uint8_t state);

#endif
