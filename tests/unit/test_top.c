// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What `top` shows, before it is drawn: rows, their order, and the small pictures. */
#include "top_glyphs.h"
#include "top_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- rows ------------------------------------------------------------------------------------ */

static const char three[] =
	"{\"originators\":["
	"{\"originator\":\"10.0.0.1\",\"port_count\":5,\"rate_pps\":0.5,\"last\":\"2026-11-25T01:"
	"00:09Z\","
	" \"answers\":{\"open\":\"22\",\"closed\":\"80-82\",\"none\":\"9\"},\"technique\":[\"syn\"]"
	","
	" \"responders\":[\"10.0.9.9\"],\"per_second\":[1,2]},"
	"{\"originator\":\"10.0.0.2\",\"port_count\":900,\"rate_pps\":3.0,\"last\":\"2026-11-25T01:"
	"00:05Z\","
	" \"technique\":[\"fin\",\"null\"],\"owner\":{\"process\":{\"name\":\"nmap\",\"pid\":42},"
	" \"owner\":{\"source\":\"guess\"}}},"
	"{\"originator\":\"10.0.0.3\",\"port_count\":5,\"rate_pps\":9.0,\"last\":\"2026-11-25T01:"
	"00:01Z\"}],"
	"\"alerts\":["
	"{\"id\":\"a\",\"originator\":\"10.0.0.3\",\"severity\":4},"
	"{\"id\":\"b\",\"originator\":\"10.0.0.3\",\"severity\":8},"
	"{\"id\":\"c\",\"originator\":\"10.0.0.3\",\"severity\":6},"
	"{\"id\":\"d\",\"originator\":\"10.0.0.1\",\"severity\":5}]}";

static void take(struct top_model *m, const char *text)
{
	json_error_t e;
	json_t *live = json_loads(text, 0, &e);

	if (!live)
		fail_msg("%s", e.text);
	assert_int_equal(top_model_take(m, live), 0);
}

static const char *addresses(const struct top_model *m, char *buf)
{
	buf[0] = '\0';
	for (size_t i = 0; i < m->rows; i++)
		strcat(strcat(buf, m->row[i].addr + strlen("10.0.0.")), " ");
	return buf;
}

static void rows_say_what_the_answer_says(void **state)
{
	struct top_model m = { .sort = TOP_BY_ADDRESS };

	(void)state;
	take(&m, three);
	assert_int_equal(m.rows, 3);
	assert_int_equal(m.row[0].answers[ANSWER_OPEN], 1);
	assert_int_equal(m.row[0].answers[ANSWER_CLOSED], 3);
	assert_int_equal(m.row[0].answers[ANSWER_FILTERED], 0);
	assert_int_equal(m.row[0].severity, 5);
	assert_int_equal(m.row[0].per_second[TOP_SECONDS - 1], 2); /* the latest on the right */
	assert_int_equal(m.row[0].per_second[0], 0);
	assert_int_equal(m.per_second[TOP_SECONDS - 2], 1);
	assert_string_equal(m.row[1].technique, "fin,null");
	assert_string_equal(m.row[1].owner, "?nmap[42]");
	assert_int_equal(m.row[2].alerts, 3);
	assert_int_equal(m.row[2].severity, 8);
	top_model_done(&m);
}

static void rows_are_sorted(void **state)
{
	static const struct {
		enum top_sort sort;
		bool reverse;
		const char *want;
	} cases[] = {
		{ TOP_BY_SEVERITY, false, "3 1 2 " }, { TOP_BY_PORTS, false, "2 1 3 " },
		{ TOP_BY_PORTS, true, "3 1 2 " },     { TOP_BY_RATE, false, "3 2 1 " },
		{ TOP_BY_LAST, false, "1 2 3 " },     { TOP_BY_ADDRESS, true, "3 2 1 " },
	};
	struct top_model m = { .live = NULL };
	char buf[64];

	(void)state;
	take(&m, three);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.sort = cases[i].sort;
		m.reverse = cases[i].reverse;
		assert_int_equal(top_model_arrange(&m), 0);
		assert_string_equal(addresses(&m, buf), cases[i].want);
	}
	top_model_done(&m);
}

static void a_filter_finds_address_technique_owner_and_responder(void **state)
{
	static const char *const cases[][2] = {
		{ "0.0.3", "3 " },  { "null", "2 " },  { "nmap", "2 " },
		{ "10.0.9", "1 " }, { "no such", "" }, { "", "1 2 3 " },
	};
	struct top_model m = { .sort = TOP_BY_ADDRESS };
	char buf[64];

	(void)state;
	take(&m, three);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(m.filter, cases[i][0]);
		assert_int_equal(top_model_arrange(&m), 0);
		assert_string_equal(addresses(&m, buf), cases[i][1]);
		assert_int_equal(m.total, 3);
	}
	top_model_done(&m);
}

/* The one that is pointed at stays so wherever it goes, and moving ends at the ends. */
static void pointing_follows_the_address(void **state)
{
	struct top_model m = { .sort = TOP_BY_ADDRESS };

	(void)state;
	take(&m, three);
	assert_int_equal(top_model_at(&m), 0);
	top_model_point(&m, 2);
	assert_string_equal(m.chosen, "10.0.0.3");
	m.sort = TOP_BY_RATE;
	top_model_arrange(&m);
	assert_int_equal(top_model_at(&m), 0);
	top_model_point(&m, -5);
	assert_string_equal(m.chosen, "10.0.0.3");
	top_model_point(&m, 99);
	assert_string_equal(m.chosen, "10.0.0.1");
	take(&m, "{\"originators\":[]}");
	assert_int_equal(top_model_at(&m), 0);
	top_model_point(&m, 1); /* nobody is there */
	assert_string_equal(m.chosen, "10.0.0.1");
	top_model_done(&m);
}

