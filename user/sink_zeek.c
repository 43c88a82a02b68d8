// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* How does a site that lives by Zeek's logs read an alert? A row of notice.log: src, dst, note and
 * msg where Zeek's own scan detection has them, so that whatever reads that log reads ours; what it
 * has no column for comes behind, with reconmon_ in front. As TSV under Zeek's header, and as JSON:
 * zeek_table.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "owner_text.h"
#include "sink.h"
#include "zeek_table.h"

enum {
	ZEEK_PORTS_MAX = 8192,
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
	X(INCOMPLETE, "reconmon_incomplete", "bool")                                               \
	X(INCIDENT, "reconmon_incident", "string")                                                 \
	X(ASN, "reconmon_asn", "count")                                                            \
	X(ORGANIZATION, "reconmon_organization", "string")

ZEEK_TABLE(notice, "notice", COLUMNS);

/* A row and the room for its texts. */
struct row {
	struct zeek_cell cell[COL_MAX];
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX];
	char note[RULE_NAME_MAX + 16], msg[SINK_SENTENCE_MAX];
	char ports[ZEEK_PORTS_MAX], open[ZEEK_PORTS_MAX];
	char techniques[ZEEK_TECHNIQUES_MAX], owner[OWNER_TEXT_MAX];
};

static void set_text(struct row *r, enum column c, const char *text)
{
	zeek_set_text(&r->cell[c], text);
}

static void set_number(struct row *r, enum column c, enum zeek_cell_kind kind, int64_t n)
{
	zeek_set_number(&r->cell[c], kind, n);
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

static void set_parties(struct row *r, const struct alert *a)
{
	if (sink_has_orig(a))
		set_text(r, COL_SRC, addr_format(&a->orig, r->orig));
	if (a->rule->group & FIELD_RESP)
		set_text(r, COL_DST, addr_format(&a->resp, r->resp));
	if (sink_has_port(a))
		set_number(r, COL_P, CELL_COUNT, a->resp_port);
	if (a->proto)
		set_text(r, COL_PROTO, zeek_proto(a->proto));
	set_text(r, COL_SUB, a->orig_internal ? "local" : "remote");
}

static int64_t millionths(double x)
{
	return (int64_t)(x * 1e6 + (x < 0 ? -0.5 : 0.5));
}

/* set_location - Zeek's own columns, and for the network two of ours. */
static void set_location(struct row *r, const struct geo *geo)
{
	if (!geo)
		return;
	set_text(r, COL_COUNTRY, geo->country_iso);
	set_text(r, COL_REGION, geo->region);
	set_text(r, COL_CITY, geo->city);
	if (geo->has_location) {
		set_number(r, COL_LATITUDE, CELL_TIME, millionths(geo->lat));
		set_number(r, COL_LONGITUDE, CELL_TIME, millionths(geo->lon));
	}
	if (geo->asn)
		set_number(r, COL_ASN, CELL_COUNT, geo->asn);
	set_text(r, COL_ORGANIZATION, geo->org);
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
	r->cell[COL_ACTIONS] = (struct zeek_cell){ .kind = CELL_SET, .text = actions };
	r->cell[COL_EMAIL_DEST] = (struct zeek_cell){ .kind = CELL_SET, .text = "" };
	set_number(r, COL_SUPPRESS_FOR, CELL_TIME, 0);

	set_text(r, COL_ID, a->id);
	set_text(r, COL_STATE, alert_state_name(state));
	set_number(r, COL_SEVERITY, CELL_COUNT, alert_severity(a));
	set_number(r, COL_ATTEMPTS, CELL_COUNT, (int64_t)a->attempts);
	set_ports(r, COL_PORTS, a, ANSWER_MAX, r->ports);
	set_ports(r, COL_OPEN, a, ANSWER_OPEN, r->open);
	zeek_set_techniques(&r->cell[COL_TECHNIQUE], a, r->techniques);
	set_number(r, COL_FIRST, CELL_TIME, wall_us(ctx, a->first_ns));
	set_number(r, COL_LAST, CELL_TIME, wall_us(ctx, a->last_ns));
	set_text(r, COL_INTERFACE, a->ifname);
	set_text(r, COL_DIRECTION, sink_direction(a, ctx));
	set_text(r, COL_OWNER, owner_text(a, r->owner));
	set_number(r, COL_INCOMPLETE, CELL_BOOL, a->incomplete);
	set_text(r, COL_INCIDENT, a->incident);
	set_location(r, ctx->geo);
}

int sink_zeek_tsv_write(FILE *out, const struct alert *a, enum alert_state state,
			const struct sink_context *ctx)
{
	struct row r;

	row_make(&r, a, state, ctx);
	return zeek_tsv_row(out, &notice, r.cell);
}

int sink_zeek_json_write(FILE *out, const struct alert *a, enum alert_state state,
			 const struct sink_context *ctx)
{
	struct row r;

	row_make(&r, a, state, ctx);
	return zeek_json_row(out, &notice, r.cell);
}

int sink_zeek_tsv_begin(FILE *out, uint64_t wall_ns)
{
	return zeek_tsv_begin(out, &notice, wall_ns);
}

int sink_zeek_tsv_end(FILE *out, uint64_t wall_ns)
{
	return zeek_tsv_end(out, wall_ns);
}
