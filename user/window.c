// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "window.h"

#include <errno.h>
#include <reconmon/attempt.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "slab.h"

/* A struct window_value as it is kept: most rules count ports, and what they visit at random among
 * a million others had better be small. */
struct value {
	uint64_t t_ns;
	uint32_t bits;
	uint16_t port;
	uint16_t pad;
	uint64_t more[]; /* its address, if the window has hosts; struct runs, unless last_only */
};
_Static_assert(sizeof(struct value) == 16, "as window.h says");

/* When it was shown before, as struct window_value has it. */
struct runs {
	uint64_t run_ns, before_ns;
};

/* A group's values, unordered. Most groups of a busy server show one value and no more: that one
 * needs no memory of its own. */
struct group {
	uint64_t newest_ns;
	uint64_t touched_ns; /* its place among the groups is that of this moment */
	uint32_t n, room;
	union {
		struct value one;   /* room 1; the rest of it follows */
		struct value *many; /* more; from INDEXED on, an index is behind its room */
	};
};

enum {
	/* From this room on a value is found by an index: open addressing, INDEX_SLOTS a value,
	 * each the number of a value from 1 on and a part of its hash, or 0. A scanner's ports are
	 * a thousand and more, and each is shown again and again. A few are searched as fast. */
	INDEXED = 16,
	INDEX_SLOTS = 2,
	NUMBER_BITS = 18, /* of a slot; above them are as many of the value's hash as fit */

	/* From so many values on a full group forgets a fifth at once, of a quarter more than it
	 * has to keep: the oldest one alone takes a search each time. */
	MANY = 64,

	/* Groups of INDEXED room or more grow up to so many values before they are full, each group
	 * at its own: a flood that shows a value more to each of a thousand hosts would have all of
	 * them grow at once. */
	RIPE = 16,

	TOUCHES = 32, /* at the most in a span, of a group */

	SLABS = 12, /* rooms 2^n of them, as far as they fit: joint.h wants 2,048 values */

	SPARED = 4, /* groups that one newcomer may send behind the others: a bounded search */
};

_Static_assert(WINDOW_KEEP_MAX + WINDOW_KEEP_MAX / 8 < 1 << NUMBER_BITS, "number_of()");

struct window {
	struct window_spec spec;
	size_t value_size; /* of struct value with all that follows */
	struct table *groups;
	struct slab slab[SLABS]; /* what `many` points to, by the power of two that is its room */
	uint64_t *starts, *ends; /* scratch for late evidence: two runs a value */
	uint64_t value_bytes;
	uint64_t now_ns; /* as of the last window_expire() */
	uint64_t evicted, no_memory;
};

/* most - values that a group has room for at the most. */
static uint32_t most(const struct window_spec *spec)
{
	return spec->keep < MANY || spec->stops ? spec->keep : spec->keep + spec->keep / 8;
}

/* room_bytes - what `many` takes. */
static size_t room_bytes(const struct window *w, uint32_t room)
{
	size_t index = room < INDEXED ? 0 : INDEX_SLOTS * sizeof(uint32_t);

	return room * (w->value_size + index);
}

struct window *window_new(const struct window_spec *spec)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->spec = *spec;
	if (w->spec.keep > WINDOW_KEEP_MAX)
		w->spec.keep = WINDOW_KEEP_MAX;
	w->value_size = sizeof(struct value) + (spec->hosts ? sizeof(struct ip_addr) : 0) +
			(spec->last_only ? 0 : sizeof(struct runs));
	for (int i = 1; i < SLABS; i++)
		w->slab[i].size = room_bytes(w, 1u << i);
	w->groups = table_new(offsetof(struct group, one) + w->value_size, spec->max_groups);
	w->starts = calloc(most(spec) * 2ul, sizeof(*w->starts));
	w->ends = calloc(most(spec) * 2ul, sizeof(*w->ends));
	if (!w->groups || !w->starts || !w->ends) {
		window_free(w);
		return NULL;
	}
	return w;
}

int window_adjust(struct window *w, uint32_t keep, uint32_t enough)
{
	struct window_spec wider = w->spec;
	uint64_t *starts, *ends;

	wider.keep = keep;
	if (keep > w->spec.keep) {
		starts = calloc(most(&wider) * 2ul, sizeof(*starts));
		ends = calloc(most(&wider) * 2ul, sizeof(*ends));
		if (!starts || !ends) {
			free(starts);
			free(ends);
			return -ENOMEM;
		}
		free(w->starts);
		free(w->ends);
		w->starts = starts;
		w->ends = ends;
		w->spec.keep = keep;
	}
	w->spec.enough = enough;
	return 0;
}

