/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What outlives the daemon: when habits are read from the state file, and when they are written. */
#ifndef RECONMON_STATE_H
#define RECONMON_STATE_H

#include "config.h"
#include "habit.h"

struct state {
	char path[STATE_MAX]; /* "": kept nowhere */
	uint64_t saved_ns, saved_change;
	bool complained; /* that it cannot be written */
};

/* state_open - reads the state file. That it cannot be read is said, and no reason not to start.
 * habits: NULL if none are learnt. */
void state_open(struct state *s, const struct config *cfg, struct habits *habits, uint64_t now_ns,
		int64_t wall_offset_ns);

/* state_tick - writes it every ten minutes, if there is news, or at once (last). */
void state_tick(struct state *s, const struct habits *habits, uint64_t now_ns,
		int64_t wall_offset_ns, bool last);

#endif
