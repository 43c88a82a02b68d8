// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Zeek's conn.log to contacts. Bytes become lines, lines become cells (of TSV by the header's
 * columns, of JSON by key), cells become a row, and a row becomes a contact; only the step to cells
 * knows the flavour.
 *
 * The hard part is what an unset orig_bytes says. Zeek sets it only where a connection lasted
 * longer than nothing, so a lone SYN has none, and neither has a lone UDP datagram with payload.
 * See row_tcp_bits() and row_udp_bits(). */
#include "zeeklog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "net.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull
#define TIME_MAX  ((uint64_t)INT64_MAX) /* ns: into the year 2262; differences stay in 64 bits */

enum {
	READ_SIZE = 64 * 1024,
	LINE_MAX_BYTES = 16 * 1024 * 1024, /* rows have a few hundred bytes; bounds our memory */
	COLUMNS_MAX = 512,   /* where we look for our columns; Zeek has 22, packages add a few */
	MARK_MAX = 32,	     /* "-", "(empty)" */
	QUOTE_MAX = 48,	     /* how much of a wrong value a complaint repeats */
	COMPLAINT_MAX = 512, /* as struct error */
	BULK_BYTES = 65536,  /* what makes a transfer: TRACK_BULK_BYTES in track.h */
	UDP_V4_HEADERS = 20 + 8,
	UDP_V6_HEADERS = 40 + 8,
};

enum column {
	COL_TS,
	COL_ORIG_H,
	COL_RESP_H,
	COL_RESP_P,
	COL_PROTO,
	COL_ORIG_BYTES,
	COL_NEEDED, /* a TSV header without one of those above is of no use */
	COL_RESP_BYTES = COL_NEEDED,
	COL_CONN_STATE,
	COL_HISTORY,
	COL_ORIG_PKTS,
	COL_ORIG_IP_BYTES,
	COL_MAX,
	COL_NONE = COL_MAX,
};

static const char *const column_name[COL_MAX] = {
	[COL_TS] = "ts",
	[COL_ORIG_H] = "id.orig_h",
	[COL_RESP_H] = "id.resp_h",
	[COL_RESP_P] = "id.resp_p",
	[COL_PROTO] = "proto",
	[COL_ORIG_BYTES] = "orig_bytes",
	[COL_RESP_BYTES] = "resp_bytes",
	[COL_CONN_STATE] = "conn_state",
	[COL_HISTORY] = "history",
	[COL_ORIG_PKTS] = "orig_pkts",
	[COL_ORIG_IP_BYTES] = "orig_ip_bytes",
};

/* What becomes of a row: a zeeklog_skip, or none of them. */
enum {
	ROW_USED = ZEEKLOG_SKIP_MAX
};

static const struct skip_text {
	const char *name;
	const char *problem; /* of the value or the line; NULL: part of every healthy log */
} skip_texts[ZEEKLOG_SKIP_MAX] = {
	[ZEEKLOG_OTHER_PROTO] = { "other_proto", NULL },
	[ZEEKLOG_UNKNOWN] = { "unknown_payload",
			      "is unset, and nothing else says whether the datagram had payload" },
	[ZEEKLOG_OTHER_LOG] = { "other_log", "a row of another log than conn.log" },
	[ZEEKLOG_NO_HEADER] = { "no_header", "a row without a usable #fields line above it" },
	[ZEEKLOG_BAD_COLUMNS] = { "bad_columns", "fewer columns than its #fields line has" },
	[ZEEKLOG_BAD_JSON] = { "bad_json", "not a JSON object" },
	[ZEEKLOG_BAD_TIME] = { "bad_time", "is not a time from 1970 to 2261" },
	[ZEEKLOG_BAD_ADDR] = { "bad_addr", "is not an address" },
	[ZEEKLOG_BAD_PORT] = { "bad_port", "is not a port (0 to 65535)" },
	[ZEEKLOG_BAD_COUNT] = { "bad_count", "is not a count" },
	[ZEEKLOG_BAD_TEXT] = { "bad_text", "is not text" },
	[ZEEKLOG_BAD_LINE] = { "bad_line", "a line of more than 16 MiB" },
};

const char *zeeklog_skip_name(enum zeeklog_skip why)
{
	return skip_texts[why].name;
}

/* One value of a row. */
struct cell {
	enum {
		CELL_UNSET,
		CELL_TEXT, /* text: ends with a NUL and has no other */
		CELL_INTEGER,
		CELL_REAL,
		CELL_BROKEN, /* nothing that any column holds */
	} kind;
	const char *text; /* in the line or in the JSON object */
	json_int_t integer;
	double real;
};

