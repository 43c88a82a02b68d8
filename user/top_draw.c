// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "top_draw.h"

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top_glyphs.h"
#include "words.h"

enum {
	/* Pairs of colours, by what they mean. */
	INK_OPEN = 1,
	INK_CLOSED,
	INK_FILTERED,
	INK_NONE,
	INK_ALARM,
	INK_FAINT,

	HEAD_LINES = 4, /* above the list, its titles included */
	FOOT_LINES = 1,
	MAP_LABEL = 6,
	MAP_ROWS = 4,
	PROBES_MAX = 1024, /* of a time line; an answer has 256 */
};

static bool colors, blocks;

void top_draw_init(void)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */

	blocks = !strcmp(nl_langinfo(CODESET), "UTF-8");
	colors = has_colors() && !(no_color && *no_color) && start_color() != ERR;
	if (!colors)
		return;
	use_default_colors();
	init_pair(INK_OPEN, COLOR_GREEN, -1);
	init_pair(INK_CLOSED, COLOR_CYAN, -1);
	init_pair(INK_FILTERED, COLOR_YELLOW, -1);
	init_pair(INK_NONE, COLOR_BLUE, -1);
	init_pair(INK_ALARM, COLOR_RED, -1);
	init_pair(INK_FAINT, COLOR_WHITE, -1);
}

static attr_t ink(int pair, attr_t without)
{
	return colors ? COLOR_PAIR(pair) : without;
}

static attr_t answer_ink(uint8_t answer)
{
	switch (answer) {
	case ANSWER_OPEN:
		return ink(INK_OPEN, 0) | A_BOLD;
	case ANSWER_CLOSED:
		return ink(INK_CLOSED, 0);
	case ANSWER_FILTERED:
		return ink(INK_FILTERED, 0);
	default:
		return ink(INK_NONE, A_DIM);
	}
}

/* The letter of an answer says it without colours, too. */
static char answer_letter(uint8_t answer)
{
	static const char letters[ANSWER_MAX] = { [ANSWER_NONE] = '.',
						  [ANSWER_OPEN] = 'O',
						  [ANSWER_CLOSED] = 'x',
						  [ANSWER_FILTERED] = '#' };

	return letters[answer];
}

/* put - text at a place, cut to `width` columns and filled up with blanks. Everything that comes
 * here is printable (text_is_plain()); what is not ASCII counts as one column a character. */
static void put(int y, int x, int width, attr_t attr, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

static void put(int y, int x, int width, attr_t attr, const char *fmt, ...)
{
	char text[1024];
	int columns = 0;
	size_t len = 0;
	va_list ap;

	if (y < 0 || y >= LINES || x >= COLS)
		return;
	if (width > COLS - x)
		width = COLS - x;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (text[len] && (columns < width || ((unsigned char)text[len] & 0xC0) == 0x80)) {
		columns += ((unsigned char)text[len] & 0xC0) != 0x80;
		len++;
	}
	text[len] = '\0';
	attrset(attr);
	mvprintw(y, x, "%s%*s", text, width - columns, "");
	attrset(A_NORMAL);
}

/* count_text - a number in at most 5 columns: "99999", "123k", "12M". */
static const char *count_text(double n, char *buf)
{
	if (n < 100000)
		snprintf(buf, 16, "%.0f", n);
	else if (n < 10e6)
		snprintf(buf, 16, "%.0fk", n / 1e3);
	else
		snprintf(buf, 16, "%.0fM", n / 1e6);
	return buf;
}

static const char *rate_text(double n, char *buf)
{
	if (n > 0 && n < 10)
		snprintf(buf, 16, "%.1f", n);
	else
		count_text(n, buf);
	return buf;
}

static void draw_spark(int y, int x, int width, const uint32_t *numbers, attr_t attr)
{
	static const char *const block[GLYPH_LEVELS + 1] = { " ", "▁", "▂", "▃", "▄",
							     "▅", "▆", "▇", "█" };
	static const char *const plain[GLYPH_LEVELS + 1] = { " ", ".", ":", "-", "=",
							     "+", "*", "#", "@" };
	uint8_t level[256];

	if (width > COLS - x)
		width = COLS - x;
	if (width < 1 || width > (int)sizeof(level))
		return;
	glyph_spark(numbers, TOP_SECONDS, level, (unsigned int)width);
	attrset(attr);
	for (int i = 0; i < width; i++)
		mvaddstr(y, x + i, (blocks ? block : plain)[level[i]]);
	attrset(A_NORMAL);
}

/* ---- the head of every screen ---- */

static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s && text_is_plain(s) ? s : "";
}

