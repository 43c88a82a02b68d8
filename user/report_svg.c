// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What does a scan look like? Every port that was probed has a row of its own, in their order, and
 * rows are evenly spaced: so a scan of three ports and one of all of them are both fit to read, and
 * ports that nobody asked for take no room.
 *
 * Marks of one kind are one path, a subpath each that begins with M: a page of a hundred thousand
 * elements would be slow to open. The page's script finds them again by their coordinates, which
 * are exact enough for that (row_decimals()). */
#include "report_svg.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "report_assets.h"
#include "report_axis.h"
#include "report_text.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_US     ((uint64_t)1000)
#define NS_PER_MS     ((uint64_t)1000000)
#define NS_PER_S      ((uint64_t)1000000000)

enum {
	WIDTH = 760,
	TOP = 12,
	BOTTOM = 26, /* below the rows: the labels of time */
	RIGHT = 18,
	RIGHT_NAMES = 118, /* where open ports are named beside the picture */
	ROWS_NAMED = 32,   /* up to so many rows each has its name */
	ROW_HEIGHT = 19,
	ROWS_HEIGHT = 300, /* of all rows, where there are more */
	CHAR_WIDTH = 7,
	LABEL_MAX = 40,
	ROWS_TEXT_MAX = 16 * 1024,
	NAMES_GAP = 14,
	NAMES_MAX = 20, /* so many fit beside ROWS_HEIGHT, and a line above them */
	TICKS_MAX = 7,

	OVERVIEW_WIDTH = 1120,
	LANES_MAX = 12,
	LANE_HEIGHT = 24,
	BINS_HEIGHT = 72,
	LANE_LEFT = 130,
	LANE_CHARS = 17,
	BARS_MAX = 400, /* in one lane */
};

/* A row of a picture: a port, or a host, or a host and a port. */
struct row {
	struct ip_addr addr;
	uint16_t port;
	uint8_t kind; /* the best that is known of it */
	uint8_t pad;
	uint32_t pad2;
};

struct picture {
	const struct report_alert *a;
	const struct services *services;
	struct report_mark *mark;
	size_t n, room;
	struct row *row;
	size_t rows;
	uint64_t kind[MARK_MAX];
	struct report_axis axis;
	double left, right, height, row_height, size;
	unsigned int number;
	bool failed;
};

static void collect(void *ctx, const struct report_mark *mark)
{
	struct picture *p = ctx;

	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct report_mark *more = realloc(p->mark, room * sizeof(*more));

		if (!more) {
			p->failed = true;
			return;
		}
		p->mark = more;
		p->room = room;
	}
	p->mark[p->n++] = *mark;
	p->kind[mark->kind]++;
}

/* --- rows ----------------------------------------------------------------------------------- */

static struct row row_of(const struct picture *p, const struct report_mark *k)
{
	struct row r = { .kind = k->kind };

	if (p->a->shape != SHAPE_PORTS)
		r.addr = k->resp;
	if (p->a->shape != SHAPE_HOSTS)
		r.port = k->port;
	return r;
}

/* By address, then port. */
static int compare_rows(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int r = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return r ? r : a->port - b->port;
}

/* rows_of_ports - the same by a table of all ports: a scan may have hundreds of thousands of marks.
 */
static bool rows_of_ports(struct picture *p)
{
	enum {
		PORTS = 65536,
		UNSEEN = 0xff
	};
	uint32_t *place = calloc(PORTS, sizeof(*place));
	uint8_t *best = malloc(PORTS);

	p->row = calloc(PORTS, sizeof(*p->row));
	if (!place || !best || !p->row) {
		free(place);
		free(best);
		return false;
	}
	memset(best, UNSEEN, PORTS);
	for (int port = portset_next(p->a->ports, ANSWER_MAX, 0); port >= 0;
	     port = portset_next(p->a->ports, ANSWER_MAX, (uint32_t)port + 1))
		best[port] = MARK_MAX; /* even if every mark of it was left out */
	for (size_t i = 0; i < p->n; i++)
		if (p->mark[i].kind < best[p->mark[i].port])
			best[p->mark[i].port] = p->mark[i].kind;
	for (size_t port = 0; port < PORTS; port++) {
		if (best[port] == UNSEEN)
			continue;
		place[port] = (uint32_t)p->rows;
		p->row[p->rows++] = (struct row){ .port = (uint16_t)port, .kind = best[port] };
	}
	for (size_t i = 0; i < p->n; i++)
		p->mark[i].of = place[p->mark[i].port];
	free(place);
	free(best);
	return true;
}

/* rows_make - the distinct rows of all marks, in order; each mark's `of` becomes the number of its
 * row. */
