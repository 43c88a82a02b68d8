/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* user/report_*.c: does text of others stay text, is a mark drawn for each probe, is memory bounded
 * and every limit counted, and do lines of a log make the alerts they tell of? */
#include <arpa/inet.h>
#include <inttypes.h>

#include "alerts.h"

#include "config.h"
#include "report_alertlog.h"
#include "report_axis.h"
#include "report_html.h"
#include "report_svg.h"
#include "report_text.h"

/* --- text of others ------------------------------------------------------------------------- */

static const struct text_case {
	const char *name, *in, *html, *md;
} text_cases[] = {
	{ "nothing", "", "", "" },
	{ "no text at all", NULL, "", "" },
	{ "plain words", "nmap 7.93, 10.0.0.5", "nmap 7.93, 10.0.0.5", "nmap 7.93, 10.0.0.5" },
	{ "an element", "<script>x</script>", "&lt;script&gt;x&lt;/script&gt;",
	  "&lt;script&gt;x&lt;/script&gt;" },
	{ "the end of an attribute", "\" onload='x", "&quot; onload=&#39;x", "\" onload\\='x" },
	{ "a reference", "&lt;b&gt;", "&amp;lt;b&amp;gt;", "&amp;lt;b&amp;gt;" },
	{ "the end of a comment and of CDATA", "--> ]]>", "--&gt; ]]&gt;", "--&gt; \\]\\]&gt;" },
	{ "a cell's end and a link", "a|[b](c)`d`", "a|[b](c)`d`", "a\\|\\[b\\](c)\\`d\\`" },
	{ "lines", "a\nb\r\tc",
	  "a\xEF\xBF\xBD"
	  "b\xEF\xBF\xBD\xEF\xBF\xBD"
	  "c",
	  "a\xEF\xBF\xBD"
	  "b\xEF\xBF\xBD\xEF\xBF\xBD"
	  "c" },
	{ "an escape sequence", "\033[31m", "\xEF\xBF\xBD[31m", "\xEF\xBF\xBD\\[31m" },
	{ "letters of others", "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x90\x9F",
	  "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x90\x9F",
	  "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x90\x9F" },
	{ "the other direction (U+202E)",
	  "a\xE2\x80\xAE"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "no width (U+200B)",
	  "a\xE2\x80\x8B"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "a lone byte",
	  "a\xFF"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b",
	  "a\xEF\xBF\xBD"
	  "b" },
	{ "a long form of '<'", "\xC0\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD",
	  "\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "half a character before '<'", "\xE2\x82<", "\xEF\xBF\xBD\xEF\xBF\xBD&lt;",
	  "\xEF\xBF\xBD\xEF\xBF\xBD&lt;" },
	{ "half a character at the end", "a\xF0\x9F", "a\xEF\xBF\xBD\xEF\xBF\xBD",
	  "a\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "a surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD",
	  "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
};

static char *escaped(void (*write)(FILE *out, const char *text), const char *in)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	write(out, in);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void test_text(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(text_cases); i++) {
		const struct text_case *c = &text_cases[i];
		char *html = escaped(report_html, c->in), *md = escaped(report_md, c->in);

		if (strcmp(html, c->html) || strcmp(md, c->md))
			fail_msg("%s: '%s', '%s'", c->name, html, md);
		free(html);
		free(md);
	}
	(void)state;
}

