/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The ticks of a replay on their way from the thread that reads packets to the one that judges what
 * they were. Evidence goes one way only, tick by tick and in order, so that what comes out does not
 * depend on which of the two is faster. */
#ifndef RECONMON_TICKS_H
#define RECONMON_TICKS_H

#include <reconmon/stats.h>

#include "pieces.h"

/* What one tick has gathered. */
struct tick {
	struct pieces pieces;
	uint64_t now_ns;     /* the files' clock */
	struct stats stats;  /* the packet path's counters */
	uint64_t unfollowed; /* attempts that the guard left out, since the tick before */
};

/* tick_fn - judges a tick; its pieces are cleared afterwards. */
typedef void tick_fn(void *ctx, struct tick *t);

struct ticks;

/* ticks_new - threaded: fn is called by a thread of its own (or by the caller's, if there can be no
 * other), else by ticks_hand_over(). NULL: no memory. */
struct ticks *ticks_new(bool threaded, tick_fn *fn, void *ctx);

/* ticks_next - the tick that is being gathered, the caller's until ticks_hand_over(). */
struct tick *ticks_next(struct ticks *q);

/* ticks_hand_over - to be judged. Waits while TICKS_AHEAD others do. */
void ticks_hand_over(struct ticks *q);

/* ticks_wait - until everything that was handed over has been judged. After it the caller may look
 * at what fn wrote, until ticks_hand_over() is called again. */
void ticks_wait(struct ticks *q);

/* ticks_free - likewise, and frees it. NULL is fine. */
void ticks_free(struct ticks *q);

#endif
