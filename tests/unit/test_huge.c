// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/huge.c: memory in huge pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "huge.h"

static void a_map_begins_where_a_huge_page_may(void **state)
{
	static const size_t lens[] = { 1, HUGE_PAGE, HUGE_PAGE + 1, 3ul * HUGE_PAGE };

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (int huge = 0; huge < 2; huge++) {
			char *p = huge_map(lens[i], huge);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % HUGE_PAGE, 0);
			assert_int_equal(p[0] + p[lens[i] - 1], 0);
			p[0] = p[lens[i] - 1] = 1;
			huge_unmap(p, lens[i]);
		}
	huge_unmap(NULL, 1);
}

static void turns_are_taken_one_after_the_other(void **state)
{
	unsigned int turn = huge_turn();

	(void)state;
	for (unsigned int i = 1; i < 3 * HUGE_TURNS; i++)
		assert_int_equal(huge_turn(), (turn + i) % HUGE_TURNS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_begins_where_a_huge_page_may),
		cmocka_unit_test(turns_are_taken_one_after_the_other),
	};

	return cmocka_run_group_tests_name("huge", tests, NULL, NULL);
}
