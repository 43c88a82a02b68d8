// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/pieces.c: a tick's evidence in order of time, whole or slice by slice. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pieces.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct order_case {
	const char *name;
	size_t n;
	uint64_t from_ns, spread_ns; /* times are random within */
	bool ascending;
} cases[] = {
	{ "nothing", 0, 0, 1, false },
	{ "one piece", 1, 5, 1, false },
	{ "a few, all at the same moment", 50, 77, 1, false },
	{ "a few", 127, 1000, 1ull << 40, false },
	{ "as many as are sorted another way", 128, 1000, 1ull << 40, false },
	{ "many at the same moment", 5000, 77, 1, false },
	{ "many in a microsecond", 5000, 1ull << 60, 1000, false },
	{ "many in half a minute", 70000, 1ull << 60, 30000000000, false },
	{ "times from the first moment to the last there is", 5000, 0, UINT64_MAX, false },
	{ "many that are in order", 5000, 1, 1, true },
};

static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* Keys in no order, so that ties have something to tell them apart. */
static void add_one(struct pieces *p, uint64_t t_ns, uint32_t n)
{
	const struct contact_key key = {
		.orig = { { 0, (uint64_t)(n * 2654435761u) << 32 | IP_ADDR_V4_PREFIX } },
		.resp = { { 0, (uint64_t)htonl(0x0a000001) << 32 | IP_ADDR_V4_PREFIX } },
		.proto = PROTO_TCP,
	};
	/* Of both times the later one counts. */
	const struct contact c = {
		.word = n & 1 ? CONTACT_NONE : CONTACT_PAYLOAD,
		.silent = n & 1,
		.silent_last_ns = n & 1 ? t_ns : 0,
		.carried = !(n & 1),
		.carried_last_ns = n & 1 ? t_ns / 2 : t_ns,
	};

	pieces_add_contact(p, &key, &c);
}

static void fill(struct pieces *p, const struct order_case *c)
{
	uint64_t x = 88172645463325252ull;

	pieces_clear(p);
	for (uint32_t i = 0; i < c->n; i++)
		add_one(p, c->from_ns + (c->ascending ? i : random_next(&x) % c->spread_ns), i);
}

static void check_order(const struct pieces *p, size_t n)
{
	uint8_t *seen = calloc(n + 1, 1);

	assert_int_equal(p->n, n);
	for (size_t i = 0; i < n; i++) {
		const struct piece *at = pieces_at(p, i), *before = i ? pieces_at(p, i - 1) : NULL;

		assert_false(seen[at - p->piece]++); /* each once */
		if (!before)
			continue;
		assert_true(piece_time(at) >= piece_time(before));
		if (piece_time(at) == piece_time(before))
			assert_true(memcmp(&before->key, &at->key, sizeof(at->key)) < 0);
	}
	free(seen);
}

static void test_order(void **state)
{
	const struct order_case *c = *state;
	struct pieces p = { 0 };

	for (int round = 0; round < 2; round++) { /* again, in memory that is there */
		fill(&p, c);
		pieces_sort(&p);
		check_order(&p, c->n);
	}
	pieces_done(&p);
}

struct listener {
	const struct pieces *of;
	size_t n;
};

static void on_told(void *ctx, const struct piece *piece, bool counted)
{
	struct listener *l = ctx;

	(void)counted;
	assert_ptr_equal(piece, pieces_at(l->of, l->n++));
}

static void say_nothing(void *ctx, struct alert *a, enum alert_state state)
{
	(void)ctx;
	(void)a;
	(void)state;
}

static void slices_are_the_whole(void **state)
{
	static const struct order_case many = { "", 1000, 1000, 5000, false };
	static const size_t slices[] = { 1, 7, 16, 999, 1000, 5000 };
	struct pieces p = { .told = on_told };
	struct config cfg;

	(void)state;
	config_defaults(&cfg);
	for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
		struct engine *e = engine_new(&cfg, say_nothing, NULL);
		struct listener l = { .of = &p };
		struct engine_stats s;
		size_t turns = 1;

		p.ctx = &l;
		fill(&p, &many);
		pieces_sort(&p);
		for (; pieces_feed_some(&p, e, slices[i]); turns++)
			assert_int_equal(l.n, turns * slices[i]);
		assert_int_equal(l.n, many.n);
		engine_stats_get(e, &s);
		assert_int_equal(s.contacts, many.n);
		assert_int_equal(s.probes, many.n / 2);
		engine_free(e);
	}
	pieces_done(&p);
}

int main(void)
{
	static const struct CMUnitTest slices = cmocka_unit_test(slices_are_the_whole);
	struct CMUnitTest tests[ARRAY_SIZE(cases) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = test_order,
						.initial_state = (void *)&cases[i] };
	tests[ARRAY_SIZE(cases)] = slices;
	return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