static void alerts_come_worst_first(void **state)
{
	struct top_model m = { .live = NULL };
	const json_t *a[2];

	(void)state;
	take(&m, three);
	assert_int_equal(top_alerts(&m, "10.0.0.3", a, 2), 3);
	assert_string_equal(json_string_value(json_object_get(a[0], "id")), "b");
	assert_string_equal(json_string_value(json_object_get(a[1], "id")), "c");
	assert_int_equal(top_alerts(&m, "10.0.0.9", a, 2), 0);
	top_model_done(&m);
}

/* A daemon of another version, or none: nothing of it may end us. */
static void an_answer_of_another_shape_shows_as_nothing(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"originators\":7,\"alerts\":{}}",
		"{\"originators\":[null,7,\"x\",{},{\"originator\":5,\"answers\":[],\"per_second\":"
		"\"\"}]}",
		"{\"originators\":[{\"originator\":\"\\u001b[2J\",\"answers\":{\"open\":\"9-1,x,"
		"70000,-\"},"
		"\"port_count\":-4,\"per_second\":[-1,99999999999,{}]}]}",
	};
	struct top_model m = { .live = NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		take(&m, texts[i]);
	assert_int_equal(m.rows, 1);
	assert_string_equal(m.row[0].addr, ""); /* nothing that moves a cursor */
	assert_int_equal(m.row[0].answers[ANSWER_OPEN], 0);
	top_model_done(&m);
}

static void ports_are_counted(void **state)
{
	(void)state;
	assert_int_equal(top_ports_each("", NULL, NULL), 0);
	assert_int_equal(top_ports_each("22", NULL, NULL), 1);
	assert_int_equal(top_ports_each("22,80,8000-8010,...", NULL, NULL), 13);
	assert_int_equal(top_ports_each("0-65535", NULL, NULL), 65536);
}

/* --- pictures -------------------------------------------------------------------------------- */

static void a_sparkline_has_the_latest_on_the_right(void **state)
{
	uint32_t n[60] = { [0] = 9, [58] = 1, [59] = 1000 };
	uint8_t level[60];

	(void)state;
	glyph_spark(n, 60, level, 60);
	assert_int_equal(level[59], GLYPH_LEVELS);
	assert_int_equal(level[58], 1); /* little, and not nothing */
	assert_int_equal(level[30], 0);
	glyph_spark(n, 60, level, 10); /* each the highest of six */
	assert_int_equal(level[9], GLYPH_LEVELS);
	assert_int_equal(level[8], 0);
	assert_int_equal(level[0], 1);
	memset(n, 0, sizeof(n));
	glyph_spark(n, 60, level, 7);
	for (int i = 0; i < 7; i++)
		assert_int_equal(level[i], 0);
	n[59] = 1; /* the least there is, and the most of all */
	glyph_spark(n, 60, level, 60);
	assert_int_equal(level[59], GLYPH_LEVELS);
}

static void a_map_shows_the_most_telling_answer(void **state)
{
	const char *lists[ANSWER_MAX] = { [ANSWER_NONE] = "0-255",
					  [ANSWER_OPEN] = "65535",
					  [ANSWER_CLOSED] = "200,256-300",
					  [ANSWER_FILTERED] = "" };
	struct glyph_cell cell[256];

	(void)state;
	glyph_map(lists, cell, 256);
	assert_int_equal(cell[0].answer, ANSWER_CLOSED + 1);
	assert_int_equal(cell[0].count, 257);
	assert_int_equal(cell[1].answer, ANSWER_CLOSED + 1);
	assert_int_equal(cell[1].count, 45);
	assert_int_equal(cell[2].answer, 0);
	assert_int_equal(cell[255].answer, ANSWER_OPEN + 1);
}

static void a_time_line_puts_ports_by_rank(void **state)
{
	struct glyph_probe p[] = { { 10, 8080, ANSWER_CLOSED },
				   { 0, 22, ANSWER_OPEN },
				   { 5, 443, ANSWER_NONE },
				   { 10, 22, ANSWER_CLOSED } };
	struct glyph_cell cell[4 * 11];
	int ranks[4];

	(void)state;
	glyph_timeline(p, 4, 0, 10, 4, 11, cell, ranks);
	assert_int_equal(cell[3 * 11 + 0].answer, ANSWER_OPEN + 1);
	assert_int_equal(cell[3 * 11 + 10].answer, ANSWER_CLOSED + 1);
	assert_int_equal(cell[2 * 11 + 5].answer, ANSWER_NONE + 1);
	assert_int_equal(cell[1 * 11 + 10].answer, ANSWER_CLOSED + 1);
	assert_int_equal(ranks[3], 22);
	assert_int_equal(ranks[2], 443);
	assert_int_equal(ranks[1], 8080);
	assert_int_equal(ranks[0], -1);
	/* more ports than rows share them; one moment is a column */
	glyph_timeline(p, 4, 10, 10, 2, 3, cell, ranks);
	assert_int_equal(ranks[1], 22);
	assert_int_equal(ranks[0], 8080);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_say_what_the_answer_says),
		cmocka_unit_test(rows_are_sorted),
		cmocka_unit_test(a_filter_finds_address_technique_owner_and_responder),
		cmocka_unit_test(pointing_follows_the_address),
		cmocka_unit_test(alerts_come_worst_first),
		cmocka_unit_test(an_answer_of_another_shape_shows_as_nothing),
		cmocka_unit_test(ports_are_counted),
		cmocka_unit_test(a_sparkline_has_the_latest_on_the_right),
		cmocka_unit_test(a_map_shows_the_most_telling_answer),
		cmocka_unit_test(a_time_line_puts_ports_by_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
