// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/window.c: distinct values within a stretch of time, to the nanosecond. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <reconmon/attempt.h>

#include "window.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct group_key group_a = { .orig = { { 0, 1 } } };
static const struct group_key group_b = { .orig = { { 0, 2 } } };

/* Everything is tested twice: with values that are ports, and with values that are of hosts. */
static bool hosts;

static struct window *window_of(enum window_mode mode, uint64_t span, uint64_t slack, uint32_t keep)
{
	const struct window_spec spec = {
		.span_ns = span,
		.slack_ns = slack,
		.mode = mode,
		.keep = keep,
		.max_groups = 4,
		.hosts = hosts,
	};
	struct window *w = window_new(&spec);

	assert_non_null(w);
	return w;
}

static uint32_t show(struct window *w, const struct group_key *g, uint16_t port, uint64_t t)
{
	const struct window_value v = { .port = port, .t_ns = t, .bits = CONTACT_NONE };

	return window_add(w, g, &v);
}

/* --- what each piece of evidence counts ------------------------------------------------------ */

/* Span 100, slack 60. `want` is what window_add returns for each piece, in the order it comes. */
static const struct count_case {
	const char *name;
	struct {
		uint64_t t;
		uint16_t port;
	} in[8];
	size_t n;
	enum window_mode mode;
	uint32_t keep; /* 0: 16 */
	uint32_t want[8];
} count_cases[] = {
	{ "one value counts 1", { { 500, 1 } }, 1, 0, 0, { 1 } },
	{ "evidence at time 0", { { 0, 1 }, { 0, 2 } }, 2, 0, 0, { 1, 2 } },
	{ "port 0 is a value", { { 500, 0 }, { 500, 1 } }, 2, 0, 0, { 1, 2 } },
	{ "the same value again counts once",
	  { { 0, 1 }, { 5, 1 }, { 6, 2 } },
	  3,
	  0,
	  0,
	  { 1, 1, 2 } },
	{ "a third value exactly a span after two is in",
	  { { 0, 1 }, { 0, 2 }, { 100, 3 } },
	  3,
	  0,
	  0,
	  { 1, 2, 3 } },
	{ "... and a nanosecond later it is alone",
	  { { 0, 1 }, { 0, 2 }, { 101, 3 } },
	  3,
	  0,
	  0,
	  { 1, 2, 1 } },
	{ "only what is older than a span leaves",
	  { { 0, 1 }, { 1, 2 }, { 101, 3 } },
	  3,
	  0,
	  0,
	  { 1, 2, 2 } },
	{ "a value that is repeated stays in",
	  { { 0, 1 }, { 90, 1 }, { 180, 2 } },
	  3,
	  0,
	  0,
	  { 1, 1, 2 } },
	{ "a value that comes back after a pause counts again",
	  { { 0, 1 }, { 500, 2 }, { 550, 1 } },
	  3,
	  0,
	  0,
	  { 1, 1, 2 } },
	{ "evidence out of order counts the same",
	  { { 100, 3 }, { 50, 2 }, { 45, 1 } },
	  3,
	  0,
	  0,
	  { 1, 2, 3 } },
	{ "late evidence counts with what was around it then",
	  { { 0, 1 }, { 10, 2 }, { 150, 3 }, { 95, 4 } },
	  4,
	  0,
	  0,
	  { 1, 2, 1, 3 } },
	{ "late evidence on the edge of both windows takes the better",
	  { { 0, 1 }, { 10, 2 }, { 155, 3 }, { 100, 4 } },
	  4,
	  0,
	  0,
	  { 1, 2, 1, 3 } },
	{ "late evidence a nanosecond past an edge misses what is behind it",
	  { { 0, 1 }, { 1, 2 }, { 202, 3 }, { 102, 4 } },
	  4,
	  0,
	  0,
	  { 1, 2, 1, 2 } },
	{ "values too far apart are never in one window, whatever comes between",
	  { { 0, 1 }, { 110, 2 }, { 60, 3 } },
	  3,
	  0,
	  0,
	  { 1, 1, 2 } },
	{ "late evidence of a value that was shown since counts at its own time",
	  { { 0, 1 }, { 95, 2 }, { 110, 3 }, { 50, 3 } },
	  4,
	  0,
	  0,
	  { 1, 2, 2, 3 } },
	{ "a value shown again since still counts in the window before",
	  { { 0, 1 }, { 10, 2 }, { 130, 1 }, { 90, 3 } },
	  4,
	  0,
	  0,
	  { 1, 2, 1, 3 } },
	{ "... but not between two shows that are more than a window apart",
	  { { 0, 1 }, { 50, 2 }, { 160, 1 }, { 101, 3 } },
	  4,
	  0,
	  0,
	  { 1, 2, 1, 2 } },
	{ "late evidence closes the pause of its value",
	  { { 0, 1 }, { 120, 1 }, { 70, 1 }, { 80, 2 } },
	  4,
	  0,
	  0,
	  { 1, 1, 1, 2 } },
	{ "a full group lets its oldest value go",
	  { { 0, 1 }, { 1, 2 }, { 2, 3 }, { 3, 4 } },
	  4,
	  0,
	  3,
	  { 1, 2, 3, 3 } },
	{ "a full group does not let go of newer values for an older one",
	  { { 50, 1 }, { 51, 2 }, { 40, 3 }, { 52, 4 } },
	  4,
	  0,
	  2,
	  { 1, 2, 0, 2 } },
	{ "a group of one value keeps the newest",
	  { { 50, 1 }, { 51, 2 }, { 40, 3 } },
	  3,
	  0,
	  1,
	  { 1, 1, 0 } },
	{ "a full group forgets what is out of reach first",
	  { { 0, 1 }, { 1, 2 }, { 300, 3 }, { 301, 4 } },
	  4,
	  0,
	  2,
	  { 1, 2, 1, 2 } },
	{ "a tumbling bin counts everything in it, however far apart",
	  { { 0, 1 }, { 1000, 2 }, { 500, 3 }, { 500, 1 } },
	  4,
	  WINDOW_TUMBLING,
	  0,
	  { 1, 2, 3, 3 } },
	{ "a tumbling bin counts up to what it keeps",
	  { { 0, 1 }, { 1, 2 }, { 2, 3 } },
	  3,
	  WINDOW_TUMBLING,
	  2,
	  { 1, 2, 2 } },
	{ "times near the end of the clock do not wrap",
	  { { UINT64_MAX - 100, 1 }, { UINT64_MAX - 30, 2 }, { UINT64_MAX - 60, 3 } },
	  3,
	  0,
	  0,
	  { 1, 2, 3 } },
};