static bool rows_make(struct picture *p)
{
	size_t n = 0;

	if (p->a->shape == SHAPE_PORTS && p->a->ports)
		return rows_of_ports(p);
	p->row = calloc(p->n, sizeof(*p->row));
	if (!p->row)
		return false;
	for (size_t i = 0; i < p->n; i++)
		p->row[i] = row_of(p, &p->mark[i]);
	qsort(p->row, p->n, sizeof(*p->row), compare_rows);
	for (size_t i = 0; i < p->n; i++) {
		if (n && !compare_rows(&p->row[n - 1], &p->row[i])) {
			if (p->row[i].kind < p->row[n - 1].kind)
				p->row[n - 1].kind = p->row[i].kind;
			continue;
		}
		p->row[n++] = p->row[i];
	}
	p->rows = n;
	for (size_t i = 0; i < p->n; i++) {
		struct row want = row_of(p, &p->mark[i]);
		const struct row *r = bsearch(&want, p->row, n, sizeof(*p->row), compare_rows);

		p->mark[i].of = r ? (uint32_t)(r - p->row) : 0;
	}
	return true;
}

/* row_label - "22 ssh", "10.0.0.9", "10.0.0.9 port 22", into buf of NET_TEXT_MAX + 40 bytes. */
static const char *row_label(const struct picture *p, const struct row *r, char *buf)
{
	const char *name = services_name(p->services, p->a->proto, r->port);
	char addr[NET_TEXT_MAX] = "";
	size_t size = NET_TEXT_MAX + 40;

	if (p->a->shape != SHAPE_PORTS)
		addr_format(&r->addr, addr);
	if (p->a->shape == SHAPE_HOSTS)
		snprintf(buf, size, "%s", addr);
	else if (p->a->shape == SHAPE_PAIRS)
		snprintf(buf, size, "%s port %u", addr, r->port);
	else
		snprintf(buf, size, "%u%s%s", r->port, name ? " " : "", name ? name : "");
	return buf;
}

/* tick_label - a row's number alone, where not every row has a label. */
static const char *tick_label(const struct picture *p, const struct row *r, char *buf)
{
	if (p->a->shape != SHAPE_PORTS)
		return row_label(p, r, buf);
	snprintf(buf, NET_TEXT_MAX + 40, "%u", r->port);
	return buf;
}

static double row_y(const struct picture *p, size_t row)
{
	return TOP + p->height - ((double)row + 0.5) * p->row_height;
}

static double time_x(const struct picture *p, uint64_t t_ns)
{
	return report_axis_x(&p->axis, t_ns);
}

/* row_decimals - so many that a coordinate tells its row. */
static int row_decimals(const struct picture *p)
{
	return p->row_height > 0.3 ? 1 : p->row_height > 0.03 ? 2 : 4;
}

/* --- marks ---------------------------------------------------------------------------------- */

/* shape_format - what follows the place of a mark of that kind and half its size: M was written
 * before, at the mark's centre. */
static void shape_format(enum mark_kind kind, double s, char *buf, size_t size)
{
	double w = s * 0.85;

	switch (kind) {
	case MARK_OPEN: /* a disc: the round end of a line without length */
		snprintf(buf, size, "h0");
		break;
	case MARK_CLOSED: /* a cross */
		snprintf(buf, size, "m-%.2g-%.2gl%.2g %.2gm-%.2g 0l%.2g-%.2g", w, w, 2 * w, 2 * w,
			 2 * w, 2 * w, 2 * w);
		break;
	case MARK_FILTERED: /* a triangle */
		snprintf(buf, size, "m0-%.2gl%.2g %.2gh-%.2gz", s, s, 1.8 * s, 2 * s);
		break;
	case MARK_NONE: /* a hollow diamond */
		snprintf(buf, size, "m-%.2g 0l%.2g-%.2g %.2g %.2g-%.2g %.2gz", s, s, s, s, s, s, s);
		break;
	case MARK_SPOKE: /* a plus */
		snprintf(buf, size, "m-%.3g 0h%.3gm-%.3g-%.3gv%.3g", s, 2 * s, s, s, 2 * s);
		break;
	default: /* a hollow square */
		snprintf(buf, size, "m-%.3g-%.3gh%.3gv%.3gh-%.3gz", w, w, 2 * w, 2 * w, 2 * w);
		break;
	}
}

/* Which cells of a grid over the picture hold a mark of each kind already. */
struct grid {
	uint8_t *cell; /* a bit each kind */
	double size;
	size_t columns, cells;
};

/* grid_take - whether the mark's cell was free; it is taken then. */
static bool grid_take(struct grid *g, double x, double y, uint8_t kind)
{
	size_t i = (size_t)(y / g->size) * g->columns + (size_t)(x / g->size);

	if (g->cell[i] >> kind & 1)
		return false;
	g->cell[i] |= (uint8_t)(1u << kind);
	return true;
}

static bool is_coprime(size_t a, size_t b)
{
	while (b) {
		size_t rest = a % b;

		a = b;
		b = rest;
	}
	return a == 1;
}

/* cells_take - a pass over all marks in no order of time, or the first in each cell would be those
 * at its left edge. keep, if it is not NULL, becomes 1 for those that took a cell. Returns how
 * many. */
