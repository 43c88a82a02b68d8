/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* user/status_text.c: what people read of an answer to `status`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <status.h>
#include <stdlib.h>
#include <string.h>

/* printed - the text of an answer, in whose JSON ' stands for ", for free(). */
static char *printed(const char *single_quoted, bool all)
{
	char *json = strdup(single_quoted), *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	json_t *status;

	assert_non_null(json);
	for (char *q = json; (q = strchr(q, '\''));)
		*q = '"';
	status = json_loads(json, 0, NULL);
	free(json);
	assert_non_null(status);
	assert_non_null(out);
	assert_int_equal(status_print(status, all, out), 0);
	fclose(out);
	json_decref(status);
	return text;
}

static void test_guard(void **state)
{
	static const struct {
		const char *json,
			*want; /* a whole line or several; NULL: the guard is not spoken of */
	} rows[] = {
		{ "{}", NULL }, /* a daemon of another version */
		{ "{'guard': {'rate': 0, 'engaged': false, 'unfollowed': 0, 'services': []}}",
		  "\nflood guard: off\n" },
		{ "{'guard': {'rate': 5000, 'engaged': false, 'unfollowed': 7, 'services': []}}",
		  "\nflood guard: not engaged, above 5000 attempts a second at one; 7 attempts not "
		  "followed so far\n" },
		{ "{'guard': {'rate': 5000, 'engaged': true, 'unfollowed': 9, 'services': ["
		  "{'responder': '10.0.0.2', 'port': 80, 'protocol': 'tcp', 'direction': "
		  "'ingress', 'interface': 'eth0', 'since': 'S', 'last': 'L', 'unfollowed': 9}]}}",
		  "\nflood guard: ENGAGED for 1 service, above 5000 attempts a second at one; 9 "
		  "attempts not followed so far\n"
		  "  10.0.0.2 tcp port 80 (in on eth0): since S, 9 attempts not followed, last "
		  "L\n" },
		{ "{'guard': {'rate': 5000, 'engaged': true, 'unfollowed': 9, 'services': ["
		  "{'responder': 'fd00::2', 'protocol': 'icmp', 'direction': 'egress', "
		  "'interface': 'e\\u001b[1m', 'since': 'S', 'last': 'L', 'unfollowed': 4}, "
		  "{'responder': '10.0.0.2', 'port': 53, 'protocol': 'udp', 'direction': "
		  "'ingress', 'since': 'S', 'last': 'L', 'unfollowed': 5}]}}",
		  "\nflood guard: ENGAGED for 2 services, above 5000 attempts a second at one; 9 "
		  "attempts not followed so far\n"
		  "  fd00::2 icmp (out on e?[1m): since S, 4 attempts not followed, last L\n"
		  "  10.0.0.2 udp port 53: since S, 5 attempts not followed, last L\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = printed(rows[i].json, false);

		if (rows[i].want && !strstr(text, rows[i].want))
			fail_msg("no '%s' in '%s'", rows[i].want, text);
		if (!rows[i].want)
			assert_null(strstr(text, "guard"));
		free(text);
	}
}

#define ONE(name, value) "{'name': '" name "', 'value': " value ", 'text': '...'}"

static void test_counters(void **state)
{
	static const char status[] = "{'counters': [" ONE("probes", "0") "," ONE(
		"parse_short", "0") "," ONE("undecided", "12") "," ONE("kept_not", "0") "]}";
	static const struct {
		bool all;
		const char *json, *want; /* the end of the text */
	} rows[] = {
		{ false, status,
		  "\ncounters:\n"
		  "  probes                                0  ...\n"
		  "  undecided                            12  ...\n"
		  "  ... and 2 that are 0 (--all)\n" },
		{ true, status,
		  "\ncounters:\n"
		  "  probes                                0  ...\n"
		  "  parse_short                           0  ...\n"
		  "  undecided                            12  ...\n"
		  "  kept_not                              0  ...\n" },
		{ false, "{'counters': [" ONE("undecided", "1") "]}",
		  "\ncounters:\n"
		  "  undecided                             1  ...\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = printed(rows[i].json, rows[i].all), *at = strstr(text, "\ncounters:");

		assert_non_null(at);
		assert_string_equal(at, rows[i].want);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "the flood guard", test_guard, NULL, NULL, NULL },
		{ "counters that are 0, and those that are not", test_counters, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests_name("status_text", tests, NULL, NULL);
}