static void test_count(void **state)
{
	const struct count_case *c = *state;
	struct window *w = window_of(c->mode, 100, 60, c->keep ? c->keep : 16);

	for (size_t i = 0; i < c->n; i++)
		assert_int_equal(show(w, &group_a, c->in[i].port, c->in[i].t), c->want[i]);
	window_free(w);
}

/* --- window_count ---------------------------------------------------------------------------- */

/* Values 1, 2, 3 at 0, 50, 100; span 100. */
static const struct at_case {
	const char *name;
	uint64_t end;
	uint32_t want;
} at_cases[] = {
	{ "a window that ends at 0 holds the first value", 0, 1 },
	{ "a window does not hold what comes after its end", 49, 1 },
	{ "a window holds what is at its end", 50, 2 },
	{ "a window holds what is at its start", 100, 3 },
	{ "a nanosecond later the first has left", 101, 2 },
	{ "the last leaves a span after it was shown", 200, 1 },
	{ "and then the window is empty", 201, 0 },
};

static void test_at(void **state)
{
	const struct at_case *c = *state;
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);

	for (uint16_t i = 0; i < 3; i++)
		show(w, &group_a, (uint16_t)(i + 1), i * 50u);
	assert_int_equal(window_count(w, &group_a, c->end), c->want);
	assert_int_equal(window_count(w, &group_b, c->end), 0);
	window_free(w);
}

/* --- retraction ------------------------------------------------------------------------------ */

