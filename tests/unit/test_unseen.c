// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/unseen.c: which interfaces carry packets that nobody shows us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <reconmon/attempt.h>
#include <string.h>

#include "unseen.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	LOOKS_MAX = 8,
	IN = 1 << DIR_INGRESS,
	OUT = 1 << DIR_EGRESS,
	MANY = UNSEEN_PACKETS,
	FEW = UNSEEN_PACKETS - 1,
};

/* One interface, look by look: how many packets more were counted, what was noted, what is said. */
static const struct unseen_case {
	const char *name;
	struct {
		uint32_t rx, tx;
		uint8_t seen;
		char said; /* '-' nothing, 'u' unseen, 's' seen again */
	} look[LOOKS_MAX];
	const char *words; /* of the last sentence that says unseen */
} cases[] = {
	{ "all is seen",
	  { { 0, 0, 0, '-' }, { 900, 900, IN | OUT, '-' }, { 900, 9, IN | OUT, '-' } },
	  "" },
	{ "nothing goes by", { { 0, 0, 0, '-' }, { 0, 0, 0, '-' }, { 0, 0, 0, '-' } }, "" },
	{ "what was counted before the first look is nobody's fault",
	  { { 100000, 100000, 0, '-' }, { 0, 0, 0, '-' }, { 0, 0, 0, '-' } },
	  "" },
	{ "one look is none", { { 0, 0, 0, '-' }, { MANY, 0, 0, '-' }, { 0, 0, IN, '-' } }, "" },
	{ "two in a row are",
	  { { 0, 0, 0, '-' }, { MANY, 0, 0, '-' }, { MANY, 0, 0, 'u' } },
	  "packets that come in (128 so far)" },
	{ "a few packets are none",
	  { { 0, 0, 0, '-' }, { FEW, FEW, 0, '-' }, { FEW, FEW, 0, '-' }, { FEW, 0, 0, '-' } },
	  "" },
	{ "not with a pause between them",
	  { { 0, 0, 0, '-' }, { MANY, 0, 0, '-' }, { 0, 0, 0, '-' }, { MANY, 0, 0, '-' } },
	  "" },
	{ "the other direction does not excuse",
	  { { 0, 0, 0, '-' }, { 0, MANY, IN, '-' }, { 0, MANY, IN, 'u' } },
	  "packets that go out (128 so far)" },
	{ "both",
	  { { 0, 0, 0, '-' }, { MANY, MANY, 0, '-' }, { MANY, MANY, 0, 'u' } },
	  "packets that come in and go out (256 so far)" },
	{ "said once, through pauses, until it is seen",
	  { { 0, 0, 0, '-' },
	    { MANY, 0, 0, '-' },
	    { MANY, 0, 0, 'u' },
	    { 0, 0, 0, '-' },
	    { MANY, 0, 0, '-' },
	    { 5, 0, IN, 's' },
	    { 5, 0, IN, '-' } },
	  "(128 so far)" },
	{ "a count that starts anew is no flood of packets",
	  { { 1000, 0, 0, '-' }, { (uint32_t)-900, 0, 0, '-' }, { 50, 0, 0, '-' } },
	  "" },
};

static void test_looks(void **state)
{
	const struct unseen_case *c = *state;
	struct unseen *u = unseen_new();
	struct iface iface = { .index = 7 };
	char text[UNSEEN_TEXT_MAX], last[UNSEEN_TEXT_MAX] = "";
	bool unseen = false;

	for (int i = 0; i < LOOKS_MAX && c->look[i].said; i++) {
		bool again = false, news;

		iface.rx_packets += (uint64_t)(int32_t)c->look[i].rx;
		iface.tx_packets += c->look[i].tx;
		unseen_begin(u);
		news = unseen_look(u, &iface, c->look[i].seen, text, &again);
		assert_int_equal(news, c->look[i].said != '-');
		assert_int_equal(news && again, c->look[i].said == 's');
		if (news)
			unseen = !again;
		if (news && !again)
			strcpy(last, text);
		assert_int_equal(unseen_count(u), unseen);
		assert_int_equal(unseen_why(u, 7, text), unseen);
	}
	assert_non_null(strstr(last, c->words));
	assert_int_equal(!*last, !*c->words);
	unseen_free(u);
}

/* An interface that is watched no more is forgotten, and its number begins anew. */
static void test_forgotten(void **state)
{
	struct unseen *u = unseen_new();
	struct iface a = { .index = 1 }, b = { .index = 2 };
	char text[UNSEEN_TEXT_MAX];
	bool again;

	(void)state;
	for (int i = 0; i < 3; i++) {
		unseen_begin(u);
		a.rx_packets += MANY;
		unseen_look(u, &a, 0, text, &again);
		unseen_look(u, &b, 0, text, &again);
	}
	assert_int_equal(unseen_count(u), 1);
	for (int i = 0; i < 2; i++) {
		unseen_begin(u);
		unseen_look(u, &b, 0, text, &again);
	}
	assert_int_equal(unseen_count(u), 0);
	assert_false(unseen_why(u, 1, text));
	a.rx_packets += MANY;
	assert_false(unseen_look(u, &a, 0, text, &again));
	unseen_free(u);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = test_looks,
						.initial_state = (void *)&cases[i] };
	tests[ARRAY_SIZE(cases)] =
		(struct CMUnitTest){ .name = "forgotten", .test_func = test_forgotten };
	return cmocka_run_group_tests_name("unseen", tests, NULL, NULL);
}
