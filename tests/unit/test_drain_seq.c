/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The word that tells the packet path of drains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <reconmon/drain_seq.h>

static void test_met(void **state)
{
	__u32 seq = 0, before;

	(void)state;
	assert_false(drain_met(seq, seq));
	before = seq;
	drain_enter(&seq);
	assert_true(drain_met(before, seq)); /* it began in between, */
	assert_true(drain_met(seq, seq));    /* is under way all the time, */
	drain_leave(&seq);
	assert_true(drain_met(before, seq)); /* came and went */
	assert_true(drain_met(before + 1, seq));
	assert_false(drain_met(seq, seq));
}

/* Who was killed between the two leaves it odd; the next goes on from there. */
static void test_broken_off(void **state)
{
	__u32 seq = 0xfffffffe;

	(void)state;
	drain_enter(&seq);
	drain_enter(&seq);
	assert_true(drain_met(seq, seq));
	drain_leave(&seq);
	assert_int_equal(seq, 0);
	drain_leave(&seq); /* never happens; not odd, and another one than before */
	assert_false(drain_met(seq, seq));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_met),
		cmocka_unit_test(test_broken_off),
	};

	return cmocka_run_group_tests_name("drain_seq", tests, NULL, NULL);
}
