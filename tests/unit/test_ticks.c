// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/ticks.c: ticks arrive in order, each once and cleared, whoever of the two threads is slower.
 * Built once more under ThreadSanitizer (TICKS_ALONE: without the engine). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "ticks.h"

#define TICKS 200u

#ifdef TICKS_ALONE
void engine_plan(const struct engine *e, const struct contact_key *key, const struct contact *c,
		 struct engine_plan *plan)
{
	(void)e, (void)key, (void)c, (void)plan;
}

void engine_expect(const struct engine *e, const struct contact *c, struct engine_plan *plan,
		   enum table_step step)
{
	(void)e, (void)c, (void)plan, (void)step;
}

bool engine_contact_planned(struct engine *e, const struct contact_key *key,
			    const struct contact *c, const struct engine_plan *plan)
{
	(void)e, (void)key, (void)c, (void)plan;
	return false;
}
#endif

struct judgement {
	unsigned int every; /* naps at one of so many; 0: never */
	pthread_t by;
	uint64_t ticks, pieces, wrong;
};

static void nap(unsigned int n, unsigned int every)
{
	const struct timespec t = { .tv_nsec = 200000 };

	if (every && n % every == 0)
		nanosleep(&t, NULL);
}

/* The n-th tick, from 1, has n % 7 pieces whose time is n. */
static void on_tick(void *ctx, struct tick *t)
{
	struct judgement *j = ctx;

	j->by = pthread_self();
	j->ticks++;
	j->wrong += t->now_ns != j->ticks || t->pieces.n != j->ticks % 7;
	for (size_t i = 0; i < t->pieces.n; i++)
		j->wrong += piece_time(&t->pieces.piece[i]) != j->ticks;
	j->pieces += t->pieces.n;
	nap((unsigned int)j->ticks, j->every);
}

static void gather(struct ticks *q, uint64_t n)
{
	const struct contact c = { .silent_last_ns = n };
	struct tick *t = ticks_next(q);

	assert_int_equal(t->pieces.n, 0);
	for (uint64_t i = 0; i < n % 7; i++)
		pieces_add_contact(&t->pieces, &(struct contact_key){ .proto = 1 }, &c);
	t->now_ns = n;
	ticks_hand_over(q);
}

static void check(bool threaded, unsigned int gather_every, unsigned int judge_every)
{
	struct judgement j = { .every = judge_every };
	struct ticks *q = ticks_new(threaded, on_tick, &j);

	assert_non_null(q);
	for (uint64_t n = 1; n <= TICKS; n++) {
		gather(q, n);
		nap((unsigned int)n, gather_every);
		if (n != TICKS / 2)
			continue;
		ticks_wait(q);
		assert_int_equal(j.ticks, n);
	}
	ticks_free(q); /* judges what waits */
	assert_int_equal(j.ticks, TICKS);
	assert_int_equal(j.pieces, TICKS / 7 * 21 + 1 + 2 + 3 + 4);
	assert_int_equal(j.wrong, 0);
	assert_int_equal(pthread_equal(j.by, pthread_self()) != 0, !threaded);
}

static void test_order(void **state)
{
	(void)state;
	check(false, 0, 0);
	check(true, 0, 0);
	check(true, 1, 0);
	check(true, 0, 1);
	check(true, 5, 3);
}

static void test_nothing(void **state)
{
	struct judgement j = { 0 };

	(void)state;
	ticks_free(NULL);
	ticks_free(ticks_new(true, on_tick, &j));
	ticks_free(ticks_new(false, on_tick, &j));
	assert_int_equal(j.ticks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
