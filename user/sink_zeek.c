// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a site that lives by Zeek's logs read an alert? A row of notice.log: src, dst, note and
 * msg where Zeek's own scan detection has them, so that whatever reads that log reads ours; what it
 * has no column for comes behind, with reconmon_ in front. As TSV under Zeek's header, and as JSON,
 * where columns without value are left out. One description of the row serves both. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net.h"
#include "owner_text.h"
#include "sink_json.h"

enum {
	ZEEK_PORTS_MAX = 8192,
	TIME_DIGITS = 16, /* seconds since the epoch with six decimals */
};

/* name, Zeek's type. Those of Notice::Info in their order (Zeek 6.0, notice/main.zeek), then ours.
 */
#define COLUMNS(X)                                                                                 \
	X(TS, "ts", "time")                                                                        \
	X(UID, "uid", "string")                                                                    \
	X(ORIG_H, "id.orig_h", "addr")                                                             \
	X(ORIG_P, "id.orig_p", "port")                                                             \
	X(RESP_H, "id.resp_h", "addr")                                                             \
	X(RESP_P, "id.resp_p", "port")                                                             \
	X(FUID, "fuid", "string")                                                                  \
	X(FILE_MIME_TYPE, "file_mime_type", "string")                                              \
	X(FILE_DESC, "file_desc", "string")                                                        \
	X(PROTO, "proto", "enum")                                                                  \
	X(NOTE, "note", "enum")                                                                    \
	X(MSG, "msg", "string")                                                                    \
	X(SUB, "sub", "string")                                                                    \
	X(SRC, "src", "addr")                                                                      \
	X(DST, "dst", "addr")                                                                      \
	X(P, "p", "port")                                                                          \
	X(N, "n", "count")                                                                         \
	X(PEER_DESCR, "peer_descr", "string")                                                      \
	X(ACTIONS, "actions", "set[enum]")                                                         \
	X(EMAIL_DEST, "email_dest", "set[string]")                                                 \
	X(SUPPRESS_FOR, "suppress_for", "interval")                                                \
	X(COUNTRY, "remote_location.country_code", "string")                                       \
	X(REGION, "remote_location.region", "string")                                              \
	X(CITY, "remote_location.city", "string")                                                  \
	X(LATITUDE, "remote_location.latitude", "double")                                          \
	X(LONGITUDE, "remote_location.longitude", "double")                                        \
	X(ID, "reconmon_id", "string")                                                             \
	X(STATE, "reconmon_state", "string")                                                       \
	X(SEVERITY, "reconmon_severity", "count")                                                  \
	X(ATTEMPTS, "reconmon_attempts", "count")                                                  \
	X(PORTS, "reconmon_ports", "string")                                                       \
	X(OPEN, "reconmon_open", "string")                                                         \
	X(TECHNIQUE, "reconmon_technique", "set[string]")                                          \
	X(FIRST, "reconmon_first", "time")                                                         \
	X(LAST, "reconmon_last", "time")                                                           \
	X(INTERFACE, "reconmon_interface", "string")                                               \
	X(DIRECTION, "reconmon_direction", "string")                                               \
	X(OWNER, "reconmon_owner", "string")                                                       \
	X(INCOMPLETE, "reconmon_incomplete", "bool")

enum column {
#define X(id, name, type) COL_##id,
	COLUMNS(X)
#undef X
	COL_MAX,
};

static const struct {
	const char *name, *type;
} columns[COL_MAX] = {
#define X(id, name, type) [COL_##id] = { name, type },
	COLUMNS(X)
#undef X
};

enum cell_kind {
	CELL_UNSET,
	CELL_TEXT,
	CELL_COUNT, /* ports too */
	CELL_TIME,  /* microseconds; intervals too */
	CELL_SET,   /* elements joined by NUL, an empty one ends it */
	CELL_BOOL,
};

struct cell {
	enum cell_kind kind;
	const char *text;
	int64_t number;
};

/* A row and the room for its texts. */
struct row {
	struct cell cell[COL_MAX];
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX];
	char note[RULE_NAME_MAX + 16], msg[SINK_SENTENCE_MAX];
	char ports[ZEEK_PORTS_MAX], open[ZEEK_PORTS_MAX];
	char techniques[256], owner[OWNER_TEXT_MAX];
};

static void set_text(struct row *r, enum column c, const char *text)
{
	if (sink_known(text))
		r->cell[c] = (struct cell){ .kind = CELL_TEXT, .text = text };
}

static void set_number(struct row *r, enum column c, enum cell_kind kind, int64_t n)
{
	r->cell[c] = (struct cell){ .kind = kind, .number = n };
}

static int64_t wall_us(const struct sink_context *ctx, uint64_t t_ns)
{
	return ((int64_t)t_ns + ctx->wall_offset_ns) / 1000;
}

/* note_make - "Reconmon::Port_Scan", as Zeek calls its own Scan::Port_Scan. */
static const char *note_make(const struct rule *rule, char *buf, size_t size)
{
	bool first = true;

	snprintf(buf, size, "Reconmon::%s", rule->name);
	for (char *p = buf + strlen("Reconmon::"); *p; p++) {
		if (first)
			*p = (char)toupper((unsigned char)*p);
		first = *p == '-';
		if (first)
			*p = '_';
	}
	return buf;
}

