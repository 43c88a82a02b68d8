// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "conn_row.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "alert.h"
#include "net.h"
#include "sink.h"
#include "zeek_table.h"

/* name, Zeek's type: Conn::Info in its order (Zeek 7, base/protocols/conn/main.zeek), then ours. */
#define COLUMNS(X)                                                                                 \
	X(TS, "ts", "time")                                                                        \
	X(UID, "uid", "string")                                                                    \
	X(ORIG_H, "id.orig_h", "addr")                                                             \
	X(ORIG_P, "id.orig_p", "port")                                                             \
	X(RESP_H, "id.resp_h", "addr")                                                             \
	X(RESP_P, "id.resp_p", "port")                                                             \
	X(PROTO, "proto", "enum")                                                                  \
	X(SERVICE, "service", "string")                                                            \
	X(DURATION, "duration", "interval")                                                        \
	X(ORIG_BYTES, "orig_bytes", "count")                                                       \
	X(RESP_BYTES, "resp_bytes", "count")                                                       \
	X(CONN_STATE, "conn_state", "string")                                                      \
	X(LOCAL_ORIG, "local_orig", "bool")                                                        \
	X(LOCAL_RESP, "local_resp", "bool")                                                        \
	X(MISSED_BYTES, "missed_bytes", "count")                                                   \
	X(HISTORY, "history", "string")                                                            \
	X(ORIG_PKTS, "orig_pkts", "count")                                                         \
	X(ORIG_IP_BYTES, "orig_ip_bytes", "count")                                                 \
	X(RESP_PKTS, "resp_pkts", "count")                                                         \
	X(RESP_IP_BYTES, "resp_ip_bytes", "count")                                                 \
	X(TUNNEL_PARENTS, "tunnel_parents", "set[string]")                                         \
	X(IP_PROTO, "ip_proto", "count")                                                           \
	X(ANSWER, "reconmon_answer", "string")                                                     \
	X(TECHNIQUE, "reconmon_technique", "set[string]")                                          \
	X(PID, "reconmon_pid", "count")                                                            \
	X(PROCESS, "reconmon_process", "string")                                                   \
	X(CONTAINER, "reconmon_container", "string")

ZEEK_TABLE(conn, "conn", COLUMNS);

/* ---- what Zeek would call it ---- */

/* A side of a connection, in Zeek's words. */
enum side_state {
	SIDE_NONE,
	SIDE_SYN,  /* its SYN was seen and not answered */
	SIDE_PART, /* traffic without SYN */
	SIDE_EST,
	SIDE_CLOSED,
	SIDE_RESET,
};

static enum side_state orig_side(const struct ended *e)
{
	if (e->a.acct & ACCT_RST_ORIG)
		return SIDE_RESET;
	if (e->a.acct & ACCT_FIN_ORIG)
		return SIDE_CLOSED;
	switch (ACCT_OPENING(e->a.acct)) {
	case OPENING_PLAIN:
		return e->state & STATE_ANSWERED ? SIDE_EST : SIDE_SYN;
	case OPENING_FIN: /* a FIN wins, on the first packet too */
	case OPENING_XMAS:
	case OPENING_MAIMON:
		return SIDE_CLOSED;
	default:
		return SIDE_PART;
	}
}

static enum side_state resp_side(const struct ended *e)
{
	if (e->a.acct & ACCT_RST_RESP)
		return SIDE_RESET;
	if (e->a.acct & ACCT_FIN_RESP)
		return SIDE_CLOSED;
	return e->state & STATE_ANSWERED ? SIDE_EST : SIDE_NONE;
}

/* tcp_state - Zeek's rules in Zeek's order. */
static const char *tcp_state(enum side_state orig, enum side_state resp)
{
	if (resp == SIDE_RESET) {
		if (orig == SIDE_SYN)
			return "REJ";
		return orig == SIDE_PART ? "RSTRH" : "RSTR";
	}
	if (orig == SIDE_RESET)
		return resp == SIDE_NONE ? "RSTOS0" : "RSTO";
	if (orig == SIDE_CLOSED)
		return resp == SIDE_CLOSED ? "SF" : resp == SIDE_NONE ? "SH" : "S2";
	if (resp == SIDE_CLOSED)
		return "S3";
	if (orig == SIDE_SYN)
		return "S0";
	return orig == SIDE_EST && resp == SIDE_EST ? "S1" : "OTH";
}