static const struct value *values_of(const struct group *g)
{
	return g->room > 1 ? g->many : &g->one;
}

static struct value *value_at(const struct window *w, struct group *g, uint32_t i)
{
	struct value *values = g->room > 1 ? g->many : &g->one;

	return (struct value *)((char *)values + i * w->value_size);
}

static struct ip_addr addr_of(const struct window *w, const struct value *v)
{
	struct ip_addr addr = { { 0 } };

	if (w->spec.hosts)
		memcpy(&addr, v->more, sizeof(addr));
	return addr;
}

static struct runs runs_of(const struct window *w, const struct value *v)
{
	struct runs runs = { v->t_ns, v->t_ns };

	if (!w->spec.last_only)
		memcpy(&runs, &v->more[w->spec.hosts ? 2 : 0], sizeof(runs));
	return runs;
}

static void runs_set(const struct window *w, struct value *v, struct runs runs)
{
	if (!w->spec.last_only)
		memcpy(&v->more[w->spec.hosts ? 2 : 0], &runs, sizeof(runs));
}

/* value_copy - what one is becomes the other. */
static void value_copy(const struct window *w, struct value *to, const struct value *from)
{
	memcpy(to, from, w->value_size);
}

static void value_write(const struct window *w, struct value *to, const struct window_value *from)
{
	to->t_ns = from->t_ns;
	to->bits = from->bits;
	to->port = from->port;
	to->pad = 0;
	if (w->spec.hosts)
		memcpy(to->more, &from->addr, sizeof(from->addr));
	runs_set(w, to, (struct runs){ from->run_ns, from->before_ns });
}

/* slab_of - where memory of that room comes from; NULL: from the heap. */
static struct slab *slab_of(struct window *w, uint32_t room)
{
	unsigned int power = (unsigned int)__builtin_ctz(room);

	return room >> power == 1 && power < SLABS ? &w->slab[power] : NULL;
}

static struct value *many_new(struct window *w, uint32_t room)
{
	struct slab *s = slab_of(w, room);
	struct value *many = s ? slab_get(s) : malloc(room_bytes(w, room));

	w->value_bytes += many ? room_bytes(w, room) : 0;
	return many;
}

static void many_free(struct window *w, struct value *many, uint32_t room)
{
	struct slab *s = slab_of(w, room);

	w->value_bytes -= room_bytes(w, room);
	if (s)
		slab_put(s, many);
	else
		free(many);
}

static void group_drop(struct window *w, struct group *g)
{
	if (g->room > 1) {
		many_free(w, g->many, g->room);
		g->room = 1; /* window_expect() may still look */
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
	for (int i = 1; i < SLABS; i++)
		slab_done(&w->slab[i]);
	free(w->starts);
	free(w->ends);
	free(w);
}

/* is_over - is its last news older than what any window can still hold? */
static bool is_over(const struct window *w, const struct group *g)
{
	return g->newest_ns + w->spec.span_ns + w->spec.slack_ns < w->now_ns;
}

/* make_room - the group without news for longest leaves, but one that has shown several values goes
 * behind the others first: what a flood from forged addresses brings are groups of one, and a slow
 * scan lives among them for a day. */
static void make_room(struct window *w)
{
	struct group *g = table_oldest(w->groups);

	for (int i = 0; i < SPARED && g->n > 1 && !is_over(w, g); i++) {
		table_touch(w->groups, g);
		g = table_oldest(w->groups);
	}
	w->evicted += !is_over(w, g);
	table_expect_oldest(w->groups);
	group_drop(w, g);
}

/* group_get - the group of key, which has news at t. NULL for want of memory (counted). */
static struct group *group_get(struct window *w, const struct table_look *look,
			       const struct group_key *key, uint64_t t)
{
	struct group *g;
	bool is_new;

	g = table_put_by(w->groups, look, key, &is_new);
	if (!g && table_full(w->groups)) {
		make_room(w);
		g = table_put_by(w->groups, look, key, &is_new);
	}
	if (!g) {
		w->no_memory++;
		return NULL;
	}
	if (is_new) {
		g->room = 1;
		g->touched_ns = t;
	} else if (t > g->touched_ns && t - g->touched_ns > w->spec.span_ns / TOUCHES) {
		table_touch(w->groups, g);
		g->touched_ns = t;
	}
	return g;
}

static bool same_value(const struct window *w, const struct value *a, const struct window_value *b)
{
	return a->port == b->port &&
	       (!w->spec.hosts || !((a->more[0] ^ b->addr.w[0]) | (a->more[1] ^ b->addr.w[1])));
}

/* --- the index of a group with INDEXED room or more --- */

static uint32_t *index_of(const struct window *w, const struct group *g)
{
	return (uint32_t *)((char *)g->many + g->room * w->value_size);
}

/* value_hash - of all bits of the address in all bits: those who try one host are often neighbours.
 * Not seeded, as addr_hash(). Never 0. */
static uint32_t value_hash(struct ip_addr addr, uint16_t port)
{
	unsigned __int128 p = (unsigned __int128)(addr.w[0] ^ 0x9E3779B97F4A7C15ull) *
			      (addr.w[1] ^ port * 0xC2B2AE3D27D4EB4Full ^ 0x165667B19E3779F9ull);

	return (uint32_t)((uint64_t)(p >> 64) ^ (uint64_t)p ^ (uint64_t)p >> 32) | 1;
}

/* Where the search for a hash begins. Its upper bits say so, its lower ones stand in the slot. */
static uint32_t index_home(const struct group *g, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * g->room * INDEX_SLOTS >> 32);
}