struct count {
	uint64_t n;
	bool set;
};

struct row {
	uint64_t t_ns;
	struct contact_key key;
	struct count orig_bytes, resp_bytes, orig_pkts, orig_ip_bytes;
	const char *state, *history; /* "" where unset */
};

struct zeeklog {
	gzFile gz; /* NULL: memory */
	const char *buf;
	size_t pos, have;
	char *own_buf;	   /* what gz fills */
	char problem[128]; /* why reading stopped early; "" if it did not */

	char *line; /* ends with a NUL, without LF or CR LF */
	size_t len, cap;
	bool too_long;
	bool pending; /* the line was read by open and waits for next */
	uint64_t line_no;

	/* The last header. */
	char sep;
	char unset[MARK_MAX], empty[MARK_MAX];
	size_t n_columns;	    /* 0: no usable #fields line so far */
	uint8_t which[COLUMNS_MAX]; /* enum column, COL_NONE where we do not care */

	bool exempt_transfers;
	bool complained[ZEEKLOG_SKIP_MAX];
	zeeklog_complaint_fn *complain;
	void *ctx;
	struct zeeklog_stats stats;
	char name[256]; /* for complaints */
};

/* --- bytes to lines ----------------------------------------------------------------------- */

/* fill - more bytes into an empty buffer; false at the end, with z->problem set if it is early. */
static bool fill(struct zeeklog *z)
{
	const char *why;
	int n, code, errno_read;

	if (!z->gz || *z->problem)
		return false;
	n = gzread(z->gz, z->own_buf, READ_SIZE);
	errno_read = errno;
	if (n > 0) {
		z->buf = z->own_buf;
		z->pos = 0;
		z->have = (size_t)n;
		return true;
	}
	why = gzerror(z->gz, &code);
	if (code == Z_ERRNO)
		why = strerror(errno_read);
	else if (code == Z_BUF_ERROR)
		why = "the compressed data is cut short";
	if (code != Z_OK && code != Z_STREAM_END)
		(void)snprintf(z->problem, sizeof(z->problem), "%s", why);
	return false;
}

/* line_append - a line too long to keep, for its own length or for memory, loses all it had. */
static void line_append(struct zeeklog *z, const char *bytes, size_t n)
{
	size_t cap = z->cap;
	char *grown;

	if (z->too_long)
		return;
	while (cap < z->len + n + 1)
		cap = cap ? cap * 2 : 1024;
	grown = z->line;
	if (z->len + n > LINE_MAX_BYTES || (cap != z->cap && !(grown = realloc(z->line, cap)))) {
		z->too_long = true;
		z->len = 0;
		return;
	}
	z->line = grown;
	z->cap = cap;
	memcpy(z->line + z->len, bytes, n);
	z->len += n;
	z->line[z->len] = '\0';
}

/* line_read - the next line that is not empty. Returns false at the end. */
static bool line_read(struct zeeklog *z)
{
	bool any = false;

	z->len = 0;
	z->too_long = false;
	for (;;) {
		const char *from, *lf;
		size_t n;

		if (z->pos == z->have && !fill(z))
			break;
		from = z->buf + z->pos;
		lf = memchr(from, '\n', z->have - z->pos);
		n = lf ? (size_t)(lf - from) : z->have - z->pos;
		line_append(z, from, n);
		z->pos += n + (lf != NULL);
		any = true;
		if (!lf)
			continue;

		z->line_no++;
		any = false;
		if (z->len && z->line[z->len - 1] == '\r')
			z->line[--z->len] = '\0';
		if (z->len || z->too_long)
			return true;
	}
	z->line_no += any;
	return z->len || z->too_long;
}

static bool is_json(const char *line)
{
	return line[strspn(line, " \t")] == '{';
}

/* --- complaints --------------------------------------------------------------------------- */

static void complain(struct zeeklog *z, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct zeeklog *z, const char *fmt, ...)
{
	char text[COMPLAINT_MAX];
	va_list ap;

	if (!z->complain)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	z->complain(z->ctx, text);
}

