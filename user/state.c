// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "state.h"

#include <errno.h>

/* A crash loses the habits of this long; they are learnt again. */
#define SAVE_EVERY_NS (600 * 1000000000ull)

void state_open(struct state *s, const struct config *cfg, struct habits *habits, uint64_t now_ns,
		int64_t wall_offset_ns)
{
	struct error err;
	uint32_t n;
	int r;

	*s = (struct state){ .saved_ns = now_ns };
	if (!habits || !config_state_file(cfg, s->path)) {
		s->path[0] = '\0';
		return;
	}
	r = habits_load(habits, s->path, now_ns, wall_offset_ns, &n, &err);
	if (r < 0)
		log_problem("%s", err.text);
	else if (n)
		log_notice("habits: %u read from '%s'", n, s->path);
}

void state_tick(struct state *s, const struct habits *habits, uint64_t now_ns,
		int64_t wall_offset_ns, bool last)
{
	struct error err;

	if (!s->path[0] || habits_changed(habits) == s->saved_change ||
	    (!last && now_ns - s->saved_ns < SAVE_EVERY_NS))
		return;
	s->saved_ns = now_ns;
	if (!habits_save(habits, s->path, wall_offset_ns, &err)) {
		s->saved_change = habits_changed(habits);
		s->complained = false;
		return;
	}
	if (!s->complained)
		log_problem("%s; habits will be lost with this process", err.text);
	s->complained = true;
}
