// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "alert_walk.h"

#include <stdlib.h>
#include <string.h>

#include "status.h"

/* Where an open alert is found again, if it is still open. */
struct place {
	uint32_t rule; /* its number */
	struct group_key key;
};

struct alert_walk {
	const struct engine *engine;
	const struct recent *recent;
	char id[ALERT_ID_LEN];
	struct place *open;
	size_t n_open, room, at;
	uint64_t closed; /* number of the next */
	uint32_t given;
	uint32_t rule; /* in hand, while places are collected */
	bool over, no_memory;
};

static bool collect(void *ctx, const struct group_key *key, const struct alert *a)
{
	struct alert_walk *w = ctx;

	if (w->id[0] && strcmp(w->id, a->id) != 0)
		return true;
	if (w->n_open == w->room) {
		size_t room = w->room ? w->room * 2 : 16;
		struct place *more = realloc(w->open, room * sizeof(*more));

		w->no_memory = !more;
		if (!more)
			return false;
		w->open = more;
		w->room = room;
	}
	w->open[w->n_open++] = (struct place){ w->rule, *key };
	return true;
}

struct alert_walk *alert_walk_new(const struct engine *e, const struct recent *r, const char *id)
{
	struct alert_walk *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->engine = e;
	w->recent = r;
	memcpy(w->id, id, strnlen(id, sizeof(w->id) - 1));
	for (w->rule = 0; w->rule < RULES_MAX; w->rule++)
		engine_alerts(e, w->rule, collect, w);
	w->closed = recent_first(r);
	if (!w->no_memory)
		return w;
	alert_walk_free(w);
	return NULL;
}

void alert_walk_free(struct alert_walk *w)
{
	if (!w)
		return;
	free(w->open);
	free(w);
}

static char *next_open(struct alert_walk *w)
{
	while (w->at < w->n_open) {
		const struct place *p = &w->open[w->at++];
		const struct alert *a = engine_alert(w->engine, p->rule, &p->key);

		if (a && (!w->id[0] || !strcmp(w->id, a->id)))
			return status_text(recent_json(w->recent, a, ALERT_OPEN));
	}
	return NULL;
}

static char *next_closed(struct alert_walk *w)
{
	const char *text, *id;

	if (w->closed < recent_first(w->recent)) /* some have left on the way */
		w->closed = recent_first(w->recent);
	while ((text = recent_closed(w->recent, w->closed++, &id)))
		if (!w->id[0] || !strcmp(w->id, id))
			return strdup(text);
	return NULL;
}

static char *last_line(const struct alert_walk *w)
{
	struct recent_stats s;

	recent_stats_get(w->recent, &s);
	return status_text(json_pack("{s:s, s:i, s:I, s:I}", "type", "end", "alerts", (int)w->given,
				     "closed_kept", (json_int_t)s.kept, "closed_dropped",
				     (json_int_t)s.dropped));
}

char *alert_walk_next(struct alert_walk *w)
{
	char *text = w->over ? NULL : next_open(w);

	if (w->over)
		return NULL;
	if (!text)
		text = next_closed(w);
	if (text) {
		w->given++;
		return text;
	}
	w->over = true;
	return last_line(w);
}