/* Port 1 at 500 with these bits, port 2 at 510; port 1 (or another) is taken back at t. */
static const struct retract_case {
	const char *name;
	uint16_t bits, port;
	uint64_t t, within;
	int want;
	uint32_t left;
} retract_cases[] = {
	{ "an unanswered value goes", CONTACT_NONE, 1, 500, 100, 1, 1 },
	{ "an open value goes", CONTACT_OPEN, 1, 500, 100, 1, 1 },
	{ "a refused value stays", CONTACT_CLOSED, 1, 500, 100, 0, 2 },
	{ "a value that was refused once stays", CONTACT_CLOSED | CONTACT_OPEN, 1, 500, 100, 0, 2 },
	{ "a value that is not there", CONTACT_NONE, 3, 500, 100, -ENOENT, 2 },
	{ "payload exactly a span later still takes it back", CONTACT_NONE, 1, 600, 100, 1, 1 },
	{ "payload a nanosecond later does not", CONTACT_NONE, 1, 601, 100, 0, 2 },
	{ "payload exactly a span before takes it back", CONTACT_NONE, 1, 400, 100, 1, 1 },
	{ "payload a nanosecond before that does not", CONTACT_NONE, 1, 399, 100, 0, 2 },
	{ "the same attempt takes itself back", CONTACT_NONE, 1, 500, 0, 1, 1 },
	{ "another attempt does not, with no time between", CONTACT_NONE, 1, 501, 0, 0, 2 },
};

static void test_retract(void **state)
{
	const struct retract_case *c = *state;
	const struct window_value v = { .port = 1, .t_ns = 500, .bits = c->bits };
	const struct window_value payload = { .port = c->port, .t_ns = c->t };
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);

	window_add(w, &group_a, &v);
	show(w, &group_a, 2, 510);
	assert_int_equal(window_retract(w, &group_b, &payload, c->within), -ENOENT);
	assert_int_equal(window_retract(w, &group_a, &payload, c->within), c->want);
	assert_int_equal(window_values(w, &group_a).n, c->left);
	assert_int_equal(window_count(w, &group_a, 510), c->left);
	window_free(w);
}

static void a_group_whose_last_value_is_taken_back_is_gone(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);
	struct window_stats s;

	(void)state;
	for (uint16_t port = 1; port <= 5; port++)
		show(w, &group_a, port, 500);
	for (uint16_t port = 1; port <= 5; port++) {
		const struct window_value v = { .port = port, .t_ns = 500 };

		assert_int_equal(window_retract(w, &group_a, &v, 0), 1);
	}
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 0);
	assert_null(window_values(w, &group_a).at);
	assert_int_equal(window_values(w, &group_a).n, 0);
	assert_int_equal(show(w, &group_a, 9, 501), 1);
	window_free(w);
}

/* --- groups ---------------------------------------------------------------------------------- */

static void groups_do_not_mix(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);

	(void)state;
	assert_int_equal(show(w, &group_a, 1, 0), 1);
	assert_int_equal(show(w, &group_b, 2, 0), 1);
	assert_int_equal(show(w, &group_a, 3, 0), 2);
	window_free(w);
}

static void a_value_is_its_address_and_its_port(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);
	struct window_value v = { .addr = { { 0, 1 } }, .port = 1 };

	(void)state;
	assert_int_equal(window_add(w, &group_a, &v), 1);
	v.addr.w[1] = 2;
	assert_int_equal(window_add(w, &group_a, &v), hosts ? 2 : 1);
	v.port = 2;
	assert_int_equal(window_add(w, &group_a, &v), hosts ? 3 : 2);
	assert_int_equal(window_add(w, &group_a, &v), hosts ? 3 : 2);
	window_free(w);
}

static void of_a_value_the_last_show_may_be_all_that_is_kept(void **state)
{
	const struct window_spec spec = {
		.span_ns = 100, .keep = 16, .max_groups = 4, .hosts = hosts, .last_only = true
	};
	static const uint64_t shows[] = { 500, 700, 650 };
	struct window *w = window_new(&spec);
	struct window_value v = { .port = 9 }, got;
	struct window_values all;
	struct window_stats s;

	(void)state;
	v.addr.w[1] = hosts ? 3 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(shows); i++) {
		v.t_ns = shows[i];
		v.bits = 1u << i;
		assert_int_equal(window_show(w, &group_a, &v), 1);
	}
	all = window_values(w, &group_a);
	assert_int_equal(all.n, 1);
	got = window_value(&all, 0);
	assert_int_equal(got.port, 9);
	assert_int_equal(got.addr.w[1], v.addr.w[1]);
	assert_int_equal(got.bits, 7);
	assert_int_equal(got.t_ns, 700);
	assert_int_equal(got.run_ns, 700);
	assert_int_equal(got.before_ns, 700);
	v.t_ns = 701;
	for (v.port = 10; v.port < 26; v.port++) /* the oldest makes room for the 17th */
		window_show(w, &group_a, &v);
	all = window_values(w, &group_a);
	assert_int_equal(all.n, 16);
	for (uint32_t i = 0; i < all.n; i++)
		assert_int_not_equal(window_port(&all, i), 9);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 1);
	window_free(w);
}