/* quote - the text as far as a terminal may see it. */
static const char *quote(const char *text, char buf[QUOTE_MAX])
{
	size_t n = 0;

	for (; text[n] && n < QUOTE_MAX - 1; n++)
		buf[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
	buf[n] = '\0';
	return buf;
}

/* skip - counts a row that makes no contact, and says so once a kind. The value at fault, if one
 * is, is cell `col`. */
static void skip(struct zeeklog *z, enum zeeklog_skip why, enum column col, const struct cell *cell)
{
	const char *problem = skip_texts[why].problem;
	char buf[QUOTE_MAX];

	z->stats.skipped[why]++;
	if (!problem || z->complained[why])
		return;
	z->complained[why] = true;
	if (col == COL_NONE)
		complain(z, "%s: line %llu: %s; such lines are counted and left out", z->name,
			 (unsigned long long)z->line_no, problem);
	else if (cell->kind == CELL_TEXT)
		complain(z, "%s: line %llu: %s '%s' %s; such rows are counted and left out",
			 z->name, (unsigned long long)z->line_no, column_name[col],
			 quote(cell->text, buf), problem);
	else
		complain(z, "%s: line %llu: %s %s; such rows are counted and left out", z->name,
			 (unsigned long long)z->line_no, column_name[col], problem);
}

/* --- header lines ------------------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* unescape - resolves Zeek's \xHH and \\ in place, between text and end. Returns the new end. */
static char *unescape(char *text, char *end)
{
	char *to = text;

	for (const char *p = text; p < end;) {
		if (end - p >= 4 && p[0] == '\\' && p[1] == 'x' && hex_digit(p[2]) >= 0 &&
		    hex_digit(p[3]) >= 0) {
			*to++ = (char)(hex_digit(p[2]) * 16 + hex_digit(p[3]));
			p += 4;
			continue;
		}
		if (end - p >= 2 && p[0] == '\\' && p[1] == '\\')
			p++;
		*to++ = *p++;
	}
	return to;
}

static enum column column_find(const char *name, size_t n)
{
	for (size_t i = 0; i < COL_MAX; i++)
		if (strlen(column_name[i]) == n && !memcmp(column_name[i], name, n))
			return (enum column)i;
	return COL_NONE;
}

/* fields_take - learns the columns from what follows "#fields". Returns the column that is missing,
 * COL_NONE if none is; with one missing the header is of no use. */
static enum column fields_take(struct zeeklog *z, const char *p)
{
	const char *end = z->line + z->len;
	bool seen[COL_MAX] = { false };
	size_t n = 0;

	memset(z->which, COL_NONE, sizeof(z->which));
	z->n_columns = 0;
	while (p < end && *p == z->sep) {
		const char *next;
		enum column col;

		p++;
		next = memchr(p, z->sep, (size_t)(end - p));
		if (!next)
			next = end;
		col = column_find(p, (size_t)(next - p));
		if (n < COLUMNS_MAX && col != COL_NONE && !seen[col]) {
			z->which[n] = (uint8_t)col;
			seen[col] = true;
		}
		n++;
		p = next;
	}
	for (size_t i = 0; i < COL_NEEDED; i++)
		if (!seen[i])
			return (enum column)i;
	z->n_columns = n;
	return COL_NONE;
}

static void mark_take(char mark[MARK_MAX], const char *text)
{
	(void)snprintf(mark, MARK_MAX, "%s", text);
}

static void header_reset(struct zeeklog *z)
{
	z->sep = '\t';
	z->n_columns = 0;
	mark_take(z->unset, "-");
	mark_take(z->empty, "(empty)");
}

/* after_key - what follows "#key" and one character in the line; NULL if that is not its key. */
static char *after_key(const struct zeeklog *z, const char *key)
{
	size_t n = strlen(key);

	return z->len > n && !memcmp(z->line, key, n) ? z->line + n + 1 : NULL;
}

/* header_take - a line that begins with '#'. #set_separator is not needed: none of our columns is a
 * set. Returns true, or false with `problem` filled: rows below cannot be read. */
static bool header_take(struct zeeklog *z, char *problem, size_t size)
{
	char *value;

	if ((value = after_key(z, "#separator"))) { /* a new header; always with a space */
		char *end = unescape(value, z->line + z->len);

		header_reset(z);
		z->sep = *value;
		if (end - value == 1)
			return true;
		z->sep = '\t';
		(void)snprintf(problem, size, "#separator is not one character");
		return false;
	}
	if ((value = after_key(z, "#unset_field"))) {
		mark_take(z->unset, value);
	} else if ((value = after_key(z, "#empty_field"))) {
		mark_take(z->empty, value);
	} else if ((value = after_key(z, "#fields"))) {
		enum column missing = fields_take(z, value - 1);

		if (missing != COL_NONE) {
			(void)snprintf(problem, size, "#fields has no column '%s'",
				       column_name[missing]);
			return false;
		}
	}
	return true;
}

/* --- lines to cells ----------------------------------------------------------------------- */

/* cell_text - the text between p and end, where a NUL may be written. */
static struct cell cell_text(char *p, char *end)
{
	*end = '\0';
	return (struct cell){ .kind = strlen(p) == (size_t)(end - p) ? CELL_TEXT : CELL_BROKEN,
			      .text = p };
}

static struct cell cell_of_tsv(const struct zeeklog *z, char *p, char *end)
{
	struct cell cell = cell_text(p, end);

	/* Before escapes are resolved: a string that only looks unset is written as \x2d. */
	if (cell.kind == CELL_TEXT && !strcmp(p, z->unset))
		return (struct cell){ .kind = CELL_UNSET };
	if (cell.kind == CELL_TEXT && !strcmp(p, z->empty))
		return cell_text(p, p);
	return cell_text(p, unescape(p, end));
}

static int cells_of_tsv(struct zeeklog *z, struct cell cells[COL_MAX])
{
	char *p = z->line, *end = p + z->len;
	size_t n = 0;

	if (!z->n_columns)
		return ZEEKLOG_NO_HEADER;
	for (;; n++) {
		char *next = memchr(p, z->sep, (size_t)(end - p));
		bool last = !next;

		if (last)
			next = end;
		if (n < COLUMNS_MAX && z->which[n] != COL_NONE)
			cells[z->which[n]] = cell_of_tsv(z, p, next);
		if (last)
			break;
		p = next + 1;
	}
	return n + 1 < z->n_columns ? ZEEKLOG_BAD_COLUMNS : ROW_USED;
}

static struct cell cell_of_json(const json_t *value)
{
	if (!value || json_is_null(value))
		return (struct cell){ .kind = CELL_UNSET };
	if (json_is_string(value)) /* jansson refuses \u0000 */
		return (struct cell){ .kind = CELL_TEXT, .text = json_string_value(value) };
	if (json_is_integer(value))
		return (struct cell){ .kind = CELL_INTEGER, .integer = json_integer_value(value) };
	if (json_is_real(value))
		return (struct cell){ .kind = CELL_REAL, .real = json_real_value(value) };
	return (struct cell){ .kind = CELL_BROKEN };
}

/* cells_of_json - cells point into *ret_object, which the caller releases. */
static int cells_of_json(const struct zeeklog *z, struct cell cells[COL_MAX], json_t **ret_object)
{
	json_t *object = json_loadb(z->line, z->len, 0, NULL);

	*ret_object = object;
	if (!json_is_object(object))
		return ZEEKLOG_BAD_JSON;
	for (size_t i = 0; i < COL_MAX; i++)
		cells[i] = cell_of_json(json_object_get(object, column_name[i]));
	/* JSON leaves unset fields out. Before a missing orig_bytes may mean anything, the row must
	 * be one of conn.log: dns.log has addresses, ports and a protocol as well. */
	if (cells[COL_ORIG_BYTES].kind == CELL_UNSET && cells[COL_CONN_STATE].kind == CELL_UNSET &&
	    cells[COL_HISTORY].kind == CELL_UNSET)
		return ZEEKLOG_OTHER_LOG;
	return ROW_USED;
}

/* --- cells to values; all return false for what they cannot read -------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits_read - one or more digits at *p, moving it behind them. */
static bool digits_read(const char **p, uint64_t *ret)
{
	uint64_t n = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p); ++*p)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**p - '0'), &n))
			return false;
	*ret = n;
	return true;
}

