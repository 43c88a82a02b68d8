// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "zeek_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sink.h"
#include "sink_json.h"

enum {
	TIME_DIGITS = 16, /* seconds since the epoch with six decimals */
};

void zeek_set_text(struct zeek_cell *c, const char *text)
{
	if (sink_known(text))
		*c = (struct zeek_cell){ .kind = CELL_TEXT, .text = text };
}

void zeek_set_number(struct zeek_cell *c, enum zeek_cell_kind kind, int64_t n)
{
	*c = (struct zeek_cell){ .kind = kind, .number = n };
}

void zeek_set_techniques(struct zeek_cell *c, const struct alert *a, char *text)
{
	const char *name[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, name);
	size_t len = 0;

	for (unsigned int i = 0; i < n && len + strlen(name[i]) + 2 <= ZEEK_TECHNIQUES_MAX; i++) {
		strcpy(text + len, name[i]);
		len += strlen(name[i]) + 1;
	}
	text[len] = '\0';
	if (n)
		*c = (struct zeek_cell){ .kind = CELL_SET, .text = text };
}

const char *zeek_proto(uint8_t proto)
{
	switch (proto) {
	case PROTO_TCP:
		return "tcp";
	case PROTO_UDP:
		return "udp";
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return "icmp";
	default:
		return "unknown_transport";
	}
}

/* ---- TSV ---- */

/* put_escaped - as Zeek's ASCII writer: what separates, and what a terminal would obey, as \xNN;
 * and the first byte of a text that would read as unset or empty. */
static void put_escaped(FILE *out, const char *text, bool in_set)
{
	bool reserved = !strcmp(text, "-") || !strcmp(text, "(empty)");

	for (; *text; text++, reserved = false) {
		unsigned char c = (unsigned char)*text;

		if (c == '\\')
			fputs("\\\\", out);
		else if (reserved || c < ' ' || c == 0x7f || (in_set && c == ','))
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_set(FILE *out, const char *element)
{
	if (!*element)
		fputs("(empty)", out);
	for (bool first = true; *element; element += strlen(element) + 1, first = false) {
		if (!first)
			fputc(',', out);
		put_escaped(out, element, true);
	}
}

static void put_time(FILE *out, int64_t us)
{
	int64_t abs = us < 0 ? -us : us;

	fprintf(out, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "", abs / 1000000, abs % 1000000);
}

static void put_cell(FILE *out, const struct zeek_cell *c)
{
	switch (c->kind) {
	case CELL_UNSET:
		fputc('-', out);
		break;
	case CELL_TEXT:
		put_escaped(out, c->text, false);
		break;
	case CELL_COUNT:
		fprintf(out, "%" PRId64, c->number);
		break;
	case CELL_TIME:
		put_time(out, c->number);
		break;
	case CELL_SET:
		put_set(out, c->text);
		break;
	case CELL_BOOL:
		fputc(c->number ? 'T' : 'F', out);
		break;
	}
}

static int flushed(FILE *out)
{
	return fflush(out) == EOF || ferror(out) ? -EIO : 0;
}

int zeek_tsv_row(FILE *out, const struct zeek_table *t, const struct zeek_cell *cells)
{
	for (unsigned int i = 0; i < t->columns; i++) {
		if (i)
			fputc('\t', out);
		put_cell(out, &cells[i]);
	}
	fputc('\n', out);
	return flushed(out);
}

/* Zeek writes the times of opening and closing by the local clock; ours is UTC, like all we write.
 */
static void put_moment(FILE *out, const char *key, uint64_t wall_ns)
{
	time_t s = (time_t)(wall_ns / 1000000000);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&s, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &tm);
	fprintf(out, "#%s\t%s\n", key, text);
}

int zeek_tsv_begin(FILE *out, const struct zeek_table *t, uint64_t wall_ns)
{
	fprintf(out,
		"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
		"#path\t%s\n",
		t->path);
	put_moment(out, "open", wall_ns);
	fputs("#fields", out);
	for (unsigned int i = 0; i < t->columns; i++)
		fprintf(out, "\t%s", t->column[i].name);
	fputs("\n#types", out);
	for (unsigned int i = 0; i < t->columns; i++)
		fprintf(out, "\t%s", t->column[i].type);
	fputc('\n', out);
	return flushed(out);
}

int zeek_tsv_end(FILE *out, uint64_t wall_ns)
{
	put_moment(out, "close", wall_ns);
	return flushed(out);
}

/* ---- JSON ---- */

static json_t *set_json(const char *element)
{
	json_t *list = json_array();

	for (; *element; element += strlen(element) + 1)
		if (json_array_append_new(list, json_string(element)) < 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *cell_json(const struct zeek_cell *c)
{
	switch (c->kind) {
	case CELL_TEXT:
		return json_string(c->text);
	case CELL_COUNT:
		return json_integer(c->number);
	case CELL_TIME:
		return json_real((double)c->number / 1e6);
	case CELL_SET:
		return set_json(c->text);
	case CELL_BOOL:
		return json_boolean(c->number);
	case CELL_UNSET:
		break;
	}
	return NULL;
}

int zeek_json_row(FILE *out, const struct zeek_table *t, const struct zeek_cell *cells)
{
	json_t *doc = json_object();
	int bad = !doc;

	for (unsigned int i = 0; i < t->columns && !bad; i++)
		if (cells[i].kind != CELL_UNSET)
			bad = json_object_set_new(doc, t->column[i].name, cell_json(&cells[i]));
	if (bad) {
		json_decref(doc);
		doc = NULL;
	}
	return sink_json_line(out, doc, TIME_DIGITS);
}
