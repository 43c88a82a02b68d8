// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/control_request.c: what the control socket takes for a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "control_request.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name, *line;
	struct control_request want;
	const char *error; /* part of the sentence; NULL: it is taken */
} cases[] = {
	{ "status", "{\"get\":\"status\"}", { CONTROL_STATUS, 0, "" }, NULL },
	{ "spaces are fine", " { \"get\" : \"live\" } \r", { CONTROL_LIVE, 0, "" }, NULL },
	{ "a subscription, shortest",
	  "{\"get\":\"live\",\"every_ms\":100}",
	  { CONTROL_LIVE, 100, "" },
	  NULL },
	{ "a subscription, longest",
	  "{\"every_ms\":60000,\"get\":\"status\"}",
	  { CONTROL_STATUS, 60000, "" },
	  NULL },
	{ "alerts", "{\"get\":\"alerts\"}", { CONTROL_ALERTS, 0, "" }, NULL },
	{ "an alert",
	  "{\"get\":\"alerts\",\"id\":\"6b095dbc-cad30eaa-0\"}",
	  { CONTROL_ALERTS, 0, "6b095dbc-cad30eaa-0" },
	  NULL },
	{ "the longest id",
	  "{\"get\":\"alerts\",\"id\":\"12345678901234567890123\"}",
	  { CONTROL_ALERTS, 0, "12345678901234567890123" },
	  NULL },
	{ "an id too long",
	  "{\"get\":\"alerts\",\"id\":\"123456789012345678901234\"}",
	  { 0 },
	  "id: the id of an alert is expected, at most 23" },
	{ "an empty id", "{\"get\":\"alerts\",\"id\":\"\"}", { 0 }, "id: " },
	{ "an id that is a number", "{\"get\":\"alerts\",\"id\":1}", { 0 }, "id: " },
	{ "an id of status", "{\"get\":\"status\",\"id\":\"1\"}", { 0 }, "id goes with alerts" },
	{ "alerts again and again",
	  "{\"get\":\"alerts\",\"every_ms\":500}",
	  { 0 },
	  "every_ms goes with" },
	{ "too often", "{\"get\":\"live\",\"every_ms\":99}", { 0 }, "from 100 to 60000" },
	{ "too rarely", "{\"get\":\"live\",\"every_ms\":60001}", { 0 }, "from 100 to 60000" },
	{ "beyond 32 bits",
	  "{\"get\":\"live\",\"every_ms\":4294967796}",
	  { 0 },
	  "from 100 to 60000" },
	{ "a part of a millisecond", "{\"get\":\"live\",\"every_ms\":500.5}", { 0 }, "every_ms: " },
	{ "nothing", "", { 0 }, "not a JSON object" },
	{ "a list", "[\"status\"]", { 0 }, "not a JSON object" },
	{ "a word", "status", { 0 }, "not a JSON object" },
	{ "half of it", "{\"get\":\"sta", { 0 }, "not a JSON object" },
	{ "something behind it", "{\"get\":\"status\"} x", { 0 }, "not a JSON object" },
	{ "a key twice", "{\"get\":\"live\",\"get\":\"status\"}", { 0 }, "not a JSON object" },
	{ "no get", "{}", { 0 }, "`get` is missing" },
	{ "no get but an id", "{\"id\":\"1\"}", { 0 }, "`get` is missing" },
	{ "an unknown get",
	  "{\"get\":\"everything\"}",
	  { 0 },
	  "accepted are status, live, alerts" },
	{ "a get that is no text", "{\"get\":null}", { 0 }, "get: a text is expected" },
	{ "an unknown key", "{\"get\":\"live\",\"limit\":5}", { 0 }, "no key 'limit'" },
	{ "broken UTF-8", "{\"get\":\"\xff\"}", { 0 }, "not a JSON object" },
};

static void test_parse(void **state)
{
	size_t i = (size_t)(uintptr_t)*state;
	struct control_request got = { CONTROL_ALERTS, 77, "unchanged" };
	struct error err = { 0 };
	/* On the heap and without its end, so that a byte too far is seen. */
	size_t len = strlen(cases[i].line);
	char *line = malloc(len ? len : 1);
	int r;

	memcpy(line, cases[i].line, len);
	r = control_request_parse(line, len, &got, &err);
	free(line);
	if (cases[i].error) {
		assert_true(r < 0);
		assert_non_null(strstr(err.text, cases[i].error));
		assert_string_equal(got.id, "unchanged");
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(got.get, cases[i].want.get);
	assert_int_equal(got.every_ms, cases[i].want.every_ms);
	assert_string_equal(got.id, cases[i].want.id);
}

static void test_too_long(void **state)
{
	static char line[CONTROL_LINE_MAX + 1];
	struct control_request got;
	struct error err;

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"get\":\"live\"}", 14);
	assert_int_equal(control_request_parse(line, CONTROL_LINE_MAX, &got, &err), 0);
	assert_true(control_request_parse(line, CONTROL_LINE_MAX + 1, &got, &err) < 0);
	assert_non_null(strstr(err.text, "at most 1024 bytes"));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = test_parse,
						.initial_state = (void *)(uintptr_t)i };
	tests[ARRAY_SIZE(cases)] =
		(struct CMUnitTest){ .name = "a line too long", .test_func = test_too_long };
	return cmocka_run_group_tests_name("control_request", tests, NULL, NULL);
}