static uint32_t number_of(uint32_t entry)
{
	return entry & ((1u << NUMBER_BITS) - 1);
}

static uint32_t index_next(const struct group *g, uint32_t slot)
{
	return slot + 1 < g->room * INDEX_SLOTS ? slot + 1 : 0;
}

/* index_guess - from a slot on, the next one that most likely is of a value with that hash, or the
 * free one where it would go. */
static uint32_t index_guess(const struct window *w, const struct group *g, uint32_t slot,
			    uint32_t hash)
{
	const uint32_t *index = index_of(w, g), part = hash << NUMBER_BITS;

	for (uint32_t e; (e = index[slot]) && (e ^ part) >> NUMBER_BITS;)
		slot = index_next(g, slot);
	return slot;
}

/* index_find - the value, or NULL. Hardly ever is another one looked at: that would be a miss of
 * the cache. */
static struct value *index_find(const struct window *w, struct group *g,
				const struct window_value *v)
{
	const uint32_t hash = value_hash(v->addr, v->port), *index = index_of(w, g);
	uint32_t slot = index_guess(w, g, index_home(g, hash), hash);

	while (index[slot]) {
		struct value *have = value_at(w, g, number_of(index[slot]) - 1);

		if (same_value(w, have, v))
			return have;
		slot = index_guess(w, g, index_next(g, slot), hash);
	}
	return NULL;
}

static void index_add(const struct window *w, struct group *g, uint32_t i)
{
	const struct value *v = value_at(w, g, i);
	uint32_t hash, slot, *index;

	if (g->room < INDEXED)
		return;
	hash = value_hash(addr_of(w, v), v->port);
	index = index_of(w, g);
	for (slot = index_home(g, hash); index[slot];)
		slot = index_next(g, slot);
	index[slot] = hash << NUMBER_BITS | (i + 1);
}

/* index_remove - what follows without a gap is placed anew, or a search would end too early. */
static void index_remove(const struct window *w, struct group *g, uint32_t i)
{
	const struct value *v = value_at(w, g, i);
	uint32_t slot, *index;

	if (g->room < INDEXED)
		return;
	index = index_of(w, g);
	slot = index_home(g, value_hash(addr_of(w, v), v->port));
	while (number_of(index[slot]) != i + 1)
		slot = index_next(g, slot);
	index[slot] = 0;
	for (slot = index_next(g, slot); index[slot]; slot = index_next(g, slot)) {
		uint32_t n = number_of(index[slot]);

		index[slot] = 0;
		index_add(w, g, n - 1);
	}
}

static void index_renew(const struct window *w, struct group *g)
{
	if (g->room < INDEXED)
		return;
	memset(index_of(w, g), 0, (size_t)g->room * INDEX_SLOTS * sizeof(uint32_t));
	for (uint32_t i = 0; i < g->n; i++)
		index_add(w, g, i);
}