/* fraction_read - ".123456" at *p as nanoseconds; digits below them are dropped, none is 0. */
static uint64_t fraction_read(const char **p)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;

	if (**p != '.')
		return 0;
	for (++*p; is_digit(**p); ++*p, unit /= 10)
		ns += unit * (uint64_t)(**p - '0');
	return ns;
}

/* time_make - 0 stands for "never" in a contact, so a time is later. */
static bool time_make(uint64_t s, uint64_t ns, uint64_t *ret)
{
	uint64_t t;

	if (__builtin_mul_overflow(s, NS_PER_S, &t) || __builtin_add_overflow(t, ns, &t))
		return false;
	if (!t || t > TIME_MAX)
		return false;
	*ret = t;
	return true;
}

/* fixed_read - exactly n digits at *p, then the character `then` (0: none is looked for). */
static bool fixed_read(const char **p, int n, char then, int *ret)
{
	*ret = 0;
	for (; n > 0; n--, ++*p) {
		if (!is_digit(**p))
			return false;
		*ret = *ret * 10 + (**p - '0');
	}
	if (then && *(*p)++ != then)
		return false;
	return true;
}

/* days_from_epoch - of a date in the proleptic Gregorian calendar, year 1 or later. */
static int64_t days_from_epoch(int year, int month, int day)
{
	static const int before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int leaps_of = month > 2 ? year : year - 1; /* the last year whose 29 February is over */

	return 365ll * (year - 1970) + before[month - 1] + day - 1 + leaps_of / 4 - leaps_of / 100 +
	       leaps_of / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* zone_read - "", "Z", "+02:00" or "-0530" at p, to the end; no zone is UTC. In seconds. */
static bool zone_read(const char *p, int64_t *ret)
{
	int sign = *p == '-' ? -1 : 1, h, m;

	*ret = 0;
	if (!*p || !strcmp(p, "Z"))
		return true;
	if ((*p != '+' && *p != '-') || (p++, !fixed_read(&p, 2, 0, &h)))
		return false;
	p += *p == ':';
	if (!fixed_read(&p, 2, 0, &m) || *p || h > 23 || m > 59)
		return false;
	*ret = sign * (h * 3600ll + m * 60ll);
	return true;
}

/* iso_read - "2026-11-25T02:50:00.123456Z" (LogAscii::json_timestamps = JSON::TS_ISO8601). */
static bool iso_read(const char *p, uint64_t *ret)
{
	int year, month, day, h, m, s;
	int64_t zone, seconds;
	uint64_t ns;

	if (!fixed_read(&p, 4, '-', &year) || !fixed_read(&p, 2, '-', &month) ||
	    !fixed_read(&p, 2, 'T', &day) || !fixed_read(&p, 2, ':', &h) ||
	    !fixed_read(&p, 2, ':', &m) || !fixed_read(&p, 2, 0, &s))
		return false;
	ns = fraction_read(&p);
	if (!zone_read(p, &zone) || year < 1 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    h > 23 || m > 59 || s > 60) /* 60: a leap second */
		return false;
	seconds = days_from_epoch(year, month, day) * 86400 + h * 3600ll + m * 60ll + s - zone;
	return seconds >= 0 && time_make((uint64_t)seconds, ns, ret);
}

static bool time_of_text(const char *text, uint64_t *ret)
{
	const char *p = text;
	uint64_t s, ns;

	if (digits_read(&p, &s) && (*p == '.' || !*p)) {
		ns = fraction_read(&p);
		return !*p && time_make(s, ns, ret);
	}
	return iso_read(text, ret);
}

/* time_of_number - Zeek has microseconds; so has what we make of a double, and both flavours of a
 * log agree. Numbers beyond any year are the milliseconds of JSON::TS_MILLIS. */
static bool time_of_number(double number, uint64_t *ret)
{
	static const double millis_from = 1e11; /* as seconds 5138, as milliseconds March 1973 */
	static const double us_max = 9.2e15;	/* TIME_MAX, about */
	double us = number * (number < millis_from ? 1e6 : 1e3);

	if (!(us > 0 && us < us_max))
		return false;
	return time_make(0, ((uint64_t)(us * 2) + 1) / 2 * NS_PER_US, ret); /* to the nearest */
}

static bool cell_time(const struct cell *cell, uint64_t *ret)
{
	switch (cell->kind) {
	case CELL_TEXT:
		return time_of_text(cell->text, ret);
	case CELL_INTEGER:
		return time_of_number((double)cell->integer, ret);
	case CELL_REAL:
		return time_of_number(cell->real, ret);
	default:
		return false;
	}
}

static bool cell_count(const struct cell *cell, struct count *ret)
{
	const char *p = cell->text;

	*ret = (struct count){ .set = cell->kind != CELL_UNSET };
	switch (cell->kind) {
	case CELL_UNSET:
		return true;
	case CELL_TEXT:
		return digits_read(&p, &ret->n) && !*p;
	case CELL_INTEGER:
		ret->n = (uint64_t)cell->integer;
		return cell->integer >= 0;
	default:
		return false;
	}
}

static bool cell_port(const struct cell *cell, __be16 *ret)
{
	struct count port;

	if (!cell_count(cell, &port) || !port.set || port.n > UINT16_MAX)
		return false;
	*ret = htons((uint16_t)port.n);
	return true;
}

static bool cell_addr(const struct cell *cell, struct ip_addr *ret)
{
	return cell->kind == CELL_TEXT && !addr_parse(cell->text, ret);
}

/* cell_string - a text that may be unset, "" then. */
static bool cell_string(const struct cell *cell, const char **ret)
{
	*ret = cell->kind == CELL_TEXT ? cell->text : "";
	return cell->kind == CELL_TEXT || cell->kind == CELL_UNSET;
}

/* proto_read - TCP and UDP have ports; icmp has types there, unknown_transport zeros. */
static int proto_read(const struct cell *cell, __u8 *ret)
{
	if (cell->kind != CELL_TEXT)
		return ZEEKLOG_BAD_TEXT;
	if (!strcmp(cell->text, "tcp"))
		*ret = PROTO_TCP;
	else if (!strcmp(cell->text, "udp"))
		*ret = PROTO_UDP;
	else
		return ZEEKLOG_OTHER_PROTO;
	return ROW_USED;
}

/* row_read - all values of a row, or the reason why not and the column at fault. */
static int row_read(const struct cell cells[COL_MAX], struct row *row, enum column *ret_col)
{
	const struct {
		enum column col;
		struct count *ret;
	} counts[] = {
		{ COL_ORIG_BYTES, &row->orig_bytes },
		{ COL_RESP_BYTES, &row->resp_bytes },
		{ COL_ORIG_PKTS, &row->orig_pkts },
		{ COL_ORIG_IP_BYTES, &row->orig_ip_bytes },
	};
	int why;

	memset(&row->key, 0, sizeof(row->key));
	why = proto_read(&cells[ *ret_col = COL_PROTO], &row->key.proto);
	if (why != ROW_USED)
		return why;
	if (!cell_time(&cells[ *ret_col = COL_TS], &row->t_ns))
		return ZEEKLOG_BAD_TIME;
	if (!cell_addr(&cells[ *ret_col = COL_ORIG_H], &row->key.orig) ||
	    !cell_addr(&cells[ *ret_col = COL_RESP_H], &row->key.resp))
		return ZEEKLOG_BAD_ADDR;
	if (!cell_port(&cells[ *ret_col = COL_RESP_P], &row->key.resp_port))
		return ZEEKLOG_BAD_PORT;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (!cell_count(&cells[ *ret_col = counts[i].col], counts[i].ret))
			return ZEEKLOG_BAD_COUNT;
	if (!cell_string(&cells[ *ret_col = COL_CONN_STATE], &row->state) ||
	    !cell_string(&cells[ *ret_col = COL_HISTORY], &row->history))
		return ZEEKLOG_BAD_TEXT;
	return ROW_USED;
}

/* --- a row to a contact ------------------------------------------------------------------- */

/* What the responder of a silent TCP attempt did. RSTR is not here: it depends on the history. */
static const struct state_answer {
	const char *state;
	__u32 bits;
} tcp_answers[] = {
	{ "S0", CONTACT_NONE },	 { "SH", CONTACT_NONE },    { "RSTOS0", CONTACT_NONE },
	{ "OTH", CONTACT_NONE }, { "REJ", CONTACT_CLOSED }, { "RSTRH", CONTACT_CLOSED },
	{ "S1", CONTACT_OPEN },	 { "S2", CONTACT_OPEN },    { "S3", CONTACT_OPEN },
	{ "SF", CONTACT_OPEN },	 { "RSTO", CONTACT_OPEN },  { "SHR", CONTACT_OPEN },
};

/* tcp_answer - by conn_state, and by the history where the state leaves it open or is unset. */
static __u32 tcp_answer(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(tcp_answers); i++)
		if (!strcmp(row->state, tcp_answers[i].state))
			return tcp_answers[i].bits;
	if (strchr(row->history, 'h'))
		return CONTACT_OPEN;
	if (!strcmp(row->state, "RSTR") || strchr(row->history, 'r'))
		return CONTACT_CLOSED;
	return CONTACT_NONE;
}

