// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "window.h"

#include <reconmon/attempt.h>
#include <stdlib.h>
#include <string.h>

/* A group's values, unordered. Most groups of a busy server show one value and no more: that one
 * needs no memory of its own. */
struct group {
	uint64_t newest_ns;
	uint32_t n, room;
	struct window_value one;
	struct window_value *many; /* used once room > 1 */
};

struct window {
	struct window_spec spec;
	struct table *groups;
	uint64_t *times; /* scratch for late evidence: spec.keep entries */
	uint64_t value_bytes;
	uint64_t evicted, no_memory;
};

struct window *window_new(const struct window_spec *spec)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->spec = *spec;
	w->groups = table_new(sizeof(struct group), spec->max_groups);
	w->times = calloc(spec->keep, sizeof(*w->times));
	if (!w->groups || !w->times) {
		window_free(w);
		return NULL;
	}
	return w;
}

static struct window_value *values_of(struct group *g)
{
	return g->room > 1 ? g->many : &g->one;
}

static void group_drop(struct window *w, struct group *g)
{
	if (g->room > 1) {
		w->value_bytes -= g->room * sizeof(*g->many);
		free(g->many);
	}
	table_remove(w->groups, g);
}

void window_free(struct window *w)
{
	if (!w)
		return;
	if (w->groups)
		for (struct group *g; (g = table_oldest(w->groups));)
			group_drop(w, g);
	table_free(w->groups);
	free(w->times);
	free(w);
}

static struct group *group_get(struct window *w, const struct group_key *key)
{
	struct group *g;
	bool is_new;

	g = table_put(w->groups, key, &is_new);
	if (!g && table_full(w->groups)) {
		group_drop(w, table_oldest(w->groups));
		w->evicted++;
		g = table_put(w->groups, key, &is_new);
	}
	if (!g) {
		w->no_memory++;
		return NULL;
	}
	if (is_new)
		g->room = 1;
	return g;
}

/* Values that no window can hold any more together with what may still come. */
static void forget_old(const struct window *w, struct group *g)
{
	uint64_t reach = w->spec.span_ns + w->spec.slack_ns;
	struct window_value *v = values_of(g);
	uint32_t kept = 0;

	if (w->spec.mode == WINDOW_TUMBLING || g->newest_ns < reach)
		return;
	for (uint32_t i = 0; i < g->n; i++)
		if (v[i].t_ns >= g->newest_ns - reach)
			v[kept++] = v[i];
	g->n = kept;
}

static int group_grow(struct window *w, struct group *g)
{
	uint32_t room = g->room < 4 ? 4 : g->room * 2;
	struct window_value *many;

	if (room > w->spec.keep)
		room = w->spec.keep;
	many = realloc(g->room > 1 ? g->many : NULL, room * sizeof(*many));
	if (!many)
		return -1;
	if (g->room == 1)
		many[0] = g->one;
	w->value_bytes += (room - (g->room > 1 ? g->room : 0)) * sizeof(*many);
	g->many = many;
	g->room = room;
	return 0;
}

static struct window_value *oldest_value(struct group *g)
{
	struct window_value *v = values_of(g), *oldest = v;

	for (uint32_t i = 1; i < g->n; i++)
		if (v[i].t_ns < oldest->t_ns)
			oldest = &v[i];
	return oldest;
}

static struct window_value *find_value(struct group *g, const struct window_value *v)
{
	struct window_value *have = values_of(g);

	for (uint32_t i = 0; i < g->n; i++)
		if (have[i].port == v->port && addr_same(&have[i].addr, &v->addr))
			return &have[i];
	return NULL;
}

/* Where a new value goes; NULL (counted) for want of memory. */
static struct window_value *place_value(struct window *w, struct group *g)
{
	if (g->n == g->room)
		forget_old(w, g);
	if (g->n == g->room && g->room < w->spec.keep && group_grow(w, g) < 0) {
		w->no_memory++;
		return NULL;
	}
	if (g->n == g->room)
		return oldest_value(g);
	return &values_of(g)[g->n++];
}

static uint32_t count_between(struct group *g, uint64_t from, uint64_t to)
{
	const struct window_value *v = values_of(g);
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n; i++)
		n += v[i].t_ns >= from && v[i].t_ns <= to;
	return n;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The best of all windows that contain the moment t, which lies before the group's newest: two
 * pointers over the sorted times. */
static uint32_t count_around(struct window *w, struct group *g, uint64_t t)
{
	const struct window_value *v = values_of(g);
	uint32_t best = 0, from = 0;

	for (uint32_t i = 0; i < g->n; i++)
		w->times[i] = v[i].t_ns;
	qsort(w->times, g->n, sizeof(*w->times), compare_times);
	for (uint32_t to = 0; to < g->n; to++) {
		while (w->times[to] - w->times[from] > w->spec.span_ns)
			from++;
		if (w->times[from] <= t && w->times[to] >= t && to - from + 1 > best)
			best = to - from + 1;
	}
	return best;
}

static uint64_t span_before(const struct window *w, uint64_t t)
{
	return t > w->spec.span_ns ? t - w->spec.span_ns : 0;
}

uint32_t window_add(struct window *w, const struct group_key *group, const struct window_value *v)
{
	struct group *g = group_get(w, group);
	struct window_value *have;

	if (!g)
		return 0;
	have = find_value(g, v);
	if (have) {
		have->bits |= v->bits;
		if (v->t_ns > have->t_ns)
			have->t_ns = v->t_ns;
	} else {
		have = place_value(w, g);
		if (!have)
			return 0;
		*have = *v;
	}
	if (w->spec.mode == WINDOW_TUMBLING) {
		if (v->t_ns > g->newest_ns)
			g->newest_ns = v->t_ns;
		return g->n;
	}
	if (v->t_ns < g->newest_ns)
		return count_around(w, g, have->t_ns);
	g->newest_ns = v->t_ns;
	return count_between(g, span_before(w, v->t_ns), v->t_ns);
}

bool window_retract(struct window *w, const struct group_key *group, const struct window_value *v)
{
	struct group *g = table_get(w->groups, group);
	struct window_value *have = g ? find_value(g, v) : NULL;

	if (!have || have->bits & CONTACT_CLOSED)
		return false;
	*have = values_of(g)[--g->n];
	if (!g->n)
		group_drop(w, g);
	return true;
}

const struct window_value *window_values(const struct window *w, const struct group_key *group,
					 uint32_t *ret_n)
{
	struct group *g = table_get(w->groups, group);

	*ret_n = g ? g->n : 0;
	return g ? values_of(g) : NULL;
}

uint32_t window_count(const struct window *w, const struct group_key *group, uint64_t end_ns)
{
	struct group *g = table_get(w->groups, group);

	if (!g)
		return 0;
	if (w->spec.mode == WINDOW_TUMBLING)
		return g->n;
	return count_between(g, span_before(w, end_ns), end_ns);
}

void window_expire(struct window *w, uint64_t now_ns)
{
	uint64_t reach = w->spec.span_ns + w->spec.slack_ns;
	struct group *g;

	while ((g = table_oldest(w->groups)) && g->newest_ns + reach < now_ns)
		group_drop(w, g);
}

void window_stats_get(const struct window *w, struct window_stats *ret)
{
	*ret = (struct window_stats){
		.evicted = w->evicted,
		.no_memory = w->no_memory,
		.groups = table_count(w->groups),
		.bytes = table_bytes(w->groups) + w->value_bytes,
	};
}