/* Values that no window can hold any more together with what may still come. */
static void forget_old(const struct window *w, struct group *g)
{
	uint64_t reach = w->spec.span_ns + w->spec.slack_ns;
	uint32_t kept = 0;

	if (w->spec.mode == WINDOW_TUMBLING || g->newest_ns < reach)
		return;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct value *v = value_at(w, g, i);

		if (v->t_ns < g->newest_ns - reach)
			continue;
		if (kept != i)
			value_copy(w, value_at(w, g, kept), v);
		kept++;
	}
	if (kept == g->n)
		return;
	g->n = kept;
	index_renew(w, g);
}

static int group_grow(struct window *w, struct group *g)
{
	uint32_t room = g->room * 2;
	struct value *many;

	if (room > most(&w->spec))
		room = most(&w->spec);
	if (!room) /* never: `keep` is 1 or more; clang-tidy cannot tell */
		return -1;
	many = many_new(w, room);
	if (!many)
		return -1;
	memcpy(many, values_of(g), g->n * w->value_size);
	if (g->room > 1)
		many_free(w, g->many, g->room);
	g->many = many;
	g->room = room;
	index_renew(w, g);
	return 0;
}

/* oldest_value - which one it is. */
static uint32_t oldest_value(const struct window *w, struct group *g)
{
	uint32_t oldest = 0;

	for (uint32_t i = 1; i < g->n; i++)
		if (value_at(w, g, i)->t_ns < value_at(w, g, oldest)->t_ns)
			oldest = i;
	return oldest;
}

static struct value *find_value(const struct window *w, struct group *g,
				const struct window_value *v)
{
	if (g->room >= INDEXED)
		return index_find(w, g, v);
	for (uint32_t i = 0; i < g->n; i++)
		if (same_value(w, value_at(w, g, i), v))
			return value_at(w, g, i);
	return NULL;
}

/* number_in - which of the group's values it is. */
static uint32_t number_in(const struct window *w, const struct group *g, const struct value *v)
{
	return (uint32_t)((size_t)((const char *)v - (const char *)values_of(g)) / w->value_size);
}

/* drop_value - the last one takes its place. */
static void drop_value(const struct window *w, struct group *g, uint32_t i)
{
	uint32_t last = g->n - 1;

	index_remove(w, g, i);
	if (i != last) {
		index_remove(w, g, last);
		value_copy(w, value_at(w, g, i), value_at(w, g, last));
		index_add(w, g, i);
	}
	g->n--;
}

static uint64_t sum_capped(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t span_before(const struct window *w, uint64_t t)
{
	return t > w->spec.span_ns ? t - w->spec.span_ns : 0;
}

/* Was the value shown in the window that ends at `end`? */
static bool shown_in(const struct window *w, const struct value *v, uint64_t end)
{
	const struct runs runs = runs_of(w, v);
	uint64_t from = span_before(w, end);

	return (runs.run_ns <= end && v->t_ns >= from) ||
	       (runs.before_ns <= end && runs.before_ns >= from);
}

static uint32_t count_ending(const struct window *w, struct group *g, uint64_t end)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->n; i++)
		n += shown_in(w, value_at(w, g, i), end);
	return n;
}

/* A value is shown again, perhaps late. */
static void value_show(const struct window *w, struct value *v, uint64_t t)
{
	struct runs runs = runs_of(w, v);
	uint64_t span = w->spec.span_ns;
	bool paused = runs.before_ns != runs.run_ns;

	if (t > sum_capped(v->t_ns, span)) {
		runs = (struct runs){ .run_ns = t, .before_ns = v->t_ns };
	} else if (t < runs.run_ns && runs.run_ns - t > span) {
		if (!paused || t > runs.before_ns)
			runs.before_ns = t;
	} else if (t < runs.run_ns) {
		runs.run_ns = t;
		if (!paused)
			runs.before_ns = t;
		else if (sum_capped(runs.before_ns, span) >= t) /* it fills the pause */
			runs.run_ns = runs.before_ns;
	}
	runs_set(w, v, runs);
	if (t > v->t_ns)
		v->t_ns = t;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Notes for which ends between t and t + span a window meets the run from `first` to `last`. */
static uint32_t note_run(struct window *w, uint32_t n, uint64_t t, uint64_t first, uint64_t last)
{
	uint64_t end = sum_capped(last, w->spec.span_ns);

	if (end < t || first > sum_capped(t, w->spec.span_ns))
		return n;
	w->starts[n] = first > t ? first : t;
	w->ends[n] = end;
	return n + 1;
}

/* The best of all windows that contain the moment t, which lies before the group's newest. As the
 * end of the window moves on from t, runs enter at their start and leave a span after their end. */
static uint32_t count_around(struct window *w, struct group *g, uint64_t t)
{
	uint32_t best = 0, n = 0, left = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		const struct value *v = value_at(w, g, i);
		const struct runs runs = runs_of(w, v);

		n = note_run(w, n, t, runs.run_ns, v->t_ns);
		if (runs.before_ns != runs.run_ns)
			n = note_run(w, n, t, runs.before_ns, runs.before_ns);
	}
	qsort(w->starts, n, sizeof(*w->starts), compare_times);
	qsort(w->ends, n, sizeof(*w->ends), compare_times);
	for (uint32_t in = 0; in < n; in++) {
		while (w->ends[left] < w->starts[in])
			left++;
		if (in + 1 - left > best)
			best = in + 1 - left;
	}
	return best;
}