static double num(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

static void draw_head(const struct top_model *m, const struct top_screen *s)
{
	const json_t *totals = json_object_get(m->live, "totals");
	char a[16], b[16], c[16], up[32], line[256];
	int spark = COLS > 100 ? TOP_SECONDS : COLS > 70 ? 30 : 0;
	uint64_t up_s = (uint64_t)num(m->live, "uptime_s");

	snprintf(line, sizeof(line), "reconmon %s  %s%s, %s interfaces, up %s%s",
		 str(m->live, "version"), s->source, s->gone ? " GONE" : "",
		 count_text(num(m->live, "interfaces"), a),
		 duration_format(up_s < 60 ? up_s * 1000000000ull : up_s / 60 * 60000000000ull, up),
		 s->frozen ? "  FROZEN" : "");
	put(0, 0, COLS, A_BOLD, "%s", line);
	put(0, COLS - 12, 12, A_NORMAL, "%.8s UTC",
	    strlen(str(m->live, "time")) > 19 ? str(m->live, "time") + 11 : "--:--:--");
	snprintf(line, sizeof(line), "probes %s  alerts %s open, %s so far  lost %s",
		 count_text(num(totals, "probes"), a), count_text(num(m->live, "alerts_total"), b),
		 count_text(num(totals, "alerts_opened"), c), "");
	put(1, 0, COLS, A_NORMAL, "%s%.0f", line, num(totals, "lost"));
	if (spark) {
		put(1, COLS - spark - 8, 8, ink(INK_FAINT, A_DIM), "60 s ->");
		draw_spark(1, COLS - spark, spark, m->per_second, ink(INK_ALARM, A_NORMAL));
	}
}

static void draw_foot(const struct top_screen *s, const char *keys)
{
	if (s->typed)
		put(LINES - 1, 0, COLS, A_REVERSE, "filter: %s_", s->typed);
	else if (s->problem)
		put(LINES - 1, 0, COLS, ink(INK_ALARM, A_BOLD) | A_REVERSE, "%s", s->problem);
	else if (s->gone)
		put(LINES - 1, 0, COLS, ink(INK_ALARM, A_BOLD) | A_REVERSE,
		    "The daemon is gone, and looked for once a second; q quits: %s", s->gone);
	else
		put(LINES - 1, 0, COLS, A_REVERSE, "%s", keys);
}

/* ---- the list ---- */

/* Columns of the list, by the width of the screen. */
struct layout {
	int addr, ports, rate, spark, answer, technique, owner;
	int x_ports, x_rate, x_spark, x_answers, x_technique, x_owner;
};

static struct layout lay_out(void)
{
	int spare = COLS - 80;
	struct layout l = { .addr = 16, .ports = 6, .rate = 6, .spark = 10, .answer = 6 };

	if (spare > 0) { /* first room for addresses, then for owners, then for the picture */
		int more = spare < 22 ? spare / 2 : 11;

		l.addr += more;
		spare -= more;
	}
	l.technique = 10;
	l.owner = spare > 8 ? (spare < 40 ? spare : spare / 2) : 0;
	if (spare > 40)
		l.spark += (spare - l.owner) > 50 ? 50 : spare - l.owner;
	l.x_ports = 2 + l.addr + 1;
	l.x_rate = l.x_ports + l.ports;
	l.x_spark = l.x_rate + l.rate + 1;
	l.x_answers = l.x_spark + l.spark + 1;
	l.x_technique = l.x_answers + 4 * l.answer + 1;
	l.x_owner = l.x_technique + l.technique + 1;
	return l;
}

static void draw_titles(const struct top_model *m)
{
	static const uint8_t shown[] = { ANSWER_OPEN, ANSWER_CLOSED, ANSWER_FILTERED, ANSWER_NONE };
	static const char *const names[] = { "OPEN", "CLOSD", "FILTD", "NONE" };
	struct layout l = lay_out();
	int y = HEAD_LINES - 1;

	put(y, 0, COLS, A_REVERSE, "  ORIGINATOR");
	put(y, l.x_ports, l.ports, A_REVERSE, "%*s", l.ports - 1, "PORTS");
	put(y, l.x_rate, l.rate + 1, A_REVERSE, "%*s", l.rate, "RATE");
	put(y, l.x_spark, l.spark, A_REVERSE, "60 s");
	for (int i = 0; i < (int)sizeof(shown); i++)
		put(y, l.x_answers + i * l.answer, l.answer, A_REVERSE, "%*s", l.answer - 1,
		    names[i]);
	put(y, l.x_technique, COLS - l.x_technique, A_REVERSE, "TECHNIQUE");
	if (l.owner)
		put(y, l.x_owner, COLS - l.x_owner, A_REVERSE, "OWNER");
	put(2, 0, COLS, A_NORMAL, "%zu of %zu originators, by %s%s%s%s", m->rows, m->total,
	    top_sort_name(m->sort), m->reverse ? " (reversed)" : "", *m->filter ? ", with: " : "",
	    m->filter);
}

static void draw_row(int y, const struct top_row *r, bool chosen)
{
	static const uint8_t shown[] = { ANSWER_OPEN, ANSWER_CLOSED, ANSWER_FILTERED, ANSWER_NONE };
	attr_t base = chosen ? A_REVERSE : A_NORMAL;
	struct layout l = lay_out();
	char text[16];

	put(y, 0, COLS, base, "%s", "");
	/* The mark of an open alert is its severity: 1 to 9, and ! for 10. */
	if (r->severity)
		put(y, 0, 1, base | A_BOLD | ink(INK_ALARM, 0), "%c",
		    r->severity > 9 ? '!' : '0' + r->severity);
	put(y, 2, l.addr, base | (r->severity >= 7 ? A_BOLD : 0), "%s", r->addr);
	put(y, l.x_ports, l.ports, base, "%*s", l.ports - 1, count_text(r->ports, text));
	put(y, l.x_rate, l.rate + 1, base, "%*s", l.rate, rate_text(r->rate, text));
	draw_spark(y, l.x_spark, l.spark, r->per_second, base);
	for (int i = 0; i < (int)sizeof(shown); i++) {
		uint32_t n = r->answers[shown[i]];

		put(y, l.x_answers + i * l.answer, l.answer,
		    base | (n ? answer_ink(shown[i]) : (attr_t)A_DIM), "%*s", l.answer - 1,
		    n ? count_text(n, text) : "-");
	}
	put(y, l.x_technique, l.technique, base, "%s", r->technique);
	if (l.owner)
		put(y, l.x_owner, COLS - l.x_owner, base, "%s", r->owner);
}

int top_draw_rows(void)
{
	int rows = LINES - HEAD_LINES - FOOT_LINES;

	return rows > 1 ? rows : 1;
}

static void draw_list(const struct top_model *m, struct top_screen *s)
{
	size_t at = top_model_at(m), rows = (size_t)top_draw_rows();

	if (at < s->first)
		s->first = at;
	if (at >= s->first + rows)
		s->first = at - rows + 1;
	if (s->first + rows > m->rows)
		s->first = m->rows > rows ? m->rows - rows : 0;
	draw_titles(m);
	for (size_t i = 0; i < rows && s->first + i < m->rows; i++)
		draw_row(HEAD_LINES + (int)i, &m->row[s->first + i], s->first + i == at);
	if (!m->live)
		put(HEAD_LINES + 1, 2, COLS - 2, A_NORMAL, "waiting for the first answer ...");
	else if (!m->rows)
		put(HEAD_LINES + 1, 2, COLS - 2, A_NORMAL, "%s",
		    m->total ? "nobody fits the filter; Esc ends it"
			     : "nobody has looked around in the last five minutes");
	draw_foot(s,
		  "Enter closer  a allow  s sort  r reverse  / filter  f freeze  h help  q quit");
}

/* ---- one originator ---- */

/* draw_cells - a picture's row: the letter of each cell's answer. */
static void draw_cells(int y, int x, const struct glyph_cell *cell, unsigned int n)
{
	for (unsigned int i = 0; i < n && x + (int)i < COLS; i++) {
		uint8_t answer = cell[i].answer;

		attrset(answer ? answer_ink(answer - 1) : ink(INK_FAINT, A_DIM) | A_DIM);
		mvaddch(y, x + (int)i, answer ? (chtype)answer_letter(answer - 1) : ' ');
	}
	attrset(A_NORMAL);
}

/* draw_map - all ports there are, from port 0 at the top left, in rows of equal shares. */
static void draw_map(int y, const json_t *answers)
{
	static struct glyph_cell cell[1024];
	const char *lists[ANSWER_MAX];
	unsigned int columns = 64;

	while ((int)columns * 2 + MAP_LABEL <= COLS && columns < 256)
		columns *= 2;
	for (unsigned int i = 0; i < ANSWER_MAX; i++)
		lists[i] = str(answers, answer_name(i));
	glyph_map(lists, cell, columns * MAP_ROWS);
	put(y, 0, COLS, A_BOLD, "All ports, %u a character: O open, # filtered, x closed, . silent",
	    GLYPH_PORTS / (columns * MAP_ROWS));
	for (int i = 0; i < MAP_ROWS; i++) {
		put(y + 1 + i, 0, MAP_LABEL, ink(INK_FAINT, A_DIM), "%5d",
		    i * GLYPH_PORTS / MAP_ROWS);
		draw_cells(y + 1 + i, MAP_LABEL, cell + (unsigned int)i * columns, columns);
	}
}

/* seconds - of the day, of "2026-11-25T07:29:25.305578Z"; days beyond the first count on. */
static double seconds(const char *t)
{
	struct tm day = { 0 };
	const char *rest = strptime(t, "%Y-%m-%dT%H:%M:%S", &day);

	return rest ? (double)timegm(&day) + (*rest == '.' ? strtod(rest, NULL) : 0) : 0;
}

/* probes_of - the probes of an alert, as a time line takes them: where a rule counts responders,
 * these stand in the ports' place, numbered in their order. Returns how many. */
static unsigned int probes_of(const json_t *list, struct glyph_probe *ret)
{
	unsigned int n = 0, hosts = 0;
	json_t *seen = json_object(), *v;
	size_t i;

	json_array_foreach (list, i, v) {
		const char *host = str(v, "responder"), *answer = str(v, "answer");
		struct glyph_probe *p = &ret[n];

		if (n == PROBES_MAX)
			break;
		p->t = seconds(str(v, "time"));
		p->port = (uint16_t)num(v, "port");
		if (*host) {
			if (!json_object_get(seen, host))
				json_object_set_new(seen, host, json_integer(hosts++));
			p->port = (uint16_t)json_integer_value(json_object_get(seen, host));
		}
		for (p->answer = 0; p->answer < ANSWER_MAX; p->answer++)
			if (!strcmp(answer, answer_name(p->answer)))
				break;
		n += p->answer < ANSWER_MAX; /* a retracted one is none */
	}
	json_decref(seen);
	return n;
}

static bool has_responders(const json_t *list)
{
	return *str(json_array_get(list, 0), "responder");
}

static void draw_timeline(int y, int rows, const json_t *list)
{
	static struct glyph_probe probe[PROBES_MAX];
	static struct glyph_cell cell[64 * 512];
	unsigned int n = probes_of(list, probe), columns = (unsigned int)(COLS - MAP_LABEL);
	double first = 0, last = 0;
	bool hosts = has_responders(list);
	int ranks[64];

	if (rows > 64)
		rows = 64;
	if (columns > 512)
		columns = 512;
	if (rows < 2 || !n)
		return;
	for (unsigned int i = 0; i < n; i++) {
		first = !i || probe[i].t < first ? probe[i].t : first;
		last = !i || probe[i].t > last ? probe[i].t : last;
	}
	put(y, 0, COLS, A_BOLD, "Time line of %u probes over %.3g s, %s upwards", n, last - first,
	    hosts ? "responders" : "ports");
	glyph_timeline(probe, n, first, last, (unsigned int)rows, columns, cell, ranks);
	for (int i = 0; i < rows; i++) {
		if (ranks[i] >= 0 && !hosts)
			put(y + 1 + i, 0, MAP_LABEL, ink(INK_FAINT, A_DIM), "%5d", ranks[i]);
		draw_cells(y + 1 + i, MAP_LABEL, cell + (size_t)i * columns, columns);
	}
}

/* draw_open - what was found, with the names of services. */
static void draw_open(int y, const struct top_row *r, const struct services *services)
{
	char line[512] = "";
	const char *open = str(json_object_get(r->said, "answers"), "open");
	uint8_t proto = strstr(r->technique, "udp") ? PROTO_UDP : PROTO_TCP;
	size_t len = 0;

	while (*open && len + 40 < sizeof(line)) {
		char *end;
		unsigned long port = strtoul(open, &end, 10);
		const char *name =
			*end == '-' ? NULL : services_name(services, proto, (uint16_t)port);
		size_t word = strcspn(open, ",");

		len += (size_t)snprintf(line + len, sizeof(line) - len, " %.*s%s%s", (int)word,
					open, name ? "/" : "", name ? name : "");
		open += word + (open[word] == ',');
	}
	put(y, 0, COLS, *line ? answer_ink(ANSWER_OPEN) : (attr_t)A_DIM, "open:%s%s",
	    *line ? line : " none", *open ? " ..." : "");
}

static int draw_alert(int y, const json_t *a, size_t nth, size_t of)
{
	const char *responder = str(a, "responder");

	put(y, 0, COLS, A_BOLD | (num(a, "severity") >= 7 ? ink(INK_ALARM, 0) : 0),
	    "%s  severity %.0f  %.0f at threshold %.0f in %.0f s%s%s  (alert %zu of %zu%s)",
	    str(a, "rule"), num(a, "severity"), num(a, "count"), num(a, "threshold"),
	    num(a, "window_s"), *responder ? "  of " : "", responder, nth + 1, of,
	    of > 1 ? ", n next" : "");
	put(y + 1, 0, COLS, A_NORMAL, "id %s  incident %s  from %.19s to %.19s", str(a, "id"),
	    str(a, "incident"), str(a, "first"), str(a, "last"));
	return 2;
}

static void draw_originator(const struct top_model *m, const struct top_screen *s)
{
	const struct top_row *r = m->rows ? &m->row[top_model_at(m)] : NULL;
	const json_t *alerts[64], *probes;
	int y = 2, map = LINES - FOOT_LINES - MAP_ROWS - 2;
	size_t n, nth;

	draw_foot(s,
		  "Esc back  n next alert  a allow  f freeze  up/down other originators  q quit");
	if (!r) {
		put(y, 0, COLS, A_NORMAL, "nobody is there any more");
		return;
	}
	n = top_alerts(m, r->addr, alerts, 64);
	nth = n ? s->nth % (n < 64 ? n : 64) : 0;
	put(y++, 0, COLS, A_BOLD | A_REVERSE, "%s  %u ports of %u hosts  %s  %s%s", r->addr,
	    r->ports, r->responders, r->technique, *r->owner ? "by " : "", r->owner);
	if (n)
		y += draw_alert(y, alerts[nth], nth, n);
	else
		put(y++, 0, COLS, A_NORMAL, "no open alert: below the thresholds so far");
	probes = json_object_get(s->alert ? s->alert : n ? alerts[nth] : NULL, "probes");
	draw_timeline(y, map - y - 1, probes);
	draw_map(map, json_object_get(r->said, "answers"));
	draw_open(LINES - FOOT_LINES - 1, r, s->services);
}

/* ---- help ---- */

static void draw_help(const struct top_screen *s)
{
	static const char *const lines[] = {
		"An originator is whoever opened attempts without payload (probes) within five",
		"minutes. In front of it, the severity of its worst open alert, 1 to 9 (! is 10).",
		"",
		"  RATE      attempts a second, over ten seconds",
		"  60 s      attempts in each of the last 60 seconds, the latest on the right",
		"  OPEN ...  distinct ports by what they answered",
		"  OWNER     of a scan that leaves this host: its process; ? before it: a guess",
		"",
		"  up, down, PgUp, PgDn, Home, End    choose",
		"  Enter     its alerts, the time line of its probes, the map of its ports",
		"  n         the next of its alerts",
		"  a         the lines that would silence it, to paste; nothing is applied",
		"  s, r      sort by severity, ports, rate, last, address; reverse",
		"  /         only those with this text in address, responder, technique, owner",
		"  f, space  freeze the picture, and let it go",
		"  Esc       back, and the end of a filter",
		"  q         quit",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		put(3 + (int)i, 0, COLS, A_NORMAL, "%s", lines[i]);
	draw_foot(s, "any key: back");
}

void top_draw(const struct top_model *m, struct top_screen *screen)
{
	erase();
	draw_head(m, screen);
	if (screen->view == TOP_HELP)
		draw_help(screen);
	else if (screen->view == TOP_ORIGINATOR)
		draw_originator(m, screen);
	else
		draw_list(m, screen);
	refresh();
}