static size_t cells_take(const struct picture *p, struct grid *g, uint8_t *keep)
{
	size_t step = (size_t)((double)p->n * 0.618) + 1, n = 0, at = 0;

	while (step > 1 && !is_coprime(step, p->n))
		step++;
	memset(g->cell, 0, g->cells);
	for (size_t i = 0; i < p->n; i++, at = (at + step) % p->n) {
		const struct report_mark *k = &p->mark[at];
		bool taken = grid_take(g, time_x(p, k->t_ns), row_y(p, k->of), k->kind);

		n += taken;
		if (keep)
			keep[at] = taken;
	}
	return n;
}

/* thin - leaves out marks that would lie on another of their kind, on a grid just coarse enough. */
static void thin(struct picture *p, size_t most)
{
	struct grid g = { .size = 1 };
	uint8_t *keep;
	size_t n = 0;

	if (p->n <= most)
		return;
	g.cells = (size_t)((WIDTH + 1) * (TOP + p->height + BOTTOM + 1));
	g.cell = malloc(g.cells);
	keep = malloc(p->n);
	if (!g.cell || !keep) {
		p->n = most;
	} else {
		do {
			g.size *= 1.25;
			g.columns = (size_t)(WIDTH / g.size) + 1;
		} while (cells_take(p, &g, NULL) > most);
		cells_take(p, &g, keep);
		for (size_t i = 0; i < p->n; i++)
			if (keep[i])
				p->mark[n++] = p->mark[i];
		p->n = n;
	}
	free(g.cell);
	free(keep);
}

static void write_marks(FILE *out, const struct picture *p)
{
	/* Open ones last, above the others. */
	static const enum mark_kind order[] = { MARK_NONE,   MARK_UNTOLD,   MARK_SPOKE,
						MARK_CLOSED, MARK_FILTERED, MARK_OPEN };
	int decimals = row_decimals(p);
	char shape[96];

	for (size_t o = 0; o < ARRAY_SIZE(order); o++) {
		enum mark_kind kind = order[o];

		if (!p->kind[kind])
			continue;
		shape_format(kind, p->size, shape, sizeof(shape));
		fprintf(out, "<path class=\"m %s\" stroke-width=\"%.3g\" d=\"", mark_name(kind),
			kind == MARK_OPEN ? 2.4 * p->size
			: p->size > 3	  ? 1.6
					  : 1.1);
		for (size_t i = 0; i < p->n; i++)
			if (p->mark[i].kind == kind)
				fprintf(out, "M%.1f %.*f%s", time_x(p, p->mark[i].t_ns), decimals,
					row_y(p, p->mark[i].of), shape);
		fputs("\"/>\n", out);
	}
}

void report_svg_key(FILE *out, enum mark_kind kind)
{
	char shape[96];

	shape_format(kind, 4.2, shape, sizeof(shape));
	fprintf(out,
		"<svg class=\"key\" viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" "
		"aria-hidden=\"true\"><path class=\"m %s\" stroke-width=\"%s\" d=\"M7 "
		"7%s\"/></svg>",
		mark_name(kind), kind == MARK_OPEN ? "9" : "1.7", shape);
}

/* --- axes ----------------------------------------------------------------------------------- */

/* write_part - the labels of a part of the time axis; those of the first count from the beginning,
 * those behind a pause from its end. */
static void write_part(FILE *out, const struct picture *p, unsigned int i, uint64_t step)
{
	const struct axis_part *part = &p->axis.part[i];
	bool last = i + 1 == p->axis.parts;
	double y = TOP + p->height;
	char text[REPORT_WORD_MAX];

	for (uint64_t t = 0; t <= part->t1_ns - part->t0_ns; t += step) {
		double x = time_x(p, part->t0_ns + t);

		fprintf(out, "<path class=\"grid\" d=\"M%.1f %dV%.1f\"/>", x, TOP, y + 4);
		if ((i && (!t || x < part->x0 + 30)) || (!last && t && x > part->x1 - 30))
			continue; /* the length of the pause stands there */
		fprintf(out, "<text class=\"t\" x=\"%.1f\" y=\"%.1f\">%s%s</text>\n", x, y + 18,
			i ? "+" : "", t ? report_axis_after(t, step, text) : "0");
	}
}

static void write_pause(FILE *out, const struct picture *p, const struct axis_part *part)
{
	double from = part->x1 + 10, to = (part + 1)->x0 - 10, y = TOP + p->height;
	char text[REPORT_WORD_MAX];

	fprintf(out,
		"<path class=\"pause\" d=\"M%.1f %dH%.1fV%.1fH%.1fz\"/><text class=\"t\" "
		"x=\"%.1f\" "
		"y=\"%.1f\">%s</text>\n",
		from, TOP - 3, to, y + 3, from, (from + to) / 2, y + 18,
		report_span((part + 1)->t0_ns - part->t1_ns, text));
}