/* is_stopped - is a group full that takes no more then? It looks for room eight times a span. */
static bool is_stopped(const struct window *w, struct group *g, uint64_t t)
{
	if (!w->spec.stops || g->n < w->spec.keep)
		return false;
	if (t <= sum_capped(g->newest_ns, w->spec.span_ns / 8))
		return true;
	g->newest_ns = t;
	forget_old(w, g);
	return g->n == w->spec.keep;
}

/* nth_time - the time that n of the others are below, by Hoare's selection; *time is put in another
 * order. */
static uint64_t nth_time(uint64_t *time, uint32_t count, uint32_t n)
{
	uint32_t from = 0, to = count - 1;

	while (from < to) {
		uint64_t pivot = time[from + (to - from) / 2], t;
		uint32_t i = from, j = to;

		for (;;) {
			while (time[i] < pivot)
				i++;
			while (time[j] > pivot)
				j--;
			if (i >= j)
				break;
			t = time[i];
			time[i++] = time[j];
			time[j--] = t;
		}
		if (n <= j)
			to = j;
		else
			from = j + 1;
	}
	return time[n];
}

/* keep_newest - of a full group, as many values as it has to keep. */
static void keep_newest(struct window *w, struct group *g)
{
	uint32_t excess = g->n - w->spec.keep, kept = 0;
	uint64_t cut;

	for (uint32_t i = 0; i < g->n; i++)
		w->starts[i] = value_at(w, g, i)->t_ns;
	cut = nth_time(w->starts, g->n, excess);
	for (uint32_t i = 0; i < g->n; i++)
		excess -= value_at(w, g, i)->t_ns < cut;
	for (uint32_t i = 0; i < g->n; i++) {
		const struct value *v = value_at(w, g, i);

		if (v->t_ns < cut || (v->t_ns == cut && excess && excess--))
			continue;
		if (kept != i)
			value_copy(w, value_at(w, g, kept), v);
		kept++;
	}
	g->n = kept;
	index_renew(w, g);
}

/* replace_oldest - the place of a full group's oldest value, or NULL if all are newer than t. */
static struct value *replace_oldest(const struct window *w, struct group *g, uint64_t t)
{
	uint32_t oldest = oldest_value(w, g);

	if (value_at(w, g, oldest)->t_ns > t)
		return NULL;
	index_remove(w, g, oldest);
	return value_at(w, g, oldest);
}

/* ripe - from how many values on a group that may grow does. */
static uint32_t ripe(const struct group *g)
{
	uint32_t early = g->room / 4 < RIPE ? g->room / 4 : RIPE;

	return g->room < INDEXED ? g->room : g->room - table_number(g) % early;
}

/* Where a new value of time t goes. NULL for want of memory (counted), or if the group holds as
 * many as it may and all are newer, or stops then. */
static struct value *place_value(struct window *w, struct group *g, uint64_t t)
{
	uint32_t max = most(&w->spec);

	if (is_stopped(w, g, t))
		return NULL;
	if (g->n == g->room || (g->room < max && g->n == ripe(g))) {
		forget_old(w, g);
		/* Unless that made good room, or it would be searched through again soon. */
		if (g->n + g->n / 4 >= g->room && g->room < max && group_grow(w, g) < 0 &&
		    g->n == g->room) {
			w->no_memory++;
			return NULL;
		}
	}
	if (g->n == g->room && max > w->spec.keep)
		keep_newest(w, g);
	if (g->n < g->room)
		return value_at(w, g, g->n++);
	return replace_oldest(w, g, t);
}

