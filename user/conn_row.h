/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An attempt in the shape of Zeek's conn.log, for those who have searches over that. Columns of
 * Zeek's in their order, then ours with reconmon_ in front. What is not tracked is unset, and of
 * attempts that carried payload only that is known: they have neither orig_bytes nor conn_state. */
#ifndef RECONMON_CONN_ROW_H
#define RECONMON_CONN_ROW_H

#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "owner.h"

struct conn_context {
	int64_t wall_offset_ns; /* wall clock minus the clock of the attempts */
	const struct net_list *internal;
	bool literal; /* orig_bytes is unset where Zeek leaves it unset: the connection had no span
		       */
	bool json;
};

/* conn_row_write - one row; `owner` is whose attempt it was, NULL if unknown. Returns 0, or
 * -ENOMEM, or -EIO with the stream's errno. */
int conn_row_write(FILE *out, const struct ended *e, const struct owner *owner,
		   const struct conn_context *ctx);

/* conn_tsv_begin, conn_tsv_end - the lines around a file of rows: struct sink. */
int conn_tsv_begin(FILE *out, uint64_t wall_ns);
int conn_tsv_end(FILE *out, uint64_t wall_ns);

/* conn_state - Zeek's word for how a silent attempt ended ("S0", "REJ", ...); NULL for one that
 * carried payload, or was a transfer and not followed to its end. */
const char *conn_state(const struct ended *e);

/* conn_history - Zeek's letters for what was seen of it, in the usual order rather than the order
 * of arrival, into buf of CONN_HISTORY_MAX bytes; returns buf. */
enum {
	CONN_HISTORY_MAX = 12
};
const char *conn_history(const struct ended *e, char *buf);

#endif
