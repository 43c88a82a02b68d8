/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* user/floods.c: when the guard engages and lets go, and how much was not followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <floods.h>
#include <reconmon/parse.h>
#include <reconmon/platform.h>
#include <stdlib.h>

#define SECOND 1000000000ull

struct rig {
	struct guard guard;
	struct stats stats;
	struct floods *floods;
	struct flood_event said[8];
	unsigned int n;
};

static void on_flood(void *ctx, const struct flood_event *e)
{
	struct rig *r = ctx;

	assert_true(r->n < 8);
	r->said[r->n++] = *e;
}

static int rig_open(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	r->floods = floods_new(on_flood, r);
	*state = r;
	return r->floods ? 0 : -1;
}

static int rig_close(void **state)
{
	struct rig *r = *state;

	floods_free(r->floods);
	free(r);
	return 0;
}

static void claim(struct rig *r, unsigned int at, uint16_t port, uint64_t state)
{
	r->guard.flood[at] = (struct flood){ .tag = FLOOD_TAG(0xabcdef00ull + port * 4, state),
					     .resp = ip_addr_from_v4(htonl(0x0a000001)),
					     .port = htons(port),
					     .proto = PROTO_TCP };
}

static void tick(struct rig *r, uint64_t s)
{
	floods_tick(r->floods, &r->guard, &r->stats, s * SECOND);
}

static void test_life(void **state)
{
	struct rig *r = *state;

	r->stats.unfollowed[3] = 1000; /* an earlier daemon's */
	floods_begin(r->floods, &r->stats);
	tick(r, 99);
	claim(r, 3, 80, FLOOD_BUSY); /* its name is being written */
	tick(r, 100);
	assert_int_equal(r->n, 0);

	claim(r, 3, 80, FLOOD_LIVE);
	r->stats.unfollowed[3] += 5;
	tick(r, 101);
	assert_int_equal(r->n, 1);
	assert_false(r->said[0].over);
	assert_int_equal(r->said[0].port, 80);
	assert_int_equal(floods_count(r->floods), 1);

	r->stats.unfollowed[3] += 7;
	tick(r, 105);
	tick(r, 114);
	assert_int_equal(r->n, 1);
	tick(r, 115);
	assert_int_equal(r->n, 2);
	assert_true(r->said[1].over);
	assert_int_equal(r->said[1].unfollowed, 12);
	assert_int_equal(r->said[1].span_ns, 4 * SECOND);
	assert_int_equal(r->guard.flood[3].tag, 0); /* somebody else may have the place */
	assert_int_equal(floods_count(r->floods), 0);
}

static void on_each(void *ctx, const struct flood_event *e)
{
	uint64_t *unfollowed = ctx;

	assert_false(e->over);
	assert_int_equal(e->since_ns, 1 * SECOND);
	assert_int_equal(e->span_ns, e->port == 80 ? 4 * SECOND : 0);
	assert_in_range(e->port, 80, 81);
	unfollowed[e->port - 80] += e->unfollowed;
}

static void test_as_they_stand(void **state)
{
	struct rig *r = *state;
	uint64_t unfollowed[2] = { 0 };

	floods_each(r->floods, on_each, unfollowed);
	floods_each(NULL, on_each, unfollowed);
	assert_int_equal(floods_count(NULL), 0);
	assert_int_equal(unfollowed[0] + unfollowed[1], 0);

	claim(r, 7, 80, FLOOD_LIVE);
	claim(r, 255, 81, FLOOD_LIVE);
	r->stats.unfollowed[7] = 20;
	r->stats.unfollowed[255] = 3;
	tick(r, 1);
	r->stats.unfollowed[7] = 50;
	tick(r, 5);
	floods_each(r->floods, on_each, unfollowed);
	assert_int_equal(unfollowed[0], 50);
	assert_int_equal(unfollowed[1], 3);
	assert_int_equal(r->n, 2); /* a look says nothing */

	tick(r, 12); /* the guard lets go of 81 */
	unfollowed[0] = unfollowed[1] = 0;
	floods_each(r->floods, on_each, unfollowed);
	assert_int_equal(unfollowed[0], 50);
	assert_int_equal(unfollowed[1], 0);
}

static void test_a_pause_is_no_end(void **state)
{
	struct rig *r = *state;

	claim(r, 0, 80, FLOOD_LIVE);
	for (uint64_t s = 1; s < 200; s += 9) {
		r->stats.unfollowed[0]++;
		tick(r, s);
	}
	assert_int_equal(r->n, 1);
}

static void test_the_place_is_taken_again(void **state)
{
	struct rig *r = *state;

	claim(r, 0, 80, FLOOD_LIVE);
	r->stats.unfollowed[0] = 4;
	tick(r, 1);
	tick(r, 20);
	claim(r, 0, 81, FLOOD_LIVE);
	r->stats.unfollowed[0] = 6;
	tick(r, 21);
	floods_end(r->floods);
	assert_int_equal(r->n, 4);
	assert_int_equal(r->said[2].port, 81);
	assert_int_equal(r->said[3].unfollowed, 2);
	floods_end(r->floods); /* said already */
	assert_int_equal(r->n, 4);
}

static void test_text(void **state)
{
	static const struct {
		struct flood_event e;
		const char *want;
	} rows[] = {
		{ { .port = 80, .proto = PROTO_TCP },
		  "guard engages: more than 5000 attempts a second at 10.0.0.1 tcp port 80; those "
		  "beyond are counted, not followed" },
		{ { .over = true,
		    .port = 80,
		    .proto = PROTO_TCP,
		    .unfollowed = 1234567,
		    .span_ns = 12340000000 },
		  "guard lets go of 10.0.0.1 tcp port 80: 1234567 attempts in 12.3 s were not "
		  "followed" },
		{ { .over = true, .proto = PROTO_ICMP, .unfollowed = 3 },
		  "guard lets go of 10.0.0.1 icmp: 3 attempts in 0.0 s were not followed" },
	};
	char buf[FLOOD_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flood_event e = rows[i].e;

		e.resp = ip_addr_from_v4(htonl(0x0a000001));
		assert_string_equal(flood_text(&e, 5000, buf), rows[i].want);
	}
}

#define FLOODS_TEST(sentence, fn)                                                                  \
	{                                                                                          \
		sentence, fn, rig_open, rig_close, NULL                                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLOODS_TEST("from engaging to letting go", test_life),
		FLOODS_TEST("as they stand, between those", test_as_they_stand),
		FLOODS_TEST("a pause shorter than ten seconds is no end", test_a_pause_is_no_end),
		FLOODS_TEST("a place is taken again", test_the_place_is_taken_again),
		FLOODS_TEST("what it says", test_text),
	};

	return cmocka_run_group_tests_name("floods", tests, NULL, NULL);
}
