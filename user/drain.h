/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One tick: what the kernel judged and what has ripened, in order of time, to the engine. */
#ifndef RECONMON_DRAIN_H
#define RECONMON_DRAIN_H

#include <stdint.h>

#include "engine.h"
#include "load.h"
#include "pieces.h"
#include "sweep.h"

struct drain;

struct drain_stats {
	uint64_t ticks;
	uint64_t contacts;  /* entries taken from the map `contacts`, */
	uint64_t last;	    /* ... by the latest drain */
	uint64_t evicted;   /* entries that the map pushed out before they were taken: lost */
	uint64_t no_memory; /* entries that could not be kept until they were sorted: lost */
	uint64_t errors;    /* batch calls that failed */
};

/* drain_open - returns 0 with *ret for drain_close(), or a negative errno with err filled. All
 * three must outlive it. */
int drain_open(const struct bpf_side *b, struct sweep *sweep, struct engine *engine,
	       struct drain **ret, struct error *err);
void drain_close(struct drain *d); /* NULL is fine */

/* drain_owners - from now on it and its engine ask `owners`, which must outlive them, who did it.
 */
void drain_owners(struct drain *d, struct owners *owners);

/* drain_log - from now on attempts that are over go to `log`, which must outlive it. Returns 0, or
 * a negative errno with err filled. */
struct attempt_log;
int drain_log(struct drain *d, struct attempt_log *log, struct error *err);

/* drain_keep - from now on evidence goes through `keep`, which must outlive it. left: what its
 * predecessor had taken and not counted, taken over; `last`: that one's last tick, with the figures
 * to go on from, or NULL. */
struct keep;
struct keep_tick;
void drain_keep(struct drain *d, struct keep *keep, struct pieces *left,
		const struct keep_tick *last);

/* drain_last - the run is over: what is still in the nursery goes to the log. */
void drain_last(struct drain *d);

/* drain_unfollowed - before a tick: so many attempts the flood guard left out since the one before.
 */
void drain_unfollowed(struct drain *d, uint64_t n);

/* drain_tick - takes everything out of `contacts`, sweeps the nursery, feeds the engine in order of
 * time, lets alerts speak. now_ns: the clock of all evidence, with wall_offset_ns wall clock.
 * `made`: entries made in `contacts` so far, read just before: what was made and is not taken now
 * was evicted. `lost`: evidence was lost since the last tick. */
void drain_tick(struct drain *d, uint64_t now_ns, int64_t wall_offset_ns, uint64_t made, bool lost);

/* drain_begin, drain_some - the same bit by bit, for who has other work waiting: a flood's tick has
 * a hundred thousand pieces of evidence. drain_some() feeds the engine some milliseconds' worth and
 * returns true as long as there is more; the rules may not change meanwhile. */
void drain_begin(struct drain *d, uint64_t now_ns, int64_t wall_offset_ns, uint64_t made,
		 bool lost);
bool drain_some(struct drain *d);

void drain_stats_get(const struct drain *d, struct drain_stats *ret);

/* clock_boot_ns - CLOCK_BOOTTIME, the clock of all evidence. clock_wall_offset_ns - what makes wall
 * clock of it. */
uint64_t clock_boot_ns(void);
int64_t clock_wall_offset_ns(uint64_t boot_ns);

#endif