static void write_times(FILE *out, const struct picture *p)
{
	uint64_t step = report_axis_step(report_axis_span(&p->axis), TICKS_MAX);

	for (unsigned int i = 0; i < p->axis.parts; i++)
		write_part(out, p, i, step);
}

/* write_pauses - over the rows' lines, under the marks. */
static void write_pauses(FILE *out, const struct picture *p)
{
	for (unsigned int i = 0; i + 1 < p->axis.parts; i++)
		write_pause(out, p, &p->axis.part[i]);
}

static void write_label(FILE *out, const struct picture *p, size_t row, bool named)
{
	const struct row *r = &p->row[row];
	char text[NET_TEXT_MAX + 40];

	fprintf(out, "<text class=\"p%s\" x=\"%.1f\" y=\"%.1f\">",
		named && r->kind == MARK_OPEN ? " found" : "", p->left - 14, row_y(p, row) + 4);
	report_html(out, named ? row_label(p, r, text) : tick_label(p, r, text));
	fputs("</text>\n", out);
}

/* names_choose - which rows have their name beside the picture: open ports, all of them if there is
 * room, else those of known services. Returns how many, at most NAMES_MAX. */
static size_t names_choose(const struct picture *p, size_t *ret_open, size_t chosen[NAMES_MAX])
{
	size_t n[2] = { 0, 0 };

	for (unsigned int known = 0; known < 2; known++) {
		for (size_t i = 0; i < p->rows; i++) {
			if (p->row[i].kind != MARK_OPEN ||
			    (known && !services_name(p->services, p->a->proto, p->row[i].port)))
				continue;
			if (n[known] < NAMES_MAX)
				chosen[n[known]] = i;
			n[known]++;
		}
		if (!known)
			*ret_open = n[0];
		if (n[known] <= NAMES_MAX)
			return n[known];
	}
	return 0;
}

/* names_place - beside their rows, none over another, none above the picture. */
static void names_place(const struct picture *p, const size_t *chosen, size_t n, double *y)
{
	for (size_t i = 0; i < n; i++) {
		y[i] = row_y(p, chosen[i]);
		if (i && y[i] > y[i - 1] - NAMES_GAP)
			y[i] = y[i - 1] - NAMES_GAP;
	}
	for (size_t i = n; i-- > 0;) {
		double least = i + 1 < n ? y[i + 1] + NAMES_GAP : TOP + NAMES_GAP;

		if (y[i] < least)
			y[i] = least;
	}
}

/* write_names - beside a picture of many rows, the names of those that are open. */
static void write_names(FILE *out, const struct picture *p)
{
	double x = WIDTH - p->right, y[NAMES_MAX];
	size_t chosen[NAMES_MAX], open = 0, n = names_choose(p, &open, chosen);
	char text[NET_TEXT_MAX + 40];

	names_place(p, chosen, n, y);
	for (size_t i = 0; i < n; i++) {
		double at = row_y(p, chosen[i]);

		fprintf(out,
			"<path class=\"lead\" d=\"M%.1f %.1fl6 %.1f\"/><text class=\"name found\" "
			"x=\"%.1f\" y=\"%.1f\">",
			x + 2, at, y[i] - at, x + 11, y[i] + 4);
		report_html(out, row_label(p, &p->row[chosen[i]], text));
		fputs("</text>\n", out);
	}
	if (open > n)
		fprintf(out, "<text class=\"name found\" x=\"%.1f\" y=\"%d\">%zu open</text>\n",
			x + 11, TOP + 4, open);
}

static void write_rows(FILE *out, const struct picture *p)
{
	size_t most = (size_t)(p->height / 30) + 1;

	if (p->rows <= ROWS_NAMED) {
		for (size_t i = 0; i < p->rows; i++) {
			fprintf(out, "<path class=\"row\" d=\"M%.1f %.1fH%.1f\"/>", p->left,
				row_y(p, i), WIDTH - p->right);
			write_label(out, p, i, true);
		}
		return;
	}
	for (size_t i = 0; i < most; i++) {
		size_t row = i * (p->rows - 1) / (most - 1);

		fprintf(out, "<path class=\"row\" d=\"M%.1f %.1fH%.1f\"/>", p->left, row_y(p, row),
			WIDTH - p->right);
		write_label(out, p, row, false);
	}
	if (p->a->shape == SHAPE_PORTS)
		write_names(out, p);
}

/* --- the picture of a scan ------------------------------------------------------------------ */

static int compare_times(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return (a > b) - (a < b);
}

/* axis_make - of the moments of all marks; of a log, when it began is known too, if not with which
 * probe. */
