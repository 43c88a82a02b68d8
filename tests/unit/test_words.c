// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How times, counts and words are read. */
#include "words.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MS 1000000ull
#define S  1000000000ull
#define M  (60 * S)
#define H  (60 * M)
#define D  (24 * H)

/* --- duration_parse --- */

static const struct duration_case {
	const char *name, *text;
	uint64_t min_ns, max_ns;
	int r;
	uint64_t want;
} duration_cases[] = {
	{ "nothing", "", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a unit alone", "s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a number alone", "5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "zero needs a unit too", "0", 0, UINT64_MAX, -EINVAL, 0 },
	{ "zero", "0s", 0, UINT64_MAX, 0, 0 },
	{ "milliseconds", "300ms", 0, UINT64_MAX, 0, 300 * MS },
	{ "seconds", "5s", 0, UINT64_MAX, 0, 5 * S },
	{ "minutes", "10m", 0, UINT64_MAX, 0, 10 * M },
	{ "hours", "24h", 0, UINT64_MAX, 0, 24 * H },
	{ "days", "7d", 0, UINT64_MAX, 0, 7 * D },
	{ "decimals", "1.5s", 0, UINT64_MAX, 0, 1500 * MS },
	{ "decimals of a minute", "0.05m", 0, UINT64_MAX, 0, 3 * S },
	{ "nine decimals of a second", "0.000000001s", 0, UINT64_MAX, 0, 1 },
	{ "digits below a nanosecond count as nothing", "1.0000000009s", 0, UINT64_MAX, 0, S },
	{ "many zeros", "1.000000000000000000000000000000s", 0, UINT64_MAX, 0, S },
	{ "no digit before the point", ".5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "no digit behind the point", "5.s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two points", "1.5.5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a comma", "1,5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a sign", "+5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a negative time", "-5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space before", " 5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space between", "5 s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space behind", "5s ", 0, UINT64_MAX, -EINVAL, 0 },
	{ "an unknown unit", "5w", 0, UINT64_MAX, -EINVAL, 0 },
	{ "upper case", "5S", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two times", "1h30m", 0, UINT64_MAX, -EINVAL, 0 },
	{ "an exponent", "1e3s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "hexadecimal", "0x5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "the lower limit", "50ms", 50 * MS, M, 0, 50 * MS },
	{ "just below the lower limit", "49.999999ms", 50 * MS, M, -EINVAL, 0 },
	{ "the upper limit", "60s", 50 * MS, M, 0, M },
	{ "just above the upper limit", "60.000000001s", 50 * MS, M, -EINVAL, 0 },
	{ "the largest of all", "18446744073.709551615s", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "one nanosecond above it", "18446744073.709551616s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows when multiplied by the unit", "213504d", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows in the digits", "18446744073709551616ms", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows in the digits, to a small number", "184467440737095516160001ms", 0, UINT64_MAX,
	  -EINVAL, 0 },
};

static void test_duration_parse(void **state)
{
	const struct duration_case *c = *state;
	uint64_t untouched = 0xdeadbeef, got = untouched;
	struct error err = { 0 };

	assert_int_equal(duration_parse("--x", c->text, c->min_ns, c->max_ns, &got, &err), c->r);
	assert_int_equal(got, c->r ? untouched : c->want);
	assert_int_equal(err.exit_code, c->r ? EXIT_USAGE : 0);
}

static void test_duration_errors(void **state)
{
	struct error err = { 0 };
	uint64_t ns;

	(void)state;
	duration_parse("--tick", "5", 50 * MS, M, &ns, &err);
	assert_string_equal(err.text,
			    "--tick '5': a time needs a number and a unit (ms, s, m, h, d), 50ms "
			    "to 1m");
	duration_parse("--tick", "1h", 50 * MS, M, &ns, &err);
	assert_string_equal(err.text, "--tick '1h': a time from 50ms to 1m is accepted");
}

/* --- duration_format --- */

static const struct format_case {
	const char *name;
	uint64_t ns;
	const char *want;
} format_cases[] = {
	{ "nothing", 0, "0s" },
	{ "a nanosecond", 1, "0.000001ms" },
	{ "a millisecond", MS, "1ms" },
	{ "milliseconds stay whole", 100 * MS, "100ms" },
	{ "a second", S, "1s" },
	{ "a second and a half", 1500 * MS, "1.5s" },
	{ "a second and a nanosecond", S + 1, "1.000000001s" },
	{ "a minute and a half", 90 * S, "90s" },
	{ "five minutes", 5 * M, "5m" },
	{ "a day", D, "1d" },
	{ "a day and a half", 36 * H, "36h" },
	{ "a week", 7 * D, "7d" },
	{ "no unit but seconds tells it exactly", D + 1, "86400.000000001s" },
	{ "the largest of all", UINT64_MAX, "18446744073.709551615s" },
};

static void test_duration_format(void **state)
{
	const struct format_case *c = *state;
	uint64_t back;
	char buf[32];

	assert_string_equal(duration_format(c->ns, buf), c->want);
	assert_int_equal(duration_parse("--x", buf, 0, UINT64_MAX, &back, NULL), 0);
	assert_int_equal(back, c->ns);
}

static void test_duration_round_trip(void **state)
{
	uint64_t ns = 1, back;
	char buf[32];

	(void)state;
	for (int i = 0; i < 100000; i++) { /* any sequence over all magnitudes will do */
		ns = ns * 6364136223846793005ull + 1442695040888963407ull;
		duration_format(ns >> (i % 64), buf);
		assert_int_equal(duration_parse("--x", buf, 0, UINT64_MAX, &back, NULL), 0);
		assert_int_equal(back, ns >> (i % 64));
	}
}

/* --- count_parse --- */

static const struct count_case {
	const char *name, *text;
	uint32_t min, max;
	int r;
	uint32_t want;
} count_cases[] = {
	{ "nothing", "", 0, UINT32_MAX, -EINVAL, 0 },
	{ "zero", "0", 0, UINT32_MAX, 0, 0 },
	{ "the largest of 32 bits", "4294967295", 0, UINT32_MAX, 0, UINT32_MAX },
	{ "one above", "4294967296", 0, UINT32_MAX, -EINVAL, 0 },
	{ "ten times as much", "42949672950", 0, UINT32_MAX, -EINVAL, 0 },
	{ "the lower limit", "1024", 1024, 1048576, 0, 1024 },
	{ "below the lower limit", "1023", 1024, 1048576, -EINVAL, 0 },
	{ "hexadecimal", "0x400", 0, UINT32_MAX, -EINVAL, 0 },
	{ "a suffix", "64k", 0, UINT32_MAX, -EINVAL, 0 },
};

static void test_count_parse(void **state)
{
	const struct count_case *c = *state;
	uint32_t untouched = 0xdeadbeef, got = untouched;
	struct error err = { 0 };

	assert_int_equal(count_parse("--x", c->text, c->min, c->max, &got, &err), c->r);
	assert_int_equal(got, c->r ? untouched : c->want);
	assert_int_equal(err.exit_code, c->r ? EXIT_USAGE : 0);
}

static struct CMUnitTest tests[256];
static size_t n_tests;

static void add_test(const char *name, CMUnitTestFunction test, const void *row)
{
	assert(n_tests < ARRAY_SIZE(tests));
	tests[n_tests++] = (struct CMUnitTest){ .name = name,
						.test_func = test,
						.initial_state = (void *)(uintptr_t)row };
}

#define ADD_TABLE(cases, test)                                                                     \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
	add_test((cases)[i].name, (test), &(cases)[i])

int main(void)
{
	ADD_TABLE(duration_cases, test_duration_parse);
	add_test("a bad time is told with what is accepted", test_duration_errors, NULL);
	ADD_TABLE(format_cases, test_duration_format);
	add_test("every time reads back as it was", test_duration_round_trip, NULL);
	ADD_TABLE(count_cases, test_count_parse);
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
