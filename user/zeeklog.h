/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections from Zeek's conn.log: which contact does each row make? Input: the TSV flavour, whose
 * header lines decide columns and separators, or the JSON flavour, one object a line; plain or
 * gzip-compressed, several logs behind one another, both flavours mixed. What is damaged is said
 * once a kind, counted, and everything readable is used.
 *
 * Rows come in the order of the log, which is the order in which connections ended; the time of a
 * contact is when its connection began. */
#ifndef RECONMON_ZEEKLOG_H
#define RECONMON_ZEEKLOG_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Why a row makes no contact. */
enum zeeklog_skip {
	ZEEKLOG_OTHER_PROTO, /* neither TCP nor UDP: no ports */
	ZEEKLOG_UNKNOWN,     /* UDP without orig_bytes, and nothing else tells payload from none */
	ZEEKLOG_OTHER_LOG,   /* JSON: a row that is no connection (dns.log in the same stream) */
	ZEEKLOG_NO_HEADER,   /* TSV: below no header, or below one that lacks a needed column */
	ZEEKLOG_BAD_COLUMNS, /* TSV: fewer columns than the header has; a row cut short */
	ZEEKLOG_BAD_JSON,
	ZEEKLOG_BAD_TIME, /* unreadable, not after 1970-01-01T00:00:00Z, or after the year 2261 */
	ZEEKLOG_BAD_ADDR,
	ZEEKLOG_BAD_PORT,
	ZEEKLOG_BAD_COUNT,
	ZEEKLOG_BAD_TEXT,
	ZEEKLOG_BAD_LINE, /* longer than 16 MiB */
	ZEEKLOG_SKIP_MAX,
};

/* zeeklog_skip_name - "other_proto", "bad_time", ...: for counters and summaries. */
const char *zeeklog_skip_name(enum zeeklog_skip why);

struct zeeklog_stats {
	uint64_t rows; /* handed out */
	uint64_t skipped[ZEEKLOG_SKIP_MAX];
	uint64_t damaged; /* 1: reading stopped early (cut or corrupt gzip data, ...) */
	uint64_t bytes_read, bytes_total; /* of the file as stored, for progress; 0: unknown */
};

struct zeeklog;

/* zeeklog_complaint_fn - a sentence that names file and line (from 1). */
typedef void zeeklog_complaint_fn(void *ctx, const char *text);

/* zeeklog_is - do these first bytes of a file, plain or compressed, begin a conn.log: header lines
 * with #separator or #fields, or a JSON object? 512 bytes are enough. */
bool zeeklog_is(const void *first_bytes, size_t n);

/* zeeklog_open - opens a log ("-" is standard input) and reads its first header.
 *
 * exempt_transfers makes a contact CONTACT_TRANSFER where the responder sent 64 KiB or more over
 * TCP to a silent originator, as live; false (`--profile splunk`): silent like any other.
 *
 * Returns 0 with *ret for zeeklog_close(), or a negative errno with err filled: unreadable, or not
 * a conn.log (-EINVAL; a missing column is named). An empty file is fine and has no rows. */
int zeeklog_open(const char *file, bool exempt_transfers, zeeklog_complaint_fn *complain, void *ctx,
		 struct zeeklog **ret, struct error *err);

/* zeeklog_open_memory - the same over n bytes of plain text, which must outlive *ret. */
int zeeklog_open_memory(const void *data, size_t n, bool exempt_transfers,
			zeeklog_complaint_fn *complain, void *ctx, struct zeeklog **ret,
			struct error *err);

void zeeklog_close(struct zeeklog *z); /* NULL is fine */

/* zeeklog_next - the next connection, as the contact that a single attempt makes (contact_init);
 * times are since the epoch, ifindex is 0. Returns 1, or 0 at the end; *ret_key and *ret are
 * unchanged then. */
int zeeklog_next(struct zeeklog *z, struct contact_key *ret_key, struct contact *ret);

void zeeklog_stats_get(const struct zeeklog *z, struct zeeklog_stats *ret);

#endif
