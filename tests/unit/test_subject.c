// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What an alert's document says when it is read back: anybody may have written it. */
#include "subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALERT "\"reconmon\":{\"alert\":{\"state\":\"open\",\"threshold\":3,\"window_s\":300,"
#define HEAD                                                                                       \
	"{\"event\":{\"dataset\":\"reconmon.alert\",\"id\":\"0a-0b-0\"},\"rule\":{\"id\":\"r\"},"  \
	"\"source\":{\"ip\":\"10.0.0.1\"},\"network\":{\"transport\":\"tcp\"},"

static bool read_text(const char *text, struct subject *ret, json_t **doc)
{
	json_error_t e;

	*doc = json_loads(text, 0, &e);
	if (!*doc)
		fail_msg("%s: %s", text, e.text);
	return subject_read(*doc, ret);
}

static void reads_ports_and_answers(void **state)
{
	struct subject *s = malloc(sizeof(*s));
	uint16_t first[4], last[4];
	json_t *doc;

	(void)state;
	assert_true(read_text(HEAD ALERT
			      "\"ports\":\"22,80-82,65535\",\"answers\":{\"open\":\"22\","
			      "\"closed\":\"80-82\",\"none\":\"65535\"}}}}",
			      s, &doc));
	assert_int_equal(s->ports, 5);
	assert_int_equal(subject_ranges(s, ANSWER_MAX, first, last, 4), 3);
	assert_int_equal(first[1], 80);
	assert_int_equal(last[1], 82);
	assert_int_equal(subject_ranges(s, ANSWER_CLOSED, first, last, 4), 1);
	assert_int_equal(subject_ranges(s, ANSWER_OPEN, first, last, 4), 1);
	assert_int_equal(first[0], 22);
	assert_int_equal(subject_ranges(s, ANSWER_NONE, first, last, 4), 1);
	assert_int_equal(last[0], 65535);
	assert_int_equal(subject_proto(s), PROTO_TCP);
	assert_int_equal(s->port, -1);
	json_decref(doc);
	free(s);
}

static void more_ranges_than_room_are_counted(void **state)
{
	struct subject *s = malloc(sizeof(*s));
	uint16_t first[2] = { 0 }, last[2] = { 0 };
	json_t *doc;

	(void)state;
	assert_true(read_text(HEAD ALERT "\"ports\":\"1,3,5,7\"}}}", s, &doc));
	assert_int_equal(subject_ranges(s, ANSWER_MAX, first, last, 2), 4);
	assert_int_equal(first[1], 3);
	assert_int_equal(last[1], 3);
	json_decref(doc);
	free(s);
}

/* Documents that are ours and make no sense, or are nobody's. */
static void refuses_what_makes_no_sense(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"event\":{\"dataset\":\"zeek.conn\",\"id\":\"x\"}}",
		"{\"event\":{\"dataset\":\"reconmon.alert\"}}",
		"{\"event\":\"reconmon.alert\"}",
		HEAD "\"reconmon\":{\"alert\":{}}}",
		HEAD ALERT "\"ports\":\"22,x\"}}}",
		HEAD ALERT "\"ports\":\"65536\"}}}",
		HEAD ALERT "\"ports\":\"9-1\"}}}",
		HEAD ALERT "\"ports\":\"1-\"}}}",
		HEAD ALERT "\"ports\":\"22;23\"}}}",
		HEAD ALERT "\"ports\":\"22\",\"answers\":{\"open\":\"-5\"}}}}",
		HEAD ALERT "\"ports\":\"22\"}},\"destination\":{\"port\":65536}}",
		HEAD ALERT "\"ports\":\"22\"}},\"destination\":{\"ip\":\"10.0.0.1 or so\"}}",
	};
	struct subject *s = malloc(sizeof(*s));
	json_t *doc;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (read_text(texts[i], s, &doc))
			fail_msg("taken: %s", texts[i]);
		json_decref(doc);
	}
	free(s);
}

/* Nothing that would move a terminal's cursor gets through; other types are as good as absent. */
static void odd_text_is_absent(void **state)
{
	struct subject *s = malloc(sizeof(*s));
	json_t *doc;

	(void)state;
	assert_true(read_text(HEAD ALERT
			      "\"ports\":\"22\",\"technique\":[7,{},\"syn\"]}},\"process\":"
			      "{\"name\":\"a\\u001b[31m\",\"pid\":\"x\"}}",
			      s, &doc));
	assert_string_equal(s->process, "");
	assert_int_equal(s->pid, 0);
	assert_string_equal(s->responder, "");
	json_decref(doc);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ports_and_answers),
		cmocka_unit_test(more_ranges_than_room_are_counted),
		cmocka_unit_test(refuses_what_makes_no_sense),
		cmocka_unit_test(odd_text_is_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