static void bits_of_all_shows_come_together(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);
	struct window_value v = { .port = 1, .bits = CONTACT_NONE };
	struct window_values got;

	(void)state;
	window_add(w, &group_a, &v);
	v.bits = CONTACT_OPEN;
	v.t_ns = 7;
	window_add(w, &group_a, &v);
	got = window_values(w, &group_a);
	assert_int_equal(got.n, 1);
	assert_int_equal(window_value(&got, 0).bits, CONTACT_NONE | CONTACT_OPEN);
	assert_int_equal(window_value(&got, 0).t_ns, 7);
	window_free(w);
}

static void past_the_limit_the_quietest_group_leaves_and_is_counted(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16); /* 4 groups */
	struct group_key g = group_a;
	struct window_stats s;

	(void)state;
	for (g.bin = 0; g.bin < 4; g.bin++) /* 5 values each: memory of their own */
		for (uint16_t port = 0; port < 5; port++)
			show(w, &g, port, g.bin);
	g.bin = 0;
	show(w, &g, 9, 4); /* news: the quietest is 1 now */
	window_stats_get(w, &s);
	assert_int_equal(s.evicted, 0);
	g.bin = 4;
	assert_int_equal(show(w, &g, 1, 5), 1);
	window_stats_get(w, &s);
	assert_int_equal(s.evicted, 1);
	assert_int_equal(s.groups, 4);
	g.bin = 0;
	assert_int_equal(window_count(w, &g, 5), 6);
	g.bin = 1;
	assert_int_equal(window_count(w, &g, 5), 0);
	window_free(w);
}

static void a_group_expires_a_span_and_the_slack_after_its_last_news(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);
	struct window_stats s;

	(void)state;
	show(w, &group_a, 1, 500);
	show(w, &group_b, 1, 501);
	window_expire(w, 660);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 2);
	window_expire(w, 661);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 1);
	window_expire(w, 662);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 0);
	window_expire(w, 10000);
	window_free(w);
}

static void a_group_behind_a_newer_one_expires_at_most_the_slack_later(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 16);
	struct window_stats s;

	(void)state;
	show(w, &group_a, 1, 560);
	show(w, &group_b, 1, 500); /* late by the slack, touched last */
	window_expire(w, 720);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 2);
	window_expire(w, 721);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 0);
	window_free(w);
}

static void memory_comes_back_when_groups_leave(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 100, 60, 64);
	struct window_stats one, many, gone;

	(void)state;
	show(w, &group_a, 0, 0);
	window_stats_get(w, &one);
	for (uint16_t port = 1; port < 48; port++) /* where it grows past 64 is its own affair */
		show(w, &group_a, port, 0);
	window_stats_get(w, &many);
	assert_int_equal(many.bytes - one.bytes, 64 * ((hosts ? 48 : 32) + 8)); /* and the index */
	window_expire(w, 1000);
	window_stats_get(w, &gone);
	assert_int_equal(gone.bytes, one.bytes);
	window_free(w);
}

static struct group_key group_n(uint64_t n)
{
	return (struct group_key){ .orig = { { 1, n } } };
}

/* Room for four: a scan of two ports so far, then groups of one in any number. */
static void a_group_of_several_outlives_those_of_one(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 1000000, 0, 16);
	struct window_stats s;

	(void)state;
	show(w, &group_a, 1, 10);
	show(w, &group_a, 2, 20);
	for (uint64_t n = 0; n < 1000; n++) {
		struct group_key g = group_n(n);

		assert_int_equal(show(w, &g, 1, 30 + n), 1);
	}
	assert_int_equal(show(w, &group_a, 3, 2000), 3);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 4);
	assert_int_equal(s.evicted, 997);
	window_free(w);
}