/* window_put - stores that the value was shown. Returns its group, or NULL if it was not stored. */
static struct group *window_put(struct window *w, const struct table_look *look,
				const struct group_key *group, const struct window_value *v)
{
	struct group *g = group_get(w, look, group, v->t_ns);
	struct value *have;

	if (!g)
		return NULL;
	have = find_value(w, g, v);
	if (have) {
		have->bits |= v->bits;
		value_show(w, have, v->t_ns);
	} else {
		have = place_value(w, g, v->t_ns);
		if (!have)
			return NULL;
		value_write(w, have, v);
		runs_set(w, have, (struct runs){ v->t_ns, v->t_ns });
		index_add(w, g, number_in(w, g, have));
	}
	if (v->t_ns > g->newest_ns)
		g->newest_ns = v->t_ns;
	return g;
}

struct table_look window_look(const struct window *w, const struct group_key *group)
{
	return table_look(w->groups, group);
}

void window_look_within(struct table_look *look, const struct window_value *v)
{
	look->within = value_hash(v->addr, v->port);
}

uint32_t window_show_by(struct window *w, const struct table_look *look,
			const struct group_key *group, const struct window_value *v)
{
	const struct group *g = window_put(w, look, group, v);

	return g ? g->n : 0;
}

uint32_t window_show(struct window *w, const struct group_key *group, const struct window_value *v)
{
	const struct table_look look = window_look(w, group);

	return window_show_by(w, &look, group, v);
}

/* Most groups never come near their threshold, so most are not counted. */
uint32_t window_add_by(struct window *w, const struct table_look *look,
		       const struct group_key *group, const struct window_value *v)
{
	struct group *g = window_put(w, look, group, v);

	if (!g)
		return 0;
	if (w->spec.mode == WINDOW_TUMBLING || g->n < w->spec.enough)
		return g->n;
	if (v->t_ns < g->newest_ns)
		return count_around(w, g, v->t_ns);
	return count_ending(w, g, v->t_ns);
}

uint64_t window_last(const struct window *w, const struct group_key *group,
		     const struct window_value *v)
{
	struct group *g = table_get(w->groups, group);
	const struct value *have = g ? find_value(w, g, v) : NULL;

	return have ? have->t_ns : 0;
}

uint32_t window_add(struct window *w, const struct group_key *group, const struct window_value *v)
{
	const struct table_look look = window_look(w, group);

	return window_add_by(w, &look, group, v);
}

/* expect_within - asks for the value that the index of a group has most likely found, or for the
 * place of one that is new. */
static void expect_within(const struct window *w, struct group *g, uint32_t hash)
{
	uint32_t entry = index_of(w, g)[index_guess(w, g, index_home(g, hash), hash)];
	uint32_t i = entry ? number_of(entry) - 1 : g->n < g->room ? g->n : 0;
	const struct value *v = value_at(w, g, i);

	ask_for(v);
	ask_for((const char *)v + w->value_size - 1);
}

/* What is expected of a group may be gone by now, and another in its place. */
void window_expect(const struct window *w, struct table_look *look, enum table_step step)
{
	struct group *g = look->value;

	if (step == EXPECT_SLOT || step == EXPECT_NODE) {
		table_expect(w->groups, look, step);
		return;
	}
	if (!g)
		return;
	if (step == EXPECT_WITHIN) {
		if (look->within && g->room >= INDEXED)
			expect_within(w, g, look->within);
		return;
	}
	if (w->now_ns > g->touched_ns + w->spec.span_ns / TOUCHES)
		table_expect(w->groups, look, step);
	if (g->room < INDEXED)
		look->within = 0; /* there is nothing more to ask for */
	if (look->within) {
		ask_for(&index_of(w, g)[index_home(g, look->within)]);
	} else if (g->room > 1) {
		ask_for(g->many);
		ask_for((const char *)g->many + 2 * w->value_size - 1);
	}
}

void window_forget(struct window *w, const struct group_key *group, const struct window_value *v)
{
	struct group *g = table_get(w->groups, group);
	struct value *have = g ? find_value(w, g, v) : NULL;

	if (!have)
		return;
	drop_value(w, g, number_in(w, g, have));
	if (!g->n)
		group_drop(w, g);
}