/* orig_is_silent - to the letter: is orig_bytes 0? A datagram that was refused is a probe whatever
 * it carried, and a transfer is none though nothing was. */
static bool orig_is_silent(const struct ended *e)
{
	if (e->bits & CONTACT_PAYLOAD)
		return false;
	return e->a.proto != PROTO_UDP || !(e->state & STATE_DECIDED);
}

const char *conn_state(const struct ended *e)
{
	if (!(e->bits & CONTACT_SILENT))
		return NULL;
	switch (e->a.proto) {
	case PROTO_TCP:
		return tcp_state(orig_side(e), resp_side(e));
	case PROTO_UDP:
		return e->state & STATE_ANSWERED ? "SF" : "S0";
	default:
		return "OTH";
	}
}

/* tcp_opening - the letter of the first packet. */
static char tcp_opening(const struct ended *e)
{
	static const char letter[] = {
		[OPENING_PLAIN] = 'S', [OPENING_FIN] = 'F',	[OPENING_XMAS] = 'F',
		[OPENING_FLAGS] = 'Q', [OPENING_ACK] = 'A',	[OPENING_MAIMON] = 'F',
		[OPENING_NULL] = 0,    [OPENING_SYN_ACK] = 'H',
	};
	uint32_t opening = ACCT_OPENING(e->a.acct);

	if (e->state & STATE_FRAGMENT)
		return 0; /* its flags came later, and unseen */
	return opening < sizeof(letter) ? letter[opening] : 0;
}

const char *conn_history(const struct ended *e, char *buf)
{
	uint64_t acct = e->a.acct;
	const struct {
		bool seen;
		char letter;
	} events[] = {
		{ acct & ACCT_SYN_ACK, 'h' },  { e->state & STATE_ESTAB, 'A' },
		{ acct & ACCT_FIN_RESP, 'f' }, { acct & ACCT_FIN_ORIG, 'F' },
		{ acct & ACCT_RST_ORIG, 'R' }, { acct & ACCT_RST_RESP, 'r' },
	};
	char *p = buf;

	if (e->a.proto == PROTO_UDP) {
		*p++ = 'D'; /* of an empty datagram too, as Zeek does */
		if (e->state & STATE_ANSWERED)
			*p++ = 'd';
	} else if (e->a.proto == PROTO_TCP) {
		*p = tcp_opening(e);
		p += !!*p;
		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (events[i].seen)
				*p++ = events[i].letter;
		if (e->bits & CONTACT_PAYLOAD)
			*p++ = 'D';
	}
	*p = '\0';
	return buf;
}

/* ---- a row ---- */

/* A row and the room for its texts. */
struct row {
	struct zeek_cell cell[COL_MAX];
	char orig[NET_TEXT_MAX], resp[NET_TEXT_MAX];
	char uid[24], history[CONN_HISTORY_MAX];
	char techniques[ZEEK_TECHNIQUES_MAX];
	char process[OWNER_COMM_LEN + 1];
};

/* uid_make - 'C' and seventeen letters and digits, as Zeek's; the same attempt has the same one in
 * every run. */