static void where_all_have_several_the_oldest_leaves(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, 1000000, 0, 16);

	(void)state;
	for (uint64_t n = 0; n < 5; n++) {
		struct group_key g = group_n(n);

		show(w, &g, 1, 10 + n);
		show(w, &g, 2, 10 + n);
	}
	for (uint64_t n = 5; n-- > 1;) {
		struct group_key g = group_n(n);

		assert_int_equal(window_count(w, &g, 20), 2);
	}
	window_free(w);
}

static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

enum {
	CROWD = 200, /* groups that a window has room for */
	NEWCOMERS = 3000,
};

/* crowd_victim - which of the groups that had news has left; the model forgets it. */
static uint64_t crowd_victim(const struct window *w, uint64_t *last, uint64_t n,
			     uint64_t *ret_least)
{
	uint64_t victim = UINT64_MAX;

	*ret_least = UINT64_MAX;
	for (uint64_t i = 0; i < n; i++) {
		struct group_key g = group_n(i);

		if (!last[i])
			continue;
		if (last[i] < *ret_least)
			*ret_least = last[i];
		if (!window_values(w, &g).n) {
			assert_int_equal(victim, UINT64_MAX);
			victim = i;
		}
	}
	return victim;
}

/* Groups have news at random, then a newcomer takes the place of one: of the one without news for
 * longest, to a 32nd of the span; exactly, if news come further apart than that. */
static void crowd(uint64_t step)
{
	struct window_spec spec = {
		.span_ns = 3200,
		.slack_ns = 1u << 30,
		.keep = 4,
		.max_groups = CROWD,
		.hosts = hosts,
	};
	static uint64_t last[CROWD + NEWCOMERS];
	struct window *w = window_new(&spec);
	uint64_t x = 88172645463325252ull, now = 1;
	struct window_stats s;

	memset(last, 0, sizeof(last));
	for (uint64_t n = 0; n < CROWD + NEWCOMERS; n++) {
		struct group_key g = group_n(n);
		uint64_t victim, least;

		for (uint64_t i = 0; i < 4 && n >= CROWD; i++) {
			uint64_t old = random_next(&x) % n;
			struct group_key again = group_n(old);

			if (!last[old])
				continue;
			now += step;
			show(w, &again, 1, now);
			last[old] = now;
		}
		now += step;
		assert_int_equal(show(w, &g, 1, now), 1);
		if (n >= CROWD) {
			victim = crowd_victim(w, last, n, &least);
			assert_true(victim < n);
			assert_in_range(last[victim], least, least + (step > 100 ? 0 : 100));
			last[victim] = 0;
		}
		last[n] = now;
		window_stats_get(w, &s);
		assert_int_equal(s.evicted, n < CROWD ? 0 : n + 1 - CROWD);
		assert_int_equal(s.groups, n < CROWD ? n + 1 : CROWD);
	}
	window_free(w);
}

static void who_leaves_is_the_one_without_news_for_longest(void **state)
{
	(void)state;
	crowd(101);
}

static void where_news_come_fast_it_is_so_to_a_32nd_of_the_span(void **state)
{
	(void)state;
	crowd(7);
}

/* Thousands are over at once: some leave with each call, the others make room, uncounted. */
static void what_is_over_leaves_bit_by_bit_and_is_no_loss(void **state)
{
	struct window_spec spec = {
		.span_ns = 100,
		.slack_ns = 60,
		.keep = 4,
		.max_groups = 2 * WINDOW_EXPIRE + 10,
		.hosts = hosts,
	};
	struct window *w = window_new(&spec);
	struct window_stats s;
	uint64_t n = 0;

	(void)state;
	for (; n < spec.max_groups; n++) {
		struct group_key g = group_n(n);

		show(w, &g, 1, 500);
	}
	window_expire(w, 660);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, spec.max_groups);
	window_expire(w, 661);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, WINDOW_EXPIRE + 10);
	for (; n < 2 * spec.max_groups; n++) {
		struct group_key g = group_n(n);

		assert_int_equal(show(w, &g, 1, 700), 1);
	}
	window_stats_get(w, &s);
	assert_int_equal(s.groups, spec.max_groups);
	assert_int_equal(s.evicted, 0);
	show(w, &group_a, 1, 701);
	window_stats_get(w, &s);
	assert_int_equal(s.evicted, 1);
	for (int i = 0; i < 3; i++)
		window_expire(w, 900);
	window_stats_get(w, &s);
	assert_int_equal(s.groups, 0);
	assert_int_equal(s.evicted, 1);
	window_free(w);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	window_free(NULL);
}