/* tcp_technique - was the handshake completed? Told by the originator's ACK (A, or a FIN or data
 * that carries one) behind the responder's SYN-ACK (h). Zeek's S1 alone does not tell: it covers a
 * handshake that the originator left half open without a RST. */
static __u32 tcp_technique(const struct row *row)
{
	static const char *const completed[] = { "S1", "S2", "S3", "SF" };
	const char *answer = strchr(row->history, 'h');

	if (answer && strpbrk(answer, "ADF"))
		return CONTACT_CONNECT;
	if (answer && strchr(row->history, 'S'))
		return CONTACT_SYN;
	if (*row->history)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(completed); i++)
		if (!strcmp(row->state, completed[i]))
			return CONTACT_CONNECT;
	return 0;
}

/* row_tcp_bits - unset orig_bytes is a connection without duration: a lone SYN, as a rule. Where
 * the history knows of the originator's data (D), it was not. */
static __u32 row_tcp_bits(const struct zeeklog *z, const struct row *row)
{
	__u32 bits;

	if (row->orig_bytes.set ? row->orig_bytes.n > 0 : strchr(row->history, 'D') != NULL)
		return CONTACT_PAYLOAD;
	if (z->exempt_transfers && row->resp_bytes.n >= BULK_BYTES)
		return CONTACT_TRANSFER;
	bits = tcp_answer(row);
	if (bits == CONTACT_OPEN)
		bits |= tcp_technique(row);
	return row->orig_bytes.set ? bits | CONTACT_SPAN : bits;
}

