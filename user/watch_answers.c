// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What those are told who ask: by the control socket, and by /metrics. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert_walk.h"
#include "status.h"
#include "watch_parts.h"

struct missed_list {
	struct watch *w;
	struct status_missed *missed;
	size_t n;
};

/* why_missed - of an interface that is there and not watched. */
static const char *why_missed(struct watch *w, const struct iface *iface)
{
	const struct refusal *f = watch_refusal_find(w, iface->index);

	if (f)
		return f->why;
	if (!iface_is_wanted(w->cfg, iface))
		return w->cfg->ifaces && iface->up ? "not among `interfaces`" : "it is down";
	return "it has just come";
}

static void note_missed(void *ctx, const struct iface *iface, bool gone)
{
	char unseen[UNSEEN_TEXT_MAX];
	struct missed_list *l = ctx;
	bool hooked = watch_hook_find(l->w, iface->index);
	struct status_missed *m;

	if (gone || (hooked && !unseen_why(l->w->unseen, iface->index, unseen)) ||
	    l->n++ >= STATUS_MISSED_MAX)
		return;
	m = &l->missed[l->n - 1];
	m->ifindex = iface->index;
	memcpy(m->name, iface->name, sizeof(m->name));
	snprintf(m->why, sizeof(m->why), "%s", hooked ? unseen : why_missed(l->w, iface));
}

/* view_of - everything that status.c looks at; *c and *state_file are the caller's. */
static struct status_view view_of(struct watch *w, struct counters *c, char *state_file)
{
	watch_counters(w, c);
	counters_outputs(c, w->out);
	attempt_log_stats_get(w->attempts, &c->attempts);
	if (!w->state.path[0] || !engine_habits(w->engine))
		*state_file = '\0';
	else
		strcpy(state_file, w->state.path);
	return (struct status_view){
		.cfg = w->cfg,
		.counters = c,
		.engine = w->engine,
		.live = w->live,
		.recent = w->recent,
		.hook = w->hook,
		.hooks = w->hooks,
		.refused = w->refusals,
		.unseen = unseen_count(w->unseen),
		.no_owners = w->no_owners,
		.state_file = state_file,
		.drain_took = &w->drain_took,
		.sc = output_context(w->out, NULL, NULL),
		.started_ns = w->started_ns,
		.config_read_ns = w->config_read_ns,
		.reload_problem = w->reload_problem,
		.reloaded_well = !w->reload_problem[0],
		.ready = w->ready && w->hooks,
	};
}

static json_t *status_now(struct watch *w)
{
	struct missed_list l = { .w = w };
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);
	json_t *ret;

	l.missed = calloc(STATUS_MISSED_MAX, sizeof(*l.missed));
	if (!l.missed || iface_monitor_list(w->monitor, note_missed, &l) < 0)
		log_debug("status: interfaces could not be listed");
	v.missed = l.missed;
	v.n_missed = l.n;
	ret = status_json(&v);
	free(l.missed);
	return ret;
}

static json_t *live_now(struct watch *w)
{
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);

	return status_live(&v);
}

static char *answer(void *ctx, enum control_get get)
{
	return status_text(get == CONTROL_LIVE ? live_now(ctx) : status_now(ctx));
}

static void *walk_begin(void *ctx, const char *id)
{
	struct watch *w = ctx;

	return alert_walk_new(w->engine, w->recent, id);
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

/* publish - what those get who scrape. */
void watch_publish(struct watch *w)
{
	char state_file[STATE_MAX];
	struct counters c;
	struct status_view v = view_of(w, &c, state_file);

	metrics_publish(w->metrics, status_figures(&v));
}

int watch_open_metrics(struct watch *w)
{
	struct error note;
	int r = metrics_open(w->cfg, &w->metrics, &note, w->err);

	if (note.text[0])
		log_notice("%s", note.text);
	if (!w->metrics)
		return r;
	log_debug("metrics: http://%s/metrics", metrics_where(w->metrics));
	if (watch_listen(w, metrics_fd(w->metrics)) < 0)
		r = error_set(w->err, -errno, EXIT_RUNTIME, "epoll: %s", strerror(errno));
	return r;
}

int watch_open_control(struct watch *w)
{
	const struct control_source source = { w, answer, walk_begin, walk_next, walk_end };
	struct error note;
	int r = control_open(w->cfg, &source, &w->control, &note, w->err);

	if (note.text[0] && w->cfg->control[0])
		log_problem("%s", note.text);
	else if (note.text[0])
		log_notice("%s", note.text);
	if (!r && w->control && watch_listen(w, control_fd(w->control)) < 0)
		r = error_set(w->err, -errno, EXIT_RUNTIME, "epoll: %s", strerror(errno));
	return r;
}
