// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "replay_show.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert_walk.h"
#include "control.h"
#include "live.h"
#include "recent.h"
#include "status.h"

enum {
	WAIT_MS = 50 /* between two looks at the clock */
};

struct replay_show {
	const struct config *cfg;
	struct engine *engine;
	void (*read_counters)(void *ctx, struct counters *c);
	void *ctx;
	struct control *control;
	struct live *live;
	struct recent *recent;
	struct recent_histogram took; /* status shows one of drains: none is measured here */
	uint64_t begun_ns, first_ns;  /* our clock and the files' at the first packet; 0: not yet */
	uint64_t now_ns;	      /* the files' */
};

static uint64_t own_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* ---- answers ---- */

static char *answer(void *ctx, enum control_get get)
{
	struct replay_show *s = ctx;
	struct counters c;
	const struct status_view v = {
		.cfg = s->cfg,
		.counters = &c,
		.engine = s->engine,
		.live = s->live,
		.recent = s->recent,
		.no_owners = "files do not tell them",
		.state_file = "",
		.drain_took = &s->took,
		.sc = { .now_ns = s->now_ns, .hostname = "", .host_id = "" },
		.started_ns = s->first_ns,
		.config_read_ns = s->first_ns,
		.reload_problem = "",
		.reloaded_well = true,
		.ready = true,
	};

	memset(&c, 0, sizeof(c));
	s->read_counters(s->ctx, &c);
	return status_text(get == CONTROL_LIVE ? status_live(&v) : status_json(&v));
}

static void *walk_begin(void *ctx, const char *id)
{
	struct replay_show *s = ctx;

	return alert_walk_new(s->engine, s->recent, id);
}

static char *walk_next(void *ctx, void *walk)
{
	(void)ctx;
	return alert_walk_next(walk);
}

static void walk_end(void *ctx, void *walk)
{
	(void)ctx;
	alert_walk_free(walk);
}

/* ---- the clock ---- */

/* serve - answers for at most so many milliseconds. */
static void serve(struct replay_show *s, int ms)
{
	struct pollfd p = { .fd = control_fd(s->control), .events = POLLIN };

	if (poll(&p, 1, ms) > 0)
		control_run(s->control, own_clock());
}

/* due_ns - when, by our clock, a moment of the files' has come. */
static uint64_t due_ns(const struct replay_show *s, uint64_t t_ns)
{
	double ahead = t_ns > s->first_ns ? (double)(t_ns - s->first_ns) : 0;

	return s->begun_ns + (uint64_t)(ahead / s->cfg->top_speed);
}

void replay_show_until(struct replay_show *s, uint64_t t_ns)
{
	uint64_t now = own_clock(), due;

	if (!s->begun_ns) {
		s->begun_ns = now;
		s->first_ns = t_ns;
		s->now_ns = t_ns;
	}
	due = due_ns(s, t_ns);
	while (now < due) {
		uint64_t left_ms = (due - now) / 1000000;
		uint64_t moved = (uint64_t)((double)(now - s->begun_ns) * s->cfg->top_speed);

		if (s->first_ns + moved > s->now_ns && s->first_ns + moved < t_ns)
			s->now_ns = s->first_ns + moved;
		serve(s, left_ms < WAIT_MS ? (int)left_ms + 1 : WAIT_MS);
		now = own_clock();
	}
	if (t_ns > s->now_ns)
		s->now_ns = t_ns;
}

void replay_show_stay(struct replay_show *s)
{
	while (1)
		serve(s, -1);
}

void replay_show_tick(struct replay_show *s, uint64_t now_ns)
{
	recent_tick(s->recent);
	live_expire(s->live, now_ns);
	serve(s, 0);
}

void replay_show_alert(struct replay_show *s, const struct alert *a, enum alert_state state)
{
	recent_alert(s->recent, a, state);
}

/* ---- beginning and end ---- */

int replay_show_open(const struct config *cfg, struct engine *engine, const struct output *out,
		     void (*read_counters)(void *ctx, struct counters *c), void *ctx,
		     struct replay_show **ret, struct error *err)
{
	struct replay_show *s = calloc(1, sizeof(*s));
	struct error note;
	int r = -ENOMEM;

	if (s) {
		const struct control_source source = { s, answer, walk_begin, walk_next, walk_end };

		*s = (struct replay_show){ .cfg = cfg,
					   .engine = engine,
					   .read_counters = read_counters,
					   .ctx = ctx,
					   .live = live_new(),
					   .recent = recent_new(out) };
		if (s->live && s->recent)
			r = control_open(cfg, &source, &s->control, &note, err);
		else
			error_set(err, r, EXIT_RUNTIME, "no memory to show a replay");
	}
	if (!r && !s->control)
		r = error_set(err, -EADDRINUSE, EXIT_RUNTIME, "%.400s", note.text);
	if (r < 0) {
		replay_show_close(s);
		return r;
	}
	engine_live(engine, s->live);
	*ret = s;
	return 0;
}

void replay_show_close(struct replay_show *s)
{
	if (!s)
		return;
	control_close(s->control);
	live_free(s->live);
	recent_free(s->recent);
	free(s);
}