/* udp_payload - did the originator's datagrams have payload? -1: the row does not say. The history
 * does not either: Zeek writes D for an empty datagram too. An originator without any packet (Zeek
 * turned the roles around) was not silent, it was not seen. */
static int udp_payload(const struct row *row)
{
	uint64_t headers = addr_is_v4(&row->key.orig) ? UDP_V4_HEADERS : UDP_V6_HEADERS;

	if (row->orig_bytes.set)
		return row->orig_bytes.n > 0;
	if (!row->orig_ip_bytes.set || !row->orig_pkts.set || !row->orig_pkts.n ||
	    __builtin_mul_overflow(row->orig_pkts.n, headers, &headers))
		return -1;
	return row->orig_ip_bytes.n > headers;
}

/* row_udp_bits - 0 if the row does not say whether the originator was silent. A refusal by ICMP is
 * a row of its own and not known here. */
static __u32 row_udp_bits(const struct row *row)
{
	int payload = udp_payload(row);
	bool answered = !strcmp(row->state, "SF") || !strcmp(row->state, "SHR") ||
			(!*row->state && strchr(row->history, 'd'));

	if (payload < 0)
		return 0;
	if (payload)
		return CONTACT_PAYLOAD | CONTACT_UDP;
	return (answered ? CONTACT_OPEN : CONTACT_NONE) | CONTACT_UDP |
	       (row->orig_bytes.set ? CONTACT_SPAN : 0);
}