static bool axis_make(struct picture *p)
{
	uint64_t *t = malloc((p->n + 1) * sizeof(*t));
	bool sorted = true;
	size_t n = 0;

	if (!t)
		return false;
	if (p->n && p->a->from_log && p->a->first_ns < p->mark[0].t_ns)
		t[n++] = p->a->first_ns;
	for (size_t i = 0; i < p->n; i++) {
		sorted &= !i || p->mark[i].t_ns >= p->mark[i - 1].t_ns;
		t[n++] = p->mark[i].t_ns;
	}
	if (!sorted)
		qsort(t, n, sizeof(*t), compare_times);
	if (n > 1 && p->a->timed && p->n < p->a->count) {
		t[1] = t[n - 1]; /* what looks like a pause is what was not kept */
		n = 2;
	}
	report_axis_make(&p->axis, t, n, p->left, WIDTH - p->right);
	free(t);
	return true;
}

/* lay_out - sizes, once marks and rows are there. */
static bool lay_out(struct picture *p)
{
	size_t longest = 0;
	char text[NET_TEXT_MAX + 40];
	bool many = p->rows > ROWS_NAMED;
	bool open = false;

	for (size_t i = 0; i < p->rows; i++) {
		size_t len;

		open |= p->row[i].kind == MARK_OPEN;
		if (many && p->a->shape == SHAPE_PORTS)
			continue;
		len = strlen(row_label(p, &p->row[i], text));
		longest = len > longest ? len : longest;
	}
	if (many && p->a->shape == SHAPE_PORTS)
		longest = 5;
	longest = longest > LABEL_MAX ? LABEL_MAX : longest;
	p->left = (double)(longest * CHAR_WIDTH + 24);
	p->right = many && open && p->a->shape == SHAPE_PORTS ? RIGHT_NAMES : RIGHT;
	p->height = many ? ROWS_HEIGHT : (double)(p->rows < 3 ? 3 : p->rows) * ROW_HEIGHT;
	p->row_height = p->height / (double)p->rows;
	p->size = p->n <= 200 ? 3.8 : p->n <= 1500 ? 2.6 : 1.8;
	return axis_make(p);
}

/* write_names_of_rows - "22 ssh|80 http|8000-8010": what each row is. */
static void write_names_of_rows(FILE *out, const struct picture *p)
{
	for (size_t i = 0, end; i < p->rows; i = end + 1) {
		char text[NET_TEXT_MAX + 40];

		end = i;
		fputs(i ? "|" : "", out);
		if (p->a->shape != SHAPE_PORTS ||
		    services_name(p->services, p->a->proto, p->row[i].port)) {
			report_html(out, row_label(p, &p->row[i], text));
			continue;
		}
		while (end + 1 < p->rows && p->row[end + 1].port == p->row[end].port + 1 &&
		       !services_name(p->services, p->a->proto, p->row[end + 1].port))
			end++;
		fprintf(out, end > i ? "%u-%u" : "%u", p->row[i].port, p->row[end].port);
	}
}

/* write_data - what the page's script needs to tell of a mark by its place: where the rows and the
 * time begin and end, and what the rows are, unless that would be most of the page. */
static void write_data(FILE *out, const struct picture *p)
{
	char *names = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&names, &len);

	if (mem) {
		write_names_of_rows(mem, p);
		if (fclose(mem))
			len = ROWS_TEXT_MAX;
	}
	fprintf(out, " data-top=\"%d\" data-height=\"%.1f\" data-rows=\"%s\" data-parts=\"", TOP,
		p->height, len && len < ROWS_TEXT_MAX ? names : "");
	for (unsigned int i = 0; i < p->axis.parts; i++) {
		const struct axis_part *part = &p->axis.part[i];

		fprintf(out, "%s%.1f %.1f %" PRIu64 " %" PRIu64, i ? "," : "", part->x0, part->x1,
			part->t0_ns - p->axis.part[0].t0_ns, part->t1_ns - part->t0_ns);
	}
	fputc('"', out);
	free(names);
}

static void write_description(FILE *out, const struct picture *p)
{
	char title[REPORT_SENTENCE_MAX], orig[REPORT_WORD_MAX], text[REPORT_WORD_MAX];
	bool first = true;

	fprintf(out, "<title id=\"s%ut\">", p->number);
	report_html(out, report_who(p->a, orig));
	fputs(": ", out);
	report_html(out, report_alert_title(p->a, title));
	fprintf(out,
		"</title>\n<desc id=\"s%ud\">Time from left to right, %s; %s upwards, %zu rows. ",
		p->number,
		report_span(p->axis.part[p->axis.parts - 1].t1_ns - p->axis.part[0].t0_ns, text),
		p->a->shape == SHAPE_HOSTS   ? "hosts"
		: p->a->shape == SHAPE_PAIRS ? "hosts and their ports"
					     : "ports",
		p->rows);
	for (unsigned int k = 0; k < MARK_MAX; k++) {
		if (!p->kind[k])
			continue;
		fprintf(out, "%s%s %s", first ? "" : ", ", report_count(p->kind[k], text),
			mark_name(k));
		first = false;
	}
	fputs(".</desc>\n", out);
}