/* --- against a naive model ------------------------------------------------------------------- */

enum {
	SHOWS = 3000,
	ROUNDS = 30
};

struct naive_show {
	uint64_t t;
	uint16_t port;
};

/* Distinct ports with a show in [end - span, end], by looking at every show there ever was. */
static uint32_t naive_count(const struct naive_show *s, size_t n, uint64_t end, uint64_t span)
{
	uint64_t from = end > span ? end - span : 0, seen = 0; /* ports are below 64 */

	for (size_t i = 0; i < n; i++)
		if (s[i].t >= from && s[i].t <= end)
			seen |= 1ull << s[i].port;
	return (uint32_t)__builtin_popcountll(seen);
}

static uint32_t naive_around(const struct naive_show *s, size_t n, uint64_t t, uint64_t span)
{
	uint32_t best = naive_count(s, n, t, span);

	for (size_t i = 0; i < n; i++) { /* a best window ends at t or at a show */
		uint32_t got;

		if (s[i].t < t || s[i].t - t > span)
			continue;
		got = naive_count(s, n, s[i].t, span);
		if (got > best)
			best = got;
	}
	return best;
}

static const struct random_case {
	const char *name;
	uint64_t span, slack, step; /* step: how far time moves on at the most */
	uint16_t ports;
} random_cases[] = {
	{ "random evidence in order, few values", 1000, 0, 300, 6 },
	{ "random evidence in order, many values, equal times", 1000, 0, 30, 64 },
	{ "random evidence in order with long pauses", 1000, 0, 2500, 6 },
	{ "random evidence late by less than the slack", 1000, 200, 60, 40 },
	{ "random evidence late by up to a span", 1000, 1000, 300, 6 },
	{ "random late evidence with long pauses", 1000, 1000, 2500, 4 },
	{ "random late evidence, a nanosecond each", 10, 10, 3, 8 },
};

static void random_round(const struct random_case *c, uint64_t *x)
{
	static struct naive_show shows[SHOWS];
	struct window *w = window_of(WINDOW_SLIDING, c->span, c->slack, 64);
	uint64_t now = 5 * c->span, newest = now;

	for (size_t i = 0; i < SHOWS / ROUNDS; i++) {
		uint64_t late = random_next(x) & 1 ? random_next(x) % (c->slack + 1) : 0;
		struct naive_show s = { .port = (uint16_t)(random_next(x) % c->ports) };

		now += random_next(x) % (c->step + 1);
		s.t = (late ? newest : now) - late; /* late against the newest, as a drain is */
		if (!late)
			newest = now;
		shows[i] = s;
		assert_int_equal(show(w, &group_a, s.port, s.t),
				 naive_around(shows, i + 1, s.t, c->span));
		assert_int_equal(window_count(w, &group_a, newest),
				 naive_count(shows, i + 1, newest, c->span));
	}
	window_free(w);
}

static void test_random(void **state)
{
	uint64_t x = 88172645463325252ull;

	for (int i = 0; i < ROUNDS; i++)
		random_round(*state, &x);
}

/* One window counts exactly, one with `enough`, one is shown every other value without a count. */
/* --- a group of many values, found by an index ------------------------------------------------ */

enum {
	MANY_PORTS = 700,
	MANY_KEEP = 400, /* and an eighth more for a while: it is full most of the time */
	MANY_STEPS = 60000,
};

/* When each port was last shown; 0: it is not among the MANY_KEEP newest. `known`: likewise of all.
 */
struct naive_group {
	uint64_t shown[MANY_PORTS], known[MANY_PORTS];
	uint32_t held;
};

static void naive_drop(struct naive_group *g, uint32_t port)
{
	g->held -= g->shown[port] != 0;
	g->shown[port] = 0;
}

/* naive_put - a new one takes the place of the oldest in a full group. */
static void naive_put(struct naive_group *g, uint32_t port, uint64_t t)
{
	uint32_t oldest = 0;

	for (uint32_t i = 1; i < MANY_PORTS; i++)
		if (g->shown[i] && (!g->shown[oldest] || g->shown[i] < g->shown[oldest]))
			oldest = i;
	if (!g->shown[port] && g->held == MANY_KEEP)
		naive_drop(g, oldest);
	g->held += !g->shown[port];
	g->shown[port] = t;
	g->known[port] = t;
}

