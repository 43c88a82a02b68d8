/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which services are under the flood guard (include/reconmon/guard.h), since when, and how much was
 * not followed there? The packet path names them in its memory; this reads that once a tick, says
 * when the guard engages and when it lets go, and frees the place. */
#ifndef RECONMON_FLOODS_H
#define RECONMON_FLOODS_H

#include <reconmon/attempt.h>
#include <reconmon/stats.h>
#include <stdbool.h>
#include <stdint.h>

struct floods;

struct flood_event {
	bool over; /* false: the guard has engaged; true: it has let go, or the run is over */
	struct ip_addr resp;
	uint16_t port; /* host byte order */
	uint8_t proto;
	uint8_t dir;	     /* enum attempt_dir, and interface, of the first that was left out */
	uint32_t ifindex;    /* 0: unknown */
	uint64_t unfollowed; /* attempts left out so far */
	uint64_t since_ns;   /* the first tick that saw it, in the clock of floods_tick() */
	uint64_t span_ns;    /* from then to the last tick that left any out */
};

typedef void floods_say_fn(void *ctx, const struct flood_event *e);

/* floods_new - say gets every event. NULL for want of memory; free with floods_free(). */
struct floods *floods_new(floods_say_fn *say, void *ctx);
void floods_free(struct floods *f); /* NULL is fine; says nothing */

/* floods_begin - what these counters say was counted by an earlier daemon (pin.h); without this, by
 * nobody. */
void floods_begin(struct floods *f, const struct stats *stats);

/* floods_tick - one look at the guard's memory at now_ns, with counters that were read just before.
 */
void floods_tick(struct floods *f, struct guard *guard, const struct stats *stats, uint64_t now_ns);

/* floods_end - the last word on each that is still under guard. */
void floods_end(struct floods *f);

/* floods_count - how many are under guard. floods_each - tells fn each of
 * them as it stands (`over` is false), in no order. f NULL: there is none. */
unsigned int floods_count(const struct floods *f);
void floods_each(const struct floods *f, floods_say_fn *fn, void *ctx);

enum {
	FLOOD_TEXT_MAX = 256
};

/* flood_text - the event in a sentence, into buf of FLOOD_TEXT_MAX bytes; rate is --guard-rate. */
const char *flood_text(const struct flood_event *e, uint32_t rate, char *buf);

#endif