static void write_scan(FILE *out, const struct picture *p, uint32_t y)
{
	uint32_t high = (uint32_t)(TOP + p->height + BOTTOM);

	fprintf(out,
		"<svg class=\"scan\" viewBox=\"0 0 %d %u\" y=\"%u\" width=\"%d\" height=\"%u\" "
		"role=\"img\" aria-labelledby=\"s%ut s%ud\"",
		WIDTH, high, y, WIDTH, high, p->number, p->number);
	write_data(out, p);
	fputs(">\n", out);
	write_description(out, p);
	fprintf(out, "<rect class=\"plot\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\"/>\n",
		p->left - 8, TOP - 2, WIDTH - p->left - p->right + 16, p->height + 4);
	write_times(out, p);
	write_rows(out, p);
	write_pauses(out, p);
	write_marks(out, p);
	fputs("</svg>\n", out);
}

void report_svg_scan(FILE *out, const struct report *m, const struct report_alert *a,
		     const struct services *services, unsigned int number, uint32_t y, size_t most,
		     struct report_picture *ret)
{
	struct picture p = { .a = a, .services = services, .number = number };

	*ret = (struct report_picture){ .drawn = 0 };
	report_marks_of(m, a, collect, &p);
	if (p.n && !p.failed && rows_make(&p) && lay_out(&p)) {
		ret->marks = p.n;
		ret->pauses = p.axis.parts - 1;
		memcpy(ret->kind, p.kind, sizeof(ret->kind));
		thin(&p, most);
		ret->drawn = p.n;
		ret->height = (uint32_t)(TOP + p.height + BOTTOM);
		write_scan(out, &p, y);
	}
	free(p.mark);
	free(p.row);
}

/* --- everything at a glance ----------------------------------------------------------------- */

/* A row of the overview: an originator, or many together. */
struct lane {
	const struct report_alert *first; /* the worst of its alerts */
};

struct overview {
	const struct report *m;
	struct lane lane[LANES_MAX];
	size_t lanes, others; /* originators without a lane */
	uint64_t t0, t1;
	bool bins;
	uint32_t top; /* of the bins */
};

static double overview_x(const struct overview *o, uint64_t t_ns)
{
	double width = OVERVIEW_WIDTH - LANE_LEFT - RIGHT;

	if (o->t1 == o->t0)
		return LANE_LEFT + width / 2;
	if (t_ns < o->t0)
		t_ns = o->t0;
	return LANE_LEFT + width * (double)(t_ns - o->t0) / (double)(o->t1 - o->t0);
}

static bool is_of_lane(const struct lane *l, const struct report_alert *a)
{
	return a->joint ? l->first == a
			: !l->first->joint && !memcmp(&l->first->orig, &a->orig, sizeof(a->orig));
}

static bool has_lane(const struct overview *o, const struct report_alert *a)
{
	for (size_t i = 0; i < o->lanes; i++)
		if (is_of_lane(&o->lane[i], a))
			return true;
	return false;
}

/* lanes_make - for the originators of the worst incidents, of each at first one. */
static void lanes_make(struct overview *o)
{
	for (size_t k = 0, any = 1; any; k++) {
		any = 0;
		for (size_t i = 0; i < o->m->incidents; i++) {
			const struct report_incident *in = &o->m->incident[i];

			any |= k + 1 < in->alerts;
			if (k >= in->alerts || has_lane(o, in->alert[k]))
				continue;
			if (o->lanes < LANES_MAX)
				o->lane[o->lanes++].first = in->alert[k];
			else
				o->others = 1;
		}
		if (o->others)
			break;
	}
}

static void range_make(struct overview *o)
{
	for (size_t i = 0; i < o->m->incidents; i++) {
		const struct report_incident *in = &o->m->incident[i];

		if (!o->t0 || in->first_ns < o->t0)
			o->t0 = in->first_ns;
		if (in->last_ns > o->t1)
			o->t1 = in->last_ns;
	}
	if (o->m->bin_ns && o->m->probes) {
		uint64_t last = REPORT_BINS;

		o->bins = true;
		while (last > 1) {
			uint64_t sum = 0;

			for (unsigned int k = 0; k < MARK_SPOKE; k++)
				sum += o->m->bin[last - 1][k];
			if (sum)
				break;
			last--;
		}
		if (!o->t0 || o->m->bin_base_ns < o->t0)
			o->t0 = o->m->bin_base_ns;
		if (o->m->bin_base_ns + last * o->m->bin_ns > o->t1)
			o->t1 = o->m->bin_base_ns + last * o->m->bin_ns;
	}
}

static void write_bars(FILE *out, const struct overview *o, const struct lane *l, double y)
{
	size_t n = 0;

	for (size_t i = 0; i < o->m->incidents; i++) {
		const struct report_incident *in = &o->m->incident[i];

		for (size_t k = 0; k < in->alerts && n < BARS_MAX; k++) {
			const struct report_alert *a = in->alert[k];
			double x = overview_x(o, a->first_ns);
			double w = overview_x(o, a->last_ns) - x;
			char title[REPORT_SENTENCE_MAX];

			if (!is_of_lane(l, a))
				continue;
			n++;

			fprintf(out,
				"<rect class=\"bar sev%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
				"height=\"12\" rx=\"3\"><title>",
				a->severity, x - 2.5, y - 6, w + 5);
			report_html(out, report_alert_title(a, title));
			fprintf(out, ", severity %u</title></rect>\n", a->severity);
		}
	}
}