static void assert_holds(const struct window *w, const struct naive_group *g)
{
	const struct window_values all = window_values(w, &group_a);
	uint32_t held = 0;

	assert_in_range(all.n, g->held, MANY_KEEP + MANY_KEEP / 8);
	for (uint32_t i = 0; i < all.n; i++) {
		const struct window_value v = window_value(&all, i);

		assert_int_equal(v.port, window_port(&all, i));
		assert_int_equal(v.addr.w[0], hosts ? v.port : 0);
		assert_int_equal(v.t_ns, g->known[v.port]);
		held += g->shown[v.port] != 0;
	}
	assert_int_equal(held, g->held);
}

static void a_group_of_many_values_holds_what_a_list_would(void **state)
{
	struct window *w = window_of(WINDOW_SLIDING, MANY_STEPS, 0, MANY_KEEP);
	static struct naive_group g;

	(void)state;
	memset(&g, 0, sizeof(g));
	srandom(3);
	for (uint64_t t = 1; t <= MANY_STEPS; t++) {
		uint32_t port = (uint32_t)random() % MANY_PORTS;
		struct window_value v = { .port = (uint16_t)port, .t_ns = t };

		v.addr.w[0] = hosts ? port : 0;
		if (random() % 8) {
			window_show(w, &group_a, &v);
			naive_put(&g, port, t);
		} else {
			window_forget(w, &group_a, &v);
			naive_drop(&g, port);
			g.known[port] = 0;
		}
		if (t % 32 == 0 || t < MANY_PORTS)
			assert_holds(w, &g);
	}
	/* What is out of reach leaves at once when there is no room; what stays is still found. */
	for (int again = 0; again < 2; again++)
		for (uint16_t port = 0; port < MANY_KEEP; port++)
			show(w, &group_a, port + 1000, 3 * MANY_STEPS);
	assert_int_equal(window_values(w, &group_a).n, MANY_KEEP);
	window_free(w);
}

static void a_count_that_need_not_be_exact_decides_the_same(void **state)
{
	struct window_spec spec = {
		.span_ns = 100, .slack_ns = 60, .keep = 64, .max_groups = 4, .hosts = hosts
	};
	struct window *exact = window_new(&spec), *enough, *quiet = window_new(&spec);
	uint64_t x = 88172645463325252ull, now = 1000;
	uint32_t reached = 0;

	(void)state;
	spec.enough = 6;
	enough = window_new(&spec);
	for (int i = 0; i < 20000; i++) {
		uint64_t late = random_next(&x) & 1 ? random_next(&x) % 61 : 0;
		struct window_value v = { .port = (uint16_t)(random_next(&x) % 24) };
		uint32_t n, want;

		now += random_next(&x) % 25;
		v.t_ns = now - late;
		want = window_add(exact, &group_a, &v);
		n = window_add(enough, &group_a, &v);
		if (want >= spec.enough)
			assert_int_equal(n, want);
		else
			assert_true(n < spec.enough);
		reached += want >= spec.enough;
		if (i & 1)
			window_show(quiet, &group_a, &v);
		else
			assert_int_equal(window_add(quiet, &group_a, &v), want);
		assert_int_equal(window_count(quiet, &group_a, now),
				 window_count(exact, &group_a, now));
	}
	assert_in_range(reached, 1000, 19000);
	window_free(exact);
	window_free(enough);
	window_free(quiet);
}

/* Shows that are prepared some ahead, among groups that push each other out or are all let go of
 * meanwhile, come to the same as shows that are not. Groups of one value, of a few and of many;
 * past 1,024 groups: fewer are not looked for ahead. */