/* line_take - what becomes of the line in z->line: a contact, or a reason and the cell at fault. */
static int line_take(struct zeeklog *z, struct cell cells[COL_MAX], enum column *ret_col,
		     json_t **ret_object, struct contact_key *ret_key, struct contact *ret)
{
	struct row row;
	__u32 bits;
	int why;

	if (z->too_long)
		return ZEEKLOG_BAD_LINE;
	why = is_json(z->line) ? cells_of_json(z, cells, ret_object) : cells_of_tsv(z, cells);
	if (why != ROW_USED)
		return why;
	why = row_read(cells, &row, ret_col);
	if (why != ROW_USED)
		return why;

	bits = row.key.proto == PROTO_TCP ? row_tcp_bits(z, &row) : row_udp_bits(&row);
	if (!bits) {
		*ret_col = COL_ORIG_BYTES;
		return ZEEKLOG_UNKNOWN;
	}
	*ret_key = row.key;
	contact_init(ret, &row.key, &(struct attempt){ .first_ns = row.t_ns }, bits);
	return ROW_USED;
}

int zeeklog_next(struct zeeklog *z, struct contact_key *ret_key, struct contact *ret)
{
	while (z->pending || line_read(z)) {
		struct cell cells[COL_MAX] = { { .kind = CELL_UNSET } };
		enum column col = COL_NONE;
		json_t *object = NULL;
		char problem[128];
		int why;

		z->pending = false;
		if (!z->too_long && z->line[0] == '#') {
			if (!header_take(z, problem, sizeof(problem)))
				complain(z, "%s: line %llu: %s; rows below it are left out",
					 z->name, (unsigned long long)z->line_no, problem);
			continue;
		}
		why = line_take(z, cells, &col, &object, ret_key, ret);
		if (why != ROW_USED)
			skip(z, (enum zeeklog_skip)why, col, col == COL_NONE ? NULL : &cells[col]);
		json_decref(object);
		if (why == ROW_USED) {
			z->stats.rows++;
			return 1;
		}
	}
	if (*z->problem && !z->stats.damaged) {
		z->stats.damaged = 1;
		complain(z, "%s: after line %llu: %s; what came before is used", z->name,
			 (unsigned long long)z->line_no, z->problem);
	}
	return 0;
}

/* --- opening and closing ------------------------------------------------------------------ */

/* text_is_log - does the text begin with a JSON object, or with header lines down to one that
 * only a Zeek log has? */
static bool text_is_log(const char *text, size_t n)
{
	static const char *const keys[] = { "#separator ", "#fields" };
	const char *end = text + n;

	while (text < end && (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n'))
		text++;
	if (text < end && *text == '{')
		return true;
	while (text < end && *text == '#') {
		const char *lf = memchr(text, '\n', (size_t)(end - text));

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			if ((size_t)(end - text) >= strlen(keys[i]) &&
			    !memcmp(text, keys[i], strlen(keys[i])))
				return true;
		if (!lf)
			return false;
		text = lf + 1;
	}
	return false;
}

bool zeeklog_is(const void *first_bytes, size_t n)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b };
	z_stream s = { .next_in = (z_const Bytef *)first_bytes, .avail_in = (uInt)n };
	char text[512];

	if (n < sizeof(gzip) || memcmp(first_bytes, gzip, sizeof(gzip)) != 0)
		return text_is_log(first_bytes, n);
	if (n > UINT16_MAX || inflateInit2(&s, MAX_WBITS + 16) != Z_OK) /* 16: gzip framing */
		return false;
	s.next_out = (Bytef *)text;
	s.avail_out = sizeof(text);
	(void)inflate(&s, Z_SYNC_FLUSH);
	n = sizeof(text) - s.avail_out;
	inflateEnd(&s);
	return text_is_log(text, n);
}

