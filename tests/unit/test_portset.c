// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/portset.c: ports with answers, and their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "portset.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- text ---------------------------------------------------------------------------------- */

static const struct format_case {
	const char *name;
	uint16_t in[8];
	size_t n;
	const char *want;
} format_cases[] = {
	{ "an empty set is an empty text", { 0 }, 0, "" },
	{ "port 0 is a port", { 0 }, 1, "0" },
	{ "one port", { 443 }, 1, "443" },
	{ "two neighbours stay a list", { 80, 81 }, 2, "80,81" },
	{ "three neighbours become a range", { 80, 81, 82 }, 3, "80-82" },
	{ "ports come out ascending", { 443, 8000, 22, 80 }, 4, "22,80,443,8000" },
	{ "a port that is added twice is there once", { 22, 22, 22 }, 3, "22" },
	{ "a range crosses a word", { 62, 63, 64, 65 }, 4, "62-65" },
	{ "a range crosses a chunk", { 1025, 1022, 1024, 1023 }, 4, "1022-1025" },
	{ "two neighbours across a chunk stay a list", { 1024, 1023 }, 2, "1023,1024" },
	{ "chunks come in any order",
	  { 60000, 5, 30000, 40000, 2000 },
	  5,
	  "5,2000,30000,40000,60000" },
	{ "the last port ends a range", { 65533, 65534, 65535 }, 3, "65533-65535" },
	{ "the last port alone", { 65535 }, 1, "65535" },
};

static void test_format(void **state)
{
	const struct format_case *c = *state;
	struct portset *p = portset_new();
	char got[64];

	assert_non_null(p);
	for (size_t i = 0; i < c->n; i++)
		assert_true(portset_add(p, c->in[i], ANSWER_NONE) >= 0);
	assert_int_equal(portset_format(p, ANSWER_MAX, got, sizeof(got)), strlen(c->want));
	assert_string_equal(got, c->want);
	portset_free(p);
}

/* The text of "22,80,443,8000-8010" in buffers of each size: a beginning of whole elements. */
static const struct cut_case {
	const char *name;
	size_t len;
	const char *want;
} cut_cases[] = {
	{ "one byte holds the end alone", 1, "" },
	{ "two bytes hold no port of two digits", 2, "" },
	{ "three bytes hold the first port", 3, "22" },
	{ "a port that misses by one byte is left out", 5, "22" },
	{ "a port that fits exactly is there", 6, "22,80" },
	{ "a range is whole or not there", 19, "22,80,443" },
	{ "the whole text fits exactly", 20, "22,80,443,8000-8010" },
};

static void test_cut(void **state)
{
	const struct cut_case *c = *state;
	struct portset *p = portset_new();
	char *got = malloc(c->len); /* of exactly that size, for the sanitizer to watch */

	portset_add(p, 22, ANSWER_OPEN);
	portset_add(p, 80, ANSWER_OPEN);
	portset_add(p, 443, ANSWER_OPEN);
	for (uint16_t port = 8000; port <= 8010; port++)
		portset_add(p, port, ANSWER_OPEN);
	assert_int_equal(portset_format(p, ANSWER_OPEN, got, c->len), 19);
	assert_string_equal(got, c->want);
	free(got);
	portset_free(p);
}

static void nothing_follows_an_element_that_was_cut(void **state)
{
	struct portset *p = portset_new();
	char got[8];

	(void)state;
	portset_add(p, 22, ANSWER_OPEN);
	for (uint16_t port = 10000; port <= 10010; port++)
		portset_add(p, port, ANSWER_OPEN);
	portset_add(p, 10100, ANSWER_OPEN);
	assert_int_equal(portset_format(p, ANSWER_MAX, got, sizeof(got)), 20);
	assert_string_equal(got, "22");
	assert_int_equal(portset_format(p, ANSWER_MAX, NULL, 0), 20);
	portset_free(p);
}

/* --- answers ------------------------------------------------------------------------------- */

static const struct answer_case {
	const char *name;
	enum answer first, second, want;
} answer_cases[] = {
	{ "open stays open when it is closed later", ANSWER_OPEN, ANSWER_CLOSED, ANSWER_OPEN },
	{ "closed becomes open", ANSWER_CLOSED, ANSWER_OPEN, ANSWER_OPEN },
	{ "silence becomes filtered", ANSWER_NONE, ANSWER_FILTERED, ANSWER_FILTERED },
	{ "filtered stays when silence follows", ANSWER_FILTERED, ANSWER_NONE, ANSWER_FILTERED },
	{ "the same answer again changes nothing", ANSWER_CLOSED, ANSWER_CLOSED, ANSWER_CLOSED },
};

static void test_answer(void **state)
{
	const struct answer_case *c = *state;
	struct portset *p = portset_new();
	enum answer got = ANSWER_MAX;

	assert_int_equal(portset_add(p, 1000, c->first), 1);
	assert_int_equal(portset_add(p, 1000, c->second), 0);
	assert_int_equal(portset_count(p), 1);
	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		assert_int_equal(portset_count_answer(p, a), a == c->want);
	assert_true(portset_get(p, 1000, &got));
	assert_int_equal(got, c->want);
	portset_free(p);
}