static void asking_ahead_changes_nothing(void **state)
{
	enum {
		AHEAD = 8,
		SHOWN = 60000,
		FLOOD = 5500,
		MOST = 5000
	};
	const struct window_spec spec = {
		.span_ns = 40000,
		.slack_ns = 60,
		.keep = 200,
		.enough = 1,
		.max_groups = MOST,
		.hosts = hosts,
	};
	struct window *plain = window_new(&spec), *ahead = window_new(&spec);
	static struct group_key key[SHOWN + AHEAD];
	static struct window_value v[SHOWN + AHEAD];
	static struct table_look look[SHOWN + AHEAD];
	uint64_t x = 88172645463325252ull;
	struct window_stats a, b;

	(void)state;
	for (uint64_t i = 0; i < SHOWN + AHEAD; i++) {
		uint64_t n = i < FLOOD || i % 2 ? 100 + i : random_next(&x) % 12;
		uint64_t values = n < 4 ? 300 : n < 8 ? 6 : 1;

		key[i] = group_n(n);
		v[i] = (struct window_value){ .t_ns = 1000 + i, .port = 7 };
		if (hosts)
			v[i].addr.w[0] = random_next(&x) % values << (n % 2 ? 0 : 48);
		else
			v[i].port = (uint16_t)(random_next(&x) % values);
		look[i] = window_look(ahead, &key[i]);
		window_look_within(&look[i], &v[i]);
	}
	for (uint64_t i = 0; i < SHOWN; i++) {
		window_expect(ahead, &look[i + 8], EXPECT_SLOT);
		window_expect(ahead, &look[i + 6], EXPECT_NODE);
		window_expect(ahead, &look[i + 4], EXPECT_TOUCH);
		for (int n = 0; i % 10000 == 0 && n < 2; n++) {
			window_expire(ahead, UINT32_MAX);
			window_expire(plain, UINT32_MAX);
		}
		window_expect(ahead, &look[i + 2], EXPECT_WITHIN);
		assert_int_equal(window_add_by(ahead, &look[i], &key[i], &v[i]),
				 window_add(plain, &key[i], &v[i]));
	}
	window_stats_get(plain, &a);
	window_stats_get(ahead, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(a.groups, MOST);
	window_free(plain);
	window_free(ahead);
}

#define ADD_CASES(cases, fn)                                                                       \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
		tests[n++] = (struct CMUnitTest)                                                   \
		{                                                                                  \
			.name = (cases)[i].name, .test_func = (fn),                                \
			.initial_state = (void *)&(cases)[i]                                       \
		}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_group_whose_last_value_is_taken_back_is_gone),
		cmocka_unit_test(a_group_of_several_outlives_those_of_one),
		cmocka_unit_test(where_all_have_several_the_oldest_leaves),
		cmocka_unit_test(who_leaves_is_the_one_without_news_for_longest),
		cmocka_unit_test(where_news_come_fast_it_is_so_to_a_32nd_of_the_span),
		cmocka_unit_test(what_is_over_leaves_bit_by_bit_and_is_no_loss),
		cmocka_unit_test(groups_do_not_mix),
		cmocka_unit_test(a_value_is_its_address_and_its_port),
		cmocka_unit_test(of_a_value_the_last_show_may_be_all_that_is_kept),
		cmocka_unit_test(bits_of_all_shows_come_together),
		cmocka_unit_test(past_the_limit_the_quietest_group_leaves_and_is_counted),
		cmocka_unit_test(a_group_expires_a_span_and_the_slack_after_its_last_news),
		cmocka_unit_test(a_group_behind_a_newer_one_expires_at_most_the_slack_later),
		cmocka_unit_test(memory_comes_back_when_groups_leave),
		cmocka_unit_test(freeing_nothing_is_fine),
		cmocka_unit_test(a_group_of_many_values_holds_what_a_list_would),
		cmocka_unit_test(asking_ahead_changes_nothing),
		cmocka_unit_test(a_count_that_need_not_be_exact_decides_the_same),
	};
	struct CMUnitTest tests[ARRAY_SIZE(count_cases) + ARRAY_SIZE(at_cases) +
				ARRAY_SIZE(retract_cases) + ARRAY_SIZE(random_cases) +
				ARRAY_SIZE(single)];
	size_t n = 0;
	int failed;

	ADD_CASES(count_cases, test_count);
	ADD_CASES(at_cases, test_at);
	ADD_CASES(retract_cases, test_retract);
	ADD_CASES(random_cases, test_random);
	memcpy(&tests[n], single, sizeof(single));
	failed = cmocka_run_group_tests_name("window of ports", tests, NULL, NULL);
	hosts = true;
	return failed + cmocka_run_group_tests_name("window of hosts", tests, NULL, NULL);
}