/* write_end - an address, of IPv6 its end, which tells more than the beginning. */
static void write_end(FILE *out, const char *text)
{
	size_t len = strlen(text);

	if (len <= LANE_CHARS) {
		report_html(out, text);
		return;
	}
	fputs("..", out);
	report_html(out, text + len - LANE_CHARS + 2);
}

static void write_lanes(FILE *out, const struct overview *o)
{
	for (size_t i = 0; i < o->lanes; i++) {
		double y = TOP + (double)i * LANE_HEIGHT + LANE_HEIGHT / 2.0;
		char orig[REPORT_WORD_MAX];

		fprintf(out,
			"<path class=\"row\" d=\"M%d %.1fH%d\"/><text class=\"p\" x=\"%d\" "
			"y=\"%.1f\">",
			LANE_LEFT, y, OVERVIEW_WIDTH - RIGHT, LANE_LEFT - 12, y + 4);
		report_who(o->lane[i].first, orig);
		write_end(out, orig);
		fputs("</text>\n", out);
		write_bars(out, o, &o->lane[i], y);
	}
	if (o->others)
		fprintf(out, "<text class=\"p\" x=\"%d\" y=\"%zu\">and others</text>\n",
			LANE_LEFT - 12, TOP + o->lanes * LANE_HEIGHT + LANE_HEIGHT / 2 + 4);
}

/* write_bins - probes over time, by answer, those that found something at the bottom. */
static void write_bins(FILE *out, const struct overview *o)
{
	double base = o->top + BINS_HEIGHT, most = 0;
	char text[REPORT_WORD_MAX], count[REPORT_WORD_MAX];

	for (size_t i = 0; i < REPORT_BINS; i++) {
		double sum = 0;

		for (unsigned int k = 0; k < MARK_SPOKE; k++)
			sum += (double)o->m->bin[i][k];
		most = sum > most ? sum : most;
	}
	fprintf(out,
		"<text class=\"p\" x=\"%d\" y=\"%u\">probes</text><text class=\"p small\" x=\"%d\" "
		"y=\"%u\">at most %s</text><text class=\"p small\" x=\"%d\" y=\"%u\">in "
		"%s</text>\n",
		LANE_LEFT - 12, o->top + 14, LANE_LEFT - 12, o->top + 31,
		report_count((uint64_t)most, count), LANE_LEFT - 12, o->top + 46,
		report_span(o->m->bin_ns, text));
	for (unsigned int k = 0; k < MARK_SPOKE; k++) {
		fprintf(out, "<path class=\"b %s\" d=\"", mark_name(k));
		for (size_t i = 0; i < REPORT_BINS; i++) {
			double x = overview_x(o, o->m->bin_base_ns + i * o->m->bin_ns), below = 0;
			double w = overview_x(o, o->m->bin_base_ns + (i + 1) * o->m->bin_ns) - x;
			double h = (double)o->m->bin[i][k] / most * BINS_HEIGHT;

			for (unsigned int j = 0; j < k; j++)
				below += (double)o->m->bin[i][j] / most * BINS_HEIGHT;
			if (o->m->bin[i][k])
				fprintf(out, "M%.1f %.1fv-%.2fh%.1fv%.2fz", x, base - below,
					h < 0.7 ? 0.7 : h, w < 1.5 ? 1.5 : w * 0.92,
					h < 0.7 ? 0.7 : h);
		}
		fputs("\"/>\n", out);
	}
	fprintf(out, "<path class=\"axis\" d=\"M%d %.1fH%d\"/>\n", LANE_LEFT, base,
		OVERVIEW_WIDTH - RIGHT);
}

/* write_clock - the labels below, in UTC. */
static void write_clock(FILE *out, const struct overview *o, double y)
{
	uint64_t span = o->t1 - o->t0, step = report_axis_step(span, TICKS_MAX - 1);
	uint64_t t = (o->t0 + step - 1) / step * step;
	int decimals = step >= NS_PER_S ? 0 : step >= NS_PER_MS ? 3 : 6;
	size_t from = step >= 86400 * NS_PER_S ? 0 : 11, len = step >= 60 * NS_PER_S ? 5 : 99;
	char text[REPORT_WORD_MAX], day[REPORT_WORD_MAX] = "";

	for (; t <= o->t1; t += step) {
		double x = overview_x(o, t);

		report_time(t, decimals, text);
		fprintf(out,
			"<path class=\"grid\" d=\"M%.1f %dV%.1f\"/><text class=\"t\" x=\"%.1f\" "
			"y=\"%.1f\">%.*s</text>\n",
			x, TOP, y + 4, x, y + 18, from ? (int)len : 10, text + from);
		if (from && strncmp(day, text, 10))
			fprintf(out, "<text class=\"t small\" x=\"%.1f\" y=\"%.1f\">%.10s</text>\n",
				x, y + 32, text);
		memcpy(day, text, sizeof(day));
	}
}