static void each_answer_has_its_ports_and_its_name(void **state)
{
	static const char *const names[] = { "open", "closed", "filtered", "none" };
	static const char *const want[] = { "22,80", "1-3", "443", "65535" };
	struct portset *p = portset_new();
	char got[64];

	(void)state;
	for (uint16_t port = 1; port <= 3; port++)
		portset_add(p, port, ANSWER_CLOSED);
	portset_add(p, 80, ANSWER_OPEN);
	portset_add(p, 22, ANSWER_OPEN);
	portset_add(p, 443, ANSWER_FILTERED);
	portset_add(p, 65535, ANSWER_NONE);
	for (unsigned int a = 0; a < ANSWER_MAX; a++) {
		portset_format(p, a, got, sizeof(got));
		assert_string_equal(got, want[a]);
		assert_string_equal(answer_name(a), names[a]);
	}
	portset_format(p, ANSWER_MAX, got, sizeof(got));
	assert_string_equal(got, "1-3,22,80,443,65535");
	portset_free(p);
}

static void what_is_removed_is_gone_and_may_come_back(void **state)
{
	struct portset *p = portset_new();
	enum answer got = ANSWER_MAX;
	char text[16];

	(void)state;
	assert_false(portset_remove(p, 22));
	portset_add(p, 22, ANSWER_OPEN);
	assert_false(portset_remove(p, 23));
	assert_true(portset_remove(p, 22));
	assert_false(portset_remove(p, 22));
	assert_false(portset_get(p, 22, &got));
	assert_false(portset_get(p, 50000, &got));
	assert_int_equal(got, ANSWER_MAX);
	assert_int_equal(portset_count(p), 0);
	assert_int_equal(portset_format(p, ANSWER_MAX, text, sizeof(text)), 0);
	assert_int_equal(portset_add(p, 22, ANSWER_NONE), 1);
	assert_int_equal(portset_count_answer(p, ANSWER_NONE), 1);
	portset_free(p);
}

/* --- size ---------------------------------------------------------------------------------- */

static void all_ports_are_one_range_whatever_their_order(void **state)
{
	struct portset *p = portset_new();
	char got[16];

	(void)state;
	for (uint32_t i = 0; i < 65536; i++) /* an odd step visits each port once */
		assert_int_equal(portset_add(p, (uint16_t)(i * 40503), i % ANSWER_MAX), 1);
	assert_int_equal(portset_count(p), 65536);
	for (unsigned int a = 0; a < ANSWER_MAX; a++)
		assert_int_equal(portset_count_answer(p, a), 16384);
	assert_int_equal(portset_format(p, ANSWER_MAX, got, sizeof(got)), 7);
	assert_string_equal(got, "0-65535");
	portset_free(p);
}

static void free_of_no_set_is_fine(void **state)
{
	(void)state;
	portset_free(NULL);
}

static int run_tables(void)
{
	struct CMUnitTest format[ARRAY_SIZE(format_cases)], cut[ARRAY_SIZE(cut_cases)];
	struct CMUnitTest answer[ARRAY_SIZE(answer_cases)];
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(format_cases); i++)
		format[i] = (struct CMUnitTest){ .name = format_cases[i].name,
						 .test_func = test_format,
						 .initial_state = (void *)&format_cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(cut_cases); i++)
		cut[i] = (struct CMUnitTest){ .name = cut_cases[i].name,
					      .test_func = test_cut,
					      .initial_state = (void *)&cut_cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(answer_cases); i++)
		answer[i] = (struct CMUnitTest){ .name = answer_cases[i].name,
						 .test_func = test_answer,
						 .initial_state = (void *)&answer_cases[i] };
	failed += cmocka_run_group_tests_name("portset_format", format, NULL, NULL);
	failed += cmocka_run_group_tests_name("portset_format: cut", cut, NULL, NULL);
	failed += cmocka_run_group_tests_name("portset_add: answers", answer, NULL, NULL);
	return failed;
}

static void next_and_shared_see_every_port(void **state)
{
	static const uint16_t both[] = { 0, 63, 64, 1023, 1024, 40000, 65535 };
	struct portset *p = portset_new(), *q = portset_new();
	uint32_t n = 0;

	(void)state;
	assert_int_equal(portset_next(p, ANSWER_MAX, 0), -1);
	assert_int_equal(portset_shared(p, q), 0);
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		portset_add(p, both[i], ANSWER_OPEN);
		portset_add(q, both[i], ANSWER_CLOSED);
	}
	portset_add(p, 22, ANSWER_CLOSED);
	portset_add(q, 23, ANSWER_OPEN);
	assert_int_equal(portset_shared(p, q), sizeof(both) / sizeof(both[0]));
	assert_int_equal(portset_shared(q, p), sizeof(both) / sizeof(both[0]));
	for (int port = portset_next(p, ANSWER_OPEN, 0); port >= 0;
	     port = portset_next(p, ANSWER_OPEN, (uint32_t)port + 1))
		assert_int_equal(port, both[n++]);
	assert_int_equal(n, sizeof(both) / sizeof(both[0]));
	assert_int_equal(portset_next(p, ANSWER_CLOSED, 0), 22);
	assert_int_equal(portset_next(p, ANSWER_CLOSED, 23), -1);
	portset_free(p);
	portset_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_follows_an_element_that_was_cut),
		cmocka_unit_test(each_answer_has_its_ports_and_its_name),
		cmocka_unit_test(what_is_removed_is_gone_and_may_come_back),
		cmocka_unit_test(all_ports_are_one_range_whatever_their_order),
		cmocka_unit_test(free_of_no_set_is_fine),
		cmocka_unit_test(next_and_shared_see_every_port),
	};

	return run_tables() + cmocka_run_group_tests_name("portset", tests, NULL, NULL) != 0;
}