static void set_ports(struct row *r, enum column c, const struct alert *a, enum answer answer,
		      char *text)
{
	if (sink_ports(a, answer, text, ZEEK_PORTS_MAX - sizeof(",...")))
		strcat(text, ",...");
	set_text(r, c, text);
}

static void set_techniques(struct row *r, const struct alert *a)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(a, technique);
	size_t len = 0;

	for (unsigned int i = 0; i < n && len + strlen(technique[i]) + 2 < sizeof(r->techniques);
	     i++) {
		strcpy(r->techniques + len, technique[i]);
		len += strlen(technique[i]) + 1;
	}
	r->techniques[len] = '\0';
	r->cell[COL_TECHNIQUE] = (struct cell){ .kind = CELL_SET, .text = r->techniques };
}

static void set_parties(struct row *r, const struct alert *a)
{
	set_text(r, COL_SRC, addr_format(&a->orig, r->orig));
	if (a->rule->group & FIELD_RESP)
		set_text(r, COL_DST, addr_format(&a->resp, r->resp));
	if (a->rule->group & FIELD_RESP_PORT)
		set_number(r, COL_P, CELL_COUNT, a->resp_port);
	if (a->proto)
		set_text(r, COL_PROTO, proto_name(a->proto));
	set_text(r, COL_SUB, a->orig_internal ? "local" : "remote");
}

static void row_make(struct row *r, const struct alert *a, enum alert_state state,
		     const struct sink_context *ctx)
{
	static const char actions[] = "Notice::ACTION_LOG\0"; /* and the empty one */

	memset(r->cell, 0, sizeof(r->cell));
	set_number(r, COL_TS, CELL_TIME, wall_us(ctx, ctx->now_ns));
	set_parties(r, a);
	set_text(r, COL_NOTE, note_make(a->rule, r->note, sizeof(r->note)));
	set_text(r, COL_MSG, sink_message(a, r->msg));
	set_number(r, COL_N, CELL_COUNT, a->count);
	set_text(r, COL_PEER_DESCR, ctx->hostname);
	r->cell[COL_ACTIONS] = (struct cell){ .kind = CELL_SET, .text = actions };
	r->cell[COL_EMAIL_DEST] = (struct cell){ .kind = CELL_SET, .text = "" };
	set_number(r, COL_SUPPRESS_FOR, CELL_TIME, 0);

	set_text(r, COL_ID, a->id);
	set_text(r, COL_STATE, alert_state_name(state));
	set_number(r, COL_SEVERITY, CELL_COUNT, alert_severity(a));
	set_number(r, COL_ATTEMPTS, CELL_COUNT, (int64_t)a->attempts);
	set_ports(r, COL_PORTS, a, ANSWER_MAX, r->ports);
	set_ports(r, COL_OPEN, a, ANSWER_OPEN, r->open);
	set_techniques(r, a);
	set_number(r, COL_FIRST, CELL_TIME, wall_us(ctx, a->first_ns));
	set_number(r, COL_LAST, CELL_TIME, wall_us(ctx, a->last_ns));
	set_text(r, COL_INTERFACE, a->ifname);
	set_text(r, COL_DIRECTION, a->dir == DIR_EGRESS ? "egress" : "ingress");
	set_text(r, COL_OWNER, owner_text(a, r->owner));
	set_number(r, COL_INCOMPLETE, CELL_BOOL, a->incomplete);
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

static void put_cell(FILE *out, const struct cell *c)
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

int sink_zeek_tsv_write(FILE *out, const struct alert *a, enum alert_state state,
			const struct sink_context *ctx)
{
	struct row r;

	row_make(&r, a, state, ctx);
	for (unsigned int i = 0; i < COL_MAX; i++) {
		if (i)
			fputc('\t', out);
		put_cell(out, &r.cell[i]);
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

int sink_zeek_tsv_begin(FILE *out, uint64_t wall_ns)
{
	fputs("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
	      "#path\tnotice\n",
	      out);
	put_moment(out, "open", wall_ns);
	fputs("#fields", out);
	for (unsigned int i = 0; i < COL_MAX; i++)
		fprintf(out, "\t%s", columns[i].name);
	fputs("\n#types", out);
	for (unsigned int i = 0; i < COL_MAX; i++)
		fprintf(out, "\t%s", columns[i].type);
	fputc('\n', out);
	return flushed(out);
}

int sink_zeek_tsv_end(FILE *out, uint64_t wall_ns)
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

static json_t *cell_json(const struct cell *c)
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

int sink_zeek_json_write(FILE *out, const struct alert *a, enum alert_state state,
			 const struct sink_context *ctx)
{
	json_t *doc = json_object();
	struct row r;
	int bad = 0;

	row_make(&r, a, state, ctx);
	for (unsigned int i = 0; i < COL_MAX && !bad; i++)
		if (r.cell[i].kind != CELL_UNSET)
			bad = json_object_set_new(doc, columns[i].name, cell_json(&r.cell[i]));
	if (bad) {
		json_decref(doc);
		doc = NULL;
	}
	return sink_json_line(out, doc, TIME_DIGITS);
}