uint32_t report_svg_overview(FILE *out, const struct report *m)
{
	struct overview o = { .m = m };
	char text[REPORT_WORD_MAX];
	uint32_t lanes, high;

	lanes_make(&o);
	range_make(&o);
	if (!o.lanes && !o.bins)
		return 0;
	lanes = (uint32_t)(o.lanes + !!o.others) * LANE_HEIGHT;
	o.top = TOP + lanes + 10;
	high = o.top + (o.bins ? BINS_HEIGHT : 0) + 40;
	fprintf(out,
		"<svg class=\"overview\" viewBox=\"0 0 %d %u\" width=\"%d\" height=\"%u\" "
		"role=\"img\" aria-labelledby=\"ot od\">\n<title id=\"ot\">Who scanned when"
		"</title>\n<desc id=\"od\">Time from left to right, %s; a row an originator, "
		"a bar a scan, coloured by severity%s. The table below says the same.</desc>\n",
		OVERVIEW_WIDTH, high, OVERVIEW_WIDTH, high, report_span(o.t1 - o.t0, text),
		o.bins ? "; below, how many probes there were, by answer" : "");
	write_clock(out, &o, high - 40);
	write_lanes(out, &o);
	if (o.bins)
		write_bins(out, &o);
	fputs("</svg>\n", out);
	return high;
}

/* --- a file of pictures alone --------------------------------------------------------------- */

enum {
	FILE_SCANS = 40,
	FILE_MARKS = 2000, /* in one of them */
	FILE_MARGIN = 24,
	FILE_HEAD = 76,
};

static void write_heading(FILE *out, uint32_t y, const char *class, const char *text)
{
	fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%u\">", class, FILE_MARGIN, y);
	report_html(out, text);
	fputs("</text>\n", out);
}

/* file_scans - the scans one below the other, each moved to its place. Returns where they end. */
static uint32_t file_scans(FILE *out, const struct report *m, const struct services *services,
			   uint32_t y)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->incidents; i++)
		for (size_t k = 0; k < m->incident[i].alerts && n < FILE_SCANS; k++) {
			const struct report_alert *a = m->incident[i].alert[k];
			char title[REPORT_SENTENCE_MAX], line[REPORT_SENTENCE_MAX + 80];
			char orig[REPORT_WORD_MAX];
			struct report_picture drawn;

			fprintf(out, "<g transform=\"translate(%d 0)\">\n", FILE_MARGIN);
			report_svg_scan(out, m, a, services, ++n, y + 34, FILE_MARKS, &drawn);
			fputs("</g>\n", out);
			if (!drawn.drawn)
				continue;
			snprintf(line, sizeof(line), "%s: %s %s (severity %u)", a->rule,
				 report_who(a, orig), report_alert_title(a, title), a->severity);
			write_heading(out, y + 20, "head", line);
			y += drawn.height + 58;
		}
	return y;
}

/* file_body - all pictures, so that the height of the document is known before it begins. */
static uint32_t file_body(FILE *out, const struct report *m, const struct services *services)
{
	char lede[REPORT_SENTENCE_MAX], first[REPORT_WORD_MAX], last[REPORT_WORD_MAX];
	uint32_t y = FILE_HEAD, high;

	write_heading(out, 34, "title", report_lede(m, lede));
	if (m->first_ns) {
		snprintf(lede, sizeof(lede), "%s to %s UTC", report_time(m->first_ns, 0, first),
			 report_time(m->last_ns, 0, last));
		write_heading(out, 56, "t left", lede);
	}
	fprintf(out, "<g transform=\"translate(%d %u)\">\n", FILE_MARGIN, y);
	high = report_svg_overview(out, m);
	fputs("</g>\n", out);
	return file_scans(out, m, services, y + high + 20) + FILE_MARGIN;
}

int report_svg_file(FILE *out, const struct report *m, const struct services *services)
{
	char *body = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&body, &len);
	uint32_t high;

	if (!mem)
		return -ENOMEM;
	high = file_body(mem, m, services);
	if (fclose(mem)) {
		free(body);
		return -ENOMEM;
	}
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- made by reconmon "
		"%s -->\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" "
		"width=\"%d\" height=\"%u\">\n<style>%s</style>\n<rect class=\"paper\" "
		"width=\"100%%\" height=\"100%%\"/>\n",
		RECONMON_VERSION, OVERVIEW_WIDTH + 2 * FILE_MARGIN, high,
		OVERVIEW_WIDTH + 2 * FILE_MARGIN, high, report_picture_css);
	fwrite(body, 1, len, out);
	fputs("</svg>\n", out);
	free(body);
	return ferror(out) ? -EIO : 0;
}