int window_retract(struct window *w, const struct group_key *group, const struct window_value *v,
		   uint64_t within_ns)
{
	struct group *g = table_get(w->groups, group);
	struct value *have = g ? find_value(w, g, v) : NULL;

	if (!have)
		return -ENOENT;
	if (have->bits & CONTACT_CLOSED || sum_capped(have->t_ns, within_ns) < v->t_ns ||
	    sum_capped(v->t_ns, within_ns) < have->t_ns)
		return 0;
	window_forget(w, group, v);
	return 1;
}

struct window_values window_values(const struct window *w, const struct group_key *group)
{
	const struct group *g = table_get(w->groups, group);

	return (struct window_values){ w, g ? values_of(g) : NULL, g ? g->n : 0 };
}

static const struct value *nth_value(const struct window_values *v, uint32_t i)
{
	return (const struct value *)((const char *)v->at + i * v->of->value_size);
}

struct window_value window_value(const struct window_values *v, uint32_t i)
{
	const struct value *have = nth_value(v, i);
	const struct runs runs = runs_of(v->of, have);

	return (struct window_value){
		.addr = addr_of(v->of, have),
		.t_ns = have->t_ns,
		.bits = have->bits,
		.port = have->port,
		.run_ns = runs.run_ns,
		.before_ns = runs.before_ns,
	};
}

uint16_t window_port(const struct window_values *v, uint32_t i)
{
	return nth_value(v, i)->port;
}

uint32_t window_count(const struct window *w, const struct group_key *group, uint64_t end_ns)
{
	struct group *g = table_get(w->groups, group);

	if (!g)
		return 0;
	if (w->spec.mode == WINDOW_TUMBLING)
		return g->n;
	return count_ending(w, g, end_ns);
}

void window_expire(struct window *w, uint64_t now_ns)
{
	struct group *g;

	w->now_ns = now_ns;
	for (int n = 0; n < WINDOW_EXPIRE && (g = table_oldest(w->groups)) && is_over(w, g); n++) {
		table_expect_oldest(w->groups);
		group_drop(w, g);
	}
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

/* --- over a restart --- */

void window_save(const struct window *w, struct blob *b)
{
	blob_put(b, &w->evicted, sizeof(w->evicted));
	blob_put(b, &w->no_memory, sizeof(w->no_memory));
	blob_put_u32(b, table_count(w->groups));
	for (struct group *g = table_oldest(w->groups); g; g = table_newer(w->groups, g)) {
		const struct window_values v = { w, values_of(g), g->n };

		blob_put(b, table_key(g), sizeof(struct group_key));
		blob_put(b, &g->newest_ns, sizeof(g->newest_ns));
		blob_put_u32(b, g->n);
		for (uint32_t i = 0; i < g->n; i++) {
			const struct window_value one = window_value(&v, i);

			blob_put(b, &one, sizeof(one));
		}
	}
}

static int load_group(struct window *w, struct blob *b)
{
	struct window_value v;
	struct value *place;
	uint64_t newest_ns;
	struct group_key key;
	struct table_look look;
	struct group *g;
	uint32_t n;

	blob_get(b, &key, sizeof(key));
	blob_get(b, &newest_ns, sizeof(newest_ns));
	n = blob_get_u32(b);
	if (b->failed || n > blob_left(b) / sizeof(v))
		return -EINVAL;
	look = window_look(w, &key);
	g = group_get(w, &look, &key, newest_ns);
	if (!g)
		return -ENOMEM;
	g->newest_ns = newest_ns;
	for (uint32_t i = 0; i < n; i++) {
		blob_get(b, &v, sizeof(v));
		if (!w->spec.hosts)
			memset(&v.addr, 0, sizeof(v.addr));
		if (find_value(w, g, &v)) /* a group holds a value once */
			return -EINVAL;
		place = place_value(w, g, v.t_ns);
		if (!place)
			continue;
		value_write(w, place, &v);
		index_add(w, g, number_in(w, g, place));
	}
	return 0;
}

int window_load(struct window *w, struct blob *b)
{
	uint64_t evicted, no_memory;
	uint32_t groups;
	int r = 0;

	blob_get(b, &evicted, sizeof(evicted));
	blob_get(b, &no_memory, sizeof(no_memory));
	groups = blob_get_u32(b);
	w->evicted += evicted;
	w->no_memory += no_memory;
	for (uint32_t i = 0; i < groups && !r; i++)
		r = load_group(w, b);
	return r ? r : b->failed ? -EINVAL : 0;
}