/* start - reads as far as the first #fields line or row, so that what is no conn.log is refused. */
static int start(struct zeeklog *z, struct error *err)
{
	char problem[128];

	while (!z->n_columns && line_read(z)) {
		if (z->too_long || z->line[0] != '#') {
			z->pending = true;
			break;
		}
		if (!header_take(z, problem, sizeof(problem)))
			return error_set(err, -EINVAL, EXIT_RUNTIME, "%s: line %llu: %s", z->name,
					 (unsigned long long)z->line_no, problem);
	}
	if (*z->problem && !z->line_no)
		return error_set(err, -EIO, EXIT_RUNTIME, "%s: %s", z->name, z->problem);
	if (z->pending && !z->too_long && !z->n_columns && !is_json(z->line))
		return error_set(
			err, -EINVAL, EXIT_RUNTIME,
			"%s: line %llu: a row without a #fields line above it: not a conn.log",
			z->name, (unsigned long long)z->line_no);
	return 0;
}

static struct zeeklog *zeeklog_new(const char *name, bool exempt_transfers,
				   zeeklog_complaint_fn *complaint, void *ctx)
{
	struct zeeklog *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->exempt_transfers = exempt_transfers;
	z->complain = complaint;
	z->ctx = ctx;
	(void)snprintf(z->name, sizeof(z->name), "%s", name);
	header_reset(z);
	return z;
}

/* source_open - the file's descriptor, its size if it has one, and zlib's reader over it, which
 * passes on what is not compressed. */
static int source_open(struct zeeklog *z, const char *file, struct error *err)
{
	bool is_stdin = !strcmp(file, "-");
	int fd = is_stdin ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return error_set(err, -errno, EXIT_RUNTIME, "%s: %m", z->name);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		z->stats.bytes_total = (uint64_t)st.st_size;
	z->gz = gzdopen(fd, "rb");
	if (!z->gz) {
		close(fd);
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "%s: out of memory", z->name);
	}
	(void)gzbuffer(z->gz, READ_SIZE);
	return 0;
}

int zeeklog_open(const char *file, bool exempt_transfers, zeeklog_complaint_fn *complaint,
		 void *ctx, struct zeeklog **ret, struct error *err)
{
	const char *name = strcmp(file, "-") != 0 ? file : "standard input";
	struct zeeklog *z = zeeklog_new(name, exempt_transfers, complaint, ctx);
	int r;

	if (!z || !(z->own_buf = malloc(READ_SIZE))) {
		r = error_set(err, -ENOMEM, EXIT_RUNTIME, "%s: out of memory", name);
		goto fail;
	}
	r = source_open(z, file, err);
	if (r < 0)
		goto fail;
	r = start(z, err);
	if (r < 0)
		goto fail;
	*ret = z;
	return 0;

fail:
	zeeklog_close(z);
	return r;
}

int zeeklog_open_memory(const void *data, size_t n, bool exempt_transfers,
			zeeklog_complaint_fn *complaint, void *ctx, struct zeeklog **ret,
			struct error *err)
{
	struct zeeklog *z = zeeklog_new("memory", exempt_transfers, complaint, ctx);
	int r;

	if (!z)
		return error_set(err, -ENOMEM, EXIT_RUNTIME, "memory: out of memory");
	z->buf = data;
	z->have = n;
	r = start(z, err);
	if (r < 0) {
		zeeklog_close(z);
		return r;
	}
	*ret = z;
	return 0;
}

void zeeklog_close(struct zeeklog *z)
{
	if (!z)
		return;
	if (z->gz)
		gzclose(z->gz);
	free(z->own_buf);
	free(z->line);
	free(z);
}

void zeeklog_stats_get(const struct zeeklog *z, struct zeeklog_stats *ret)
{
	z_off_t at = z->gz ? gzoffset(z->gz) : (z_off_t)z->pos;

	*ret = z->stats;
	ret->bytes_read = at > 0 ? (uint64_t)at : 0;
	if (!z->gz)
		ret->bytes_total = z->have;
}
