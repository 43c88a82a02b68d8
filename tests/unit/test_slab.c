// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/slab.c: pieces of a few sizes in chunks that a piece's address tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slab.h"

enum {
	SIZE = 4096,
	PIECES = 3000, /* six chunks */
};

static uint64_t random_next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* What is in a piece stays, whatever comes and goes beside it; in the end all is given back. */
static void pieces_do_not_overlap(void **state)
{
	static unsigned char *piece[PIECES];
	struct slab s = { .size = SIZE };
	uint64_t x = 88172645463325252ull;
	size_t most = 0;

	(void)state;
	for (int step = 0; step < 60000; step++) {
		size_t i = random_next(&x) % (step < 30000 ? PIECES : PIECES / (step / 5000));

		if (!piece[i]) {
			piece[i] = slab_get(&s);
			assert_non_null(piece[i]);
			assert_int_equal((uintptr_t)piece[i] % 8, 0);
			memset(piece[i], (int)(i % 251), SIZE);
			most = s.chunks > most ? s.chunks : most;
			continue;
		}
		for (size_t k = 0; k < SIZE; k += SIZE - 1)
			assert_int_equal(piece[i][k], i % 251);
		slab_put(&s, piece[i]);
		piece[i] = NULL;
	}
	assert_in_range(most, 3, 8);
	for (size_t i = 0; i < PIECES; i++)
		if (piece[i])
			slab_put(&s, piece[i]);
	assert_int_equal(s.chunks, 1);
	slab_done(&s);
	assert_int_equal(s.chunks, 0);
}

static void the_largest_fit(void **state)
{
	struct slab s = { .size = SLAB_MAX };
	void *piece[40];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		piece[i] = slab_get(&s);
		assert_non_null(piece[i]);
		memset(piece[i], 1, SLAB_MAX);
	}
	for (size_t i = 0; i < 40; i++)
		slab_put(&s, piece[i]);
	slab_done(&s);
}

static void what_was_never_used_has_nothing_to_give_back(void **state)
{
	struct slab s = { .size = 96 };

	(void)state;
	slab_done(&s);
	assert_int_equal(s.chunks, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(the_largest_fit),
		cmocka_unit_test(what_was_never_used_has_nothing_to_give_back),
	};

	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