static void test_words(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} spans[] = {
		{ 0, "no time" },
		{ 999, "999 ns" },
		{ 1000, "1 us" },
		{ 1436000, "1.44 ms" },
		{ 999 * (NS_PER_S / 1000), "999 ms" },
		{ NS_PER_S, "1 s" },
		{ 59 * NS_PER_S + 900000000, "59.9 s" },
		{ 60 * NS_PER_S, "1 min 0 s" },
		{ 3600 * NS_PER_S, "1 h 0 min" },
		{ 47 * 3600 * NS_PER_S, "47 h 0 min" },
		{ 51 * 3600 * NS_PER_S, "2 d 3 h" },
	};
	char buf[REPORT_WORD_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		assert_string_equal(report_span(spans[i].ns, buf), spans[i].text);
	assert_string_equal(report_count(0, buf), "0");
	assert_string_equal(report_count(999, buf), "999");
	assert_string_equal(report_count(1000, buf), "1,000");
	assert_string_equal(report_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
	assert_string_equal(report_time(1764057600 * NS_PER_S, 3, buf), "2025-11-25 08:00:00.000");
	(void)state;
}

/* --- the time axis ---------------------------------------------------------------------------- */

static const struct axis_case {
	const char *name;
	uint64_t t_ns[8];
	size_t n;
	unsigned int parts;
	uint64_t span_ns; /* without pauses */
} axis_cases[] = {
	{ "a moment", { 5 }, 1, 1, 0 },
	{ "the same moment again and again", { 5, 5, 5 }, 3, 1, 0 },
	{ "two moments are no pause", { 5, 1000 }, 2, 1, 995 },
	{ "evenly", { 0, 10, 20, 30 }, 4, 1, 30 },
	{ "a third of all is a pause", { 0, 10, 20, 30, 40, 50, 60, 140 }, 8, 2, 60 },
	{ "not if it is not far longer than most", { 0, 10, 20, 30, 40, 50, 60, 139 }, 8, 1, 139 },
	{ "less than a third is none", { 0, 1, 100, 101, 102, 200, 201, 300 }, 8, 1, 300 },
	{ "a scan and its straggler", { 0, 1, 2, 3, 1000000 }, 5, 2, 3 },
	{ "pauses at both ends", { 0, 1000, 1001, 1002, 9000 }, 5, 3, 2 },
	{ "four parts at most", { 0, 1, 2, 3, 1000, 100000, 10000000, 1000000000 }, 8, 4, 1000 },
};

static void test_axis(void **state)
{
	const double left = 100, right = 700;

	for (size_t i = 0; i < ARRAY_SIZE(axis_cases); i++) {
		const struct axis_case *c = &axis_cases[i];
		struct report_axis x;
		double before = 0;

		report_axis_make(&x, c->t_ns, c->n, left, right);
		if (x.parts != c->parts || report_axis_span(&x) != c->span_ns)
			fail_msg("%s: %u parts, %" PRIu64 " ns", c->name, x.parts,
				 report_axis_span(&x));
		for (size_t k = 0; k < c->n; k++) {
			double at = report_axis_x(&x, c->t_ns[k]);

			if (at < left - .01 || at > right + .01 || at < before ||
			    (k && c->t_ns[k] > c->t_ns[k - 1] && at <= before))
				fail_msg("%s: moment %zu at %f, behind %f", c->name, k, at, before);
			before = at;
		}
		assert_true(x.part[x.parts - 1].x1 < right + .01);
		assert_true(x.part[x.parts - 1].x1 > right - .01);
		for (unsigned int k = 1; k < x.parts; k++)
			assert_true(x.part[k].x0 >= x.part[k - 1].x1 + AXIS_CUT - .01);
	}
	(void)state;
}

static void test_axis_labels(void **state)
{
	static const struct {
		uint64_t span_ns, step_ns;
		const char *second; /* the label two steps on */
	} steps[] = {
		{ 0, 1, "2 ns" },
		{ 1436000, 200000, "0.4 ms" },
		{ 6 * NS_PER_S, NS_PER_S, "2 s" },
		{ 120 * NS_PER_S, 20 * NS_PER_S, "40 s" },
		{ 300 * NS_PER_S, 60 * NS_PER_S, "2 min" },
		{ 3600 * NS_PER_S, 600 * NS_PER_S, "20 min" },
		{ 24 * 3600 * NS_PER_S, 6 * 3600 * NS_PER_S, "12 h" },
		{ 7 * 24 * 3600 * NS_PER_S, 24 * 3600 * NS_PER_S, "2 d" },
		{ 60 * 24 * 3600 * NS_PER_S, 8 * 24 * 3600 * NS_PER_S, "16 d" },
	};
	char buf[REPORT_WORD_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t step = report_axis_step(steps[i].span_ns, 7);

		if (step != steps[i].step_ns)
			fail_msg("row %zu: %" PRIu64, i, step);
		assert_string_equal(report_axis_after(2 * step, step, buf), steps[i].second);
	}
	(void)state;
}

/* --- a report --------------------------------------------------------------------------------- */

static struct config *config(void)
{
	static struct config cfg;

	config_defaults(&cfg);
	return &cfg;
}

/* tell - a silent attempt that a rule counted. */
static void tell(struct report *m, const char *orig, const char *resp, unsigned int port,
		 uint64_t t_ns, uint32_t bits)
{
	struct attempt a = {
		.orig = addr(orig),
		.resp = addr(resp),
		.resp_port = htons((uint16_t)port),
		.proto = PROTO_TCP,
		.first_ns = t_ns,
	};
	struct piece piece = { .key = contact_key_of(&a) };

	contact_init(&piece.contact, &piece.key, &a, bits);
	report_told(m, &piece, true);
}

static void emit(struct report *m, void (*build)(struct alert *a))
{
	struct alert a;

	build(&a);
	report_emit(m, &a, ALERT_OPEN);
	report_emit(m, &a, ALERT_CLOSE);
	portset_free(a.ports);
	free(a.hosts);
}

/* page - the report as a page. */
static char *page(const struct report *m)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(report_html_file(out, m, NULL, "nonce"), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* marks_of - subpaths of that kind in pictures of scans. */
static unsigned int marks_of(const char *html, const char *kind)
{
	char sign[64];
	unsigned int n = 0;

	snprintf(sign, sizeof(sign), "<path class=\"m %s\" stroke-width", kind);
	for (const char *at = strstr(html, "<svg class=\"scan\""); at && (at = strstr(at, sign));) {
		const char *d = strstr(at, " d=\""), *end;

		d += 4;
		end = strchr(d, '"');
		if (*d == 'M' && strncmp(d, "M7 7", 4)) /* no key of a legend */
			for (const char *c = d; c < end; c++)
				n += *c == 'M';
		at = end;
	}
	return n;
}

/* The scan of a_port_scan(), 4 ms between probes. */
static void tell_port_scan(struct report *m)
{
	for (unsigned int port = 1; port <= 100; port++)
		tell(m, "10.0.0.5", "10.0.0.9", port, 600 * NS_PER_S + port * 4000000ull - 4000000,
		     port == 22 || port == 80 ? CONTACT_OPEN : CONTACT_CLOSED);
}

static void test_one_mark_a_probe(void **state)
{
	struct report *m = report_new(config());
	char *html;

	tell_port_scan(m);
	tell(m, "10.0.0.5", "10.0.0.9", 22, 600 * NS_PER_S + 5, CONTACT_OPEN); /* again */
	tell(m, "10.0.0.5", "10.0.0.10", 22, 600 * NS_PER_S, CONTACT_OPEN);    /* another host */
	tell(m, "10.0.0.6", "10.0.0.9", 22, 600 * NS_PER_S, CONTACT_OPEN);     /* another's */
	tell(m, "10.0.0.5", "10.0.0.9", 22, 599 * NS_PER_S, CONTACT_OPEN);     /* before it */
	tell(m, "10.0.0.5", "10.0.0.9", 101, 600 * NS_PER_S, CONTACT_CLOSED);  /* taken back */
	emit(m, a_port_scan);
	assert_int_equal(report_finish(m), 0);
	assert_int_equal(m->incidents, 1);
	html = page(m);
	assert_int_equal(marks_of(html, "open"), 3);
	assert_int_equal(marks_of(html, "closed"), 98);
	assert_int_equal(marks_of(html, "none"), 0);
	free(html);
	report_free(m);
	(void)state;
}

/* Every kind of alert there is, with names that mean harm: nothing of them becomes an element. */
static void test_alerts_of_all_kinds(void **state)
{
	struct report *m = report_new(config());
	char *html;
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(builders); i++) {
		emit(m, builders[i]);
		n++;
	}
	assert_int_equal(m->alerts, n);
	report_note_add(m, "%s", "<script>alert(1)</script>");
	report_source_add(m, "%s", "<img src=x onerror=alert(1)>.pcap");
	assert_int_equal(report_finish(m), 0);
	html = page(m);
	assert_int_equal(count_of(html, "<script"), 1);
	assert_int_equal(count_of(html, "<img"), 0);
	assert_int_equal(count_of(html, "&lt;script&gt;alert(1)"), 1);
	assert_int_equal(count_of(html, "nonce-nonce"), 2);
	assert_int_equal(count_of(html, " style="), 0); /* the policy would refuse it */
	free(html);
	report_free(m);
	(void)state;
}

static void test_empty(void **state)
{
	struct report *m = report_new(config());
	char *html;

	assert_int_equal(report_finish(m), 0);
	html = page(m);
	assert_int_equal(count_of(html, "Nobody scanned"), 1);
	assert_int_equal(count_of(html, "<article"), 0);
	free(html);
	report_free(m);
	(void)state;
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* Three times as many probes as marks: open ones stay, a small scan beside it stays whole. */
static void test_marks_are_thinned(void **state)
{
	enum {
		PROBES = 3 * REPORT_MARKS_MAX
	};
	struct report *m = report_new(config());
	uint64_t base = 600 * NS_PER_S, sum = 0;
	size_t small = 0, open = 0;

	emit(m, a_port_scan); /* about 10.0.0.5: its marks may be wanted */
	for (unsigned int i = 0; i < PROBES; i++) {
		tell(m, "10.0.0.5", "10.0.0.9", i % 65536, base + i * 1000ull,
		     i % 65536 == 22 ? CONTACT_OPEN : CONTACT_CLOSED);
		if (i % (PROBES / 64) == 0)
			tell(m, "10.0.0.5", "10.0.1.1", 1000 + i / (PROBES / 64),
			     base + i * 1000ull, CONTACT_NONE);
	}
	assert_true(m->marks <= REPORT_MARKS_MAX);
	assert_int_equal(m->marks + m->marks_thinned, m->probes);
	for (size_t i = 0; i < m->marks; i++) {
		small += m->mark[i].kind == MARK_NONE;
		open += m->mark[i].kind == MARK_OPEN;
	}
	assert_in_range(small, 64, 65);
	assert_int_equal(open, (PROBES + 65536 - 23) / 65536);
	for (size_t i = 0; i < REPORT_BINS; i++)
		for (size_t k = 0; k < MARK_SPOKE; k++)
			sum += m->bin[i][k];
	assert_int_equal(sum, m->probes);
	report_free(m);
	(void)state;
}

/* Two originators take turns, for three times as long as there is room: of both, and of early and
 * late, about as much is kept. */
static void test_thinned_evenly(void **state)
{
	enum {
		PROBES = 3 * REPORT_MARKS_MAX
	};
	struct report *m = report_new(config());
	uint64_t half = 600 * NS_PER_S + PROBES / 2 * 1000ull;
	size_t first = 0, early = 0;

	emit(m, a_port_scan);
	report_emit(m, &(struct alert){ .id = "x", .rule = &port_scan, .orig = addr("10.0.0.6") },
		    ALERT_OPEN);
	for (unsigned int i = 0; i < PROBES; i++)
		tell(m, i & 1 ? "10.0.0.5" : "10.0.0.6", "10.0.0.9", i / 2 % 65536,
		     600 * NS_PER_S + i * 1000ull, CONTACT_CLOSED);
	report_thin_evenly(m);
	for (size_t i = 0; i < m->marks; i++) {
		struct ip_addr five = addr("10.0.0.5");

		first += !memcmp(&m->mark[i].orig, &five, sizeof(five));
		early += m->mark[i].t_ns < half;
	}
	assert_true(m->marks > 2000);
	assert_in_range(first * 100 / m->marks, 45, 55);
	assert_in_range(early * 100 / m->marks, 45, 55);
	report_free(m);
	(void)state;
}

/* Who never had an alert, and cannot have one about that any more, takes no room. */
static void test_marks_of_nobody_go(void **state)
{
	struct report *m = report_new(config());
	uint64_t day = 86400 * NS_PER_S;

	for (unsigned int i = 0; i < REPORT_MARKS_MAX; i++)
		tell(m, "10.0.0.7", "10.0.0.9", i % 65536, day + i, CONTACT_CLOSED);
	tell(m, "10.0.0.7", "10.0.0.9", 1, 4 * day, CONTACT_CLOSED);
	assert_int_equal(m->marks, 1);
	assert_int_equal(m->marks_thinned, 0);
	report_free(m);
	(void)state;
}

/* Probes need not come in order: the bins move and widen, and none is lost. */
static void test_bins(void **state)
{
	static const uint64_t at_s[] = { 5000, 5001, 4000, 90000, 1, 5000, 100000, 99999 };
	struct report *m = report_new(config());
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(at_s); i++) {
		tell(m, "10.0.0.5", "10.0.0.9", 1, at_s[i] * NS_PER_S, CONTACT_CLOSED);
		assert_true(m->bin_base_ns <= at_s[i] * NS_PER_S);
	}
	for (size_t i = 0; i < REPORT_BINS; i++)
		sum += m->bin[i][MARK_CLOSED];
	assert_int_equal(sum, ARRAY_SIZE(at_s));
	assert_true(m->bin_base_ns <= 1 * NS_PER_S);
	assert_true(m->bin_base_ns + REPORT_BINS * m->bin_ns > 100000 * NS_PER_S);
	report_free(m);
	(void)state;
}

static unsigned int nth;

static void a_scan_by_number(struct alert *a)
{
	a_port_scan(a);
	snprintf(a->id, sizeof(a->id), "0192-%u", nth++);
	a->bits |= nth % 7 ? 0 : CONTACT_NULL; /* of every seventh the severity is one more */
}

static void test_alerts_beyond(void **state)
{
	enum {
		ALERTS = 2 * REPORT_ALERTS_MAX + 10
	};
	struct report *m = report_new(config());

	nth = 0;
	for (unsigned int i = 0; i < ALERTS; i++)
		emit(m, a_scan_by_number);
	assert_int_equal(report_finish(m), 0);
	assert_int_equal(m->alerts_seen, ALERTS);
	assert_int_equal(m->alerts, REPORT_ALERTS_MAX);
	assert_int_equal(m->alerts + m->alerts_dropped, ALERTS);
	for (size_t i = 1; i < m->alerts; i++)
		assert_true(m->alert[i - 1].severity >= m->alert[i].severity);
	assert_true(m->alert[ALERTS / 7 - 1].severity > m->alert[m->alerts - 1].severity);
	report_free(m);
	(void)state;
}

/* --- logs of alerts --------------------------------------------------------------------------- */

/* log_line - the alert as sink_json.c writes it, into the report. */
static int log_line(struct report *m, struct alert *a, enum alert_state state)
{
	const struct sink_context ctx = { .now_ns = a->last_ns, .hostname = "", .host_id = "" };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r;

	assert_int_equal(sink_json_write(out, a, state, &ctx), 0);
	assert_int_equal(fclose(out), 0);
	r = report_alertlog_line(text, len, m);
	free(text);
	return r;
}

static void test_log(void **state)
{
	struct report *m = report_new(config());
	const struct report_alert *got;
	struct alert a;
	char *html;

	a_port_scan(&a);
	assert_int_equal(log_line(m, &a, ALERT_OPEN), 0);
	a.last_ns += NS_PER_S;
	ports_add(&a, 443, 443, 1, ANSWER_OPEN);
	assert_int_equal(log_line(m, &a, ALERT_CLOSE), 0);
	assert_int_equal(log_line(m, &a, ALERT_UPDATE), 0); /* read once more: nothing new */
	assert_int_equal(m->alerts, 1);
	assert_int_equal(m->marks, 101);
	assert_int_equal(report_finish(m), 0);
	got = m->incident[0].alert[0];
	assert_true(got->closed && got->from_log);
	assert_int_equal(got->count, 101);
	assert_int_equal(report_alert_opens(got), 3);
	assert_int_equal(got->first_ns, a.first_ns);
	assert_int_equal(got->last_ns, a.last_ns);
	assert_int_equal(got->threshold, 3);
	assert_int_equal(got->window_ns, 300 * NS_PER_S);
	assert_string_equal(got->rule, "port-scan");
	html = page(m);
	assert_int_equal(marks_of(html, "open"), 3);
	assert_int_equal(marks_of(html, "closed"), 98);
	free(html);
	portset_free(a.ports);
	report_free(m);
	(void)state;
}

/* Every alert there is goes through the log and comes back as what it was. */
static void test_log_of_all_kinds(void **state)
{
	const struct sink_context ctx = { .now_ns = 700 * NS_PER_S, .hostname = "", .host_id = "" };

	for (size_t i = 0; i < ARRAY_SIZE(builders); i++) {
		struct report *m = report_new(config()), *direct = report_new(config());
		char *line = written(sink_json_write, builders[i], ALERT_CLOSE, &ctx);
		const struct report_alert *x, *y;

		assert_int_equal(report_alertlog_line(line, strlen(line), m), 0);
		emit(direct, builders[i]);
		x = &m->alert[0];
		y = &direct->alert[0];
		assert_string_equal(x->id, y->id);
		assert_string_equal(x->rule, y->rule);
		assert_string_equal(x->techniques, y->techniques);
		assert_string_equal(x->attack, y->attack);
		assert_memory_equal(&x->orig, &y->orig, sizeof(x->orig));
		assert_memory_equal(&x->resp, &y->resp, sizeof(x->resp));
		assert_int_equal(x->severity, y->severity);
		assert_int_equal(x->joint, y->joint);
		assert_int_equal(x->retracted, y->retracted);
		assert_int_equal(x->first_ns, y->first_ns);
		assert_int_equal(x->last_ns, y->last_ns);
		free(line);
		report_free(m);
		report_free(direct);
	}
	(void)state;
}

static void test_log_of_others(void **state)
{
	static const char *const lines[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"event\":{\"dataset\":\"reconmon.alert\"}}",
		"{\"event\":{\"id\":\"x\",\"dataset\":\"reconmon.alert\",\"start\":\"2026-11-25T07:"
		"29:25Z\","
		"\"end\":\"2026-11-25T07:29:24Z\"},\"rule\":{\"id\":\"r\"},\"source\":{\"ip\":\"10."
		"0.0.1\"},"
		"\"reconmon\":{\"alert\":{\"threshold\":3,\"window_s\":1}}}", /* ends before it
										 begins */
		"{\"event\":{\"id\":\"x\",\"dataset\":\"reconmon.alert\",\"start\":\"2026-11-25T07:"
		"29:25Z\","
		"\"end\":\"2026-11-25T07:29:25Z\"},\"rule\":{\"id\":\"r\"},\"source\":{\"ip\":\"10."
		"0.0.1\"},"
		"\"reconmon\":{\"alert\":{\"threshold\":3,\"window_s\":1,\"ports\":\"70000\"}}}",
	};
	struct report *m = report_new(config());

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_true(report_alertlog_line(lines[i], strlen(lines[i]), m) < 0);
	assert_int_equal(m->alerts, 0);
	report_free(m);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_axis),
		cmocka_unit_test(test_axis_labels),
		cmocka_unit_test(test_one_mark_a_probe),
		cmocka_unit_test(test_alerts_of_all_kinds),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_marks_are_thinned),
		cmocka_unit_test(test_thinned_evenly),
		cmocka_unit_test(test_marks_of_nobody_go),
		cmocka_unit_test(test_bins),
		cmocka_unit_test(test_alerts_beyond),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_of_all_kinds),
		cmocka_unit_test(test_log_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