static const char *uid_make(const struct attempt *a, char *buf)
{
	static const char digit[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t x = a->first_ns, y;

	for (int i = 0; i < 2; i++) {
		x = (x ^ a->orig.w[i] ^ x >> 31) * 0x9E3779B97F4A7C15ull;
		x = (x ^ a->resp.w[i] ^ x >> 29) * 0xBF58476D1CE4E5B9ull;
	}
	x ^= (uint64_t)a->orig_port << 48 | (uint64_t)a->resp_port << 32 | a->isn;
	x = (x ^ x >> 31) * 0x94D049BB133111EBull ^ a->proto;
	y = (x ^ x >> 29) * 0x9E3779B97F4A7C15ull;
	buf[0] = 'C';
	for (int i = 1; i < 18; i++) {
		uint64_t *from = i < 10 ? &x : &y;

		buf[i] = digit[*from % 62];
		*from /= 62;
	}
	buf[18] = '\0';
	return buf;
}

/* set_ends - addresses and ports; of ICMP its types, as Zeek has them, and of a protocol without
 * ports none. */
static void set_ends(struct row *r, const struct attempt *a)
{
	int64_t orig_p = ntohs(a->orig_port), resp_p = ntohs(a->resp_port);

	if (a->proto == PROTO_ICMP || a->proto == PROTO_ICMPV6) {
		orig_p = a->isn; /* parse_icmp(): the type that asked */
		resp_p = a->proto == PROTO_ICMPV6 ? orig_p + 1 : orig_p == 8 ? 0 : orig_p + 1;
	} else if (a->proto == PROTO_ANY) {
		orig_p = 0;
		resp_p = 0;
	}
	zeek_set_text(&r->cell[COL_ORIG_H], addr_format(&a->orig, r->orig));
	zeek_set_number(&r->cell[COL_ORIG_P], CELL_COUNT, orig_p);
	zeek_set_text(&r->cell[COL_RESP_H], addr_format(&a->resp, r->resp));
	zeek_set_number(&r->cell[COL_RESP_P], CELL_COUNT, resp_p);
}

static void set_proto(struct row *r, const struct attempt *a)
{
	int64_t number = a->proto == PROTO_ANY ? ntohs(a->resp_port) : a->proto;

	zeek_set_text(&r->cell[COL_PROTO], zeek_proto(a->proto));
	zeek_set_number(&r->cell[COL_IP_PROTO], CELL_COUNT, number);
}

/* set_techniques - as an alert over this one attempt would name them. */
static void set_techniques(struct row *r, const struct ended *e)
{
	const struct alert alone = { .bits = e->bits, .proto = e->a.proto };

	if (e->bits & CONTACT_SILENT)
		zeek_set_techniques(&r->cell[COL_TECHNIQUE], &alone, r->techniques);
}

static const char *answer_name_of(uint32_t bits)
{
	if (bits & CONTACT_OPEN)
		return "open";
	if (bits & CONTACT_CLOSED)
		return "closed";
	if (bits & CONTACT_FILTERED)
		return "filtered";
	return bits & CONTACT_NONE ? "none" : NULL;
}

static void set_owner(struct row *r, const struct owner *owner)
{
	if (!owner)
		return;
	if (owner->pid)
		zeek_set_number(&r->cell[COL_PID], CELL_COUNT, owner->pid);
	zeek_set_text(&r->cell[COL_PROCESS],
		      sink_clean(owner->name, r->process, sizeof(r->process)));
	zeek_set_text(&r->cell[COL_CONTAINER], owner->where.container);
}

static void row_make(struct row *r, const struct ended *e, const struct owner *owner,
		     const struct conn_context *ctx)
{
	const struct attempt *a = &e->a;
	int64_t ts = ((int64_t)a->first_ns + ctx->wall_offset_ns) / 1000;

	memset(r->cell, 0, sizeof(r->cell));
	zeek_set_number(&r->cell[COL_TS], CELL_TIME, ts);
	zeek_set_text(&r->cell[COL_UID], uid_make(a, r->uid));
	set_ends(r, a);
	set_proto(r, a);
	if (e->end_ns > a->first_ns && !(a->acct & ACCT_RENEWED))
		zeek_set_number(&r->cell[COL_DURATION], CELL_TIME,
				(int64_t)(e->end_ns - a->first_ns) / 1000);
	if (orig_is_silent(e) && (!ctx->literal || e->bits & CONTACT_SPAN))
		zeek_set_number(&r->cell[COL_ORIG_BYTES], CELL_COUNT, 0);
	zeek_set_text(&r->cell[COL_CONN_STATE], conn_state(e));
	zeek_set_number(&r->cell[COL_LOCAL_ORIG], CELL_BOOL, net_list_has(ctx->internal, &a->orig));
	zeek_set_number(&r->cell[COL_LOCAL_RESP], CELL_BOOL, net_list_has(ctx->internal, &a->resp));
	zeek_set_text(&r->cell[COL_HISTORY], conn_history(e, r->history));
	zeek_set_text(&r->cell[COL_ANSWER], answer_name_of(e->bits));
	set_techniques(r, e);
	set_owner(r, owner);
}

int conn_row_write(FILE *out, const struct ended *e, const struct owner *owner,
		   const struct conn_context *ctx)
{
	struct row r;

	row_make(&r, e, owner, ctx);
	return ctx->json ? zeek_json_row(out, &conn, r.cell) : zeek_tsv_row(out, &conn, r.cell);
}

int conn_tsv_begin(FILE *out, uint64_t wall_ns)
{
	return zeek_tsv_begin(out, &conn, wall_ns);
}

int conn_tsv_end(FILE *out, uint64_t wall_ns)
{
	return zeek_tsv_end(out, wall_ns);
}
