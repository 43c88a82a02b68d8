/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The log of attempts (`--attempts`): a row for every attempt when it is over, as Zeek's conn.log
 * has one for every connection. Rows wait in a queue of their own like alerts do (output_lane.h):
 * live, a full disk costs rows, which are counted, and never delays anybody; in replay it is waited
 * for. */
#ifndef RECONMON_ATTEMPT_LOG_H
#define RECONMON_ATTEMPT_LOG_H

#include <reconmon/attempt.h>

#include "config.h"
#include "owner.h"

struct attempt_log;

struct attempt_log_stats {
	uint64_t rows; /* made */
	uint64_t
		lost; /* never written: the receiver was too slow, failed, or there was no memory */
};

/* attempt_log_open - the log that cfg asks for; cfg must outlive it. Returns 0 with *ret for
 * attempt_log_free(), NULL if it asks for none; or a negative errno with err filled. */
int attempt_log_open(const struct config *cfg, struct attempt_log **ret, struct error *err);

/* attempt_log_add - an attempt is over. wall_offset_ns: wall clock minus the clock of *e. `owners`
 * knows whose it was, or is NULL. A NULL log takes everything. */
void attempt_log_add(struct attempt_log *l, const struct ended *e, int64_t wall_offset_ns,
		     struct owners *owners);

/* attempt_log_flush - what has been added is on its way: after each tick. */
void attempt_log_flush(struct attempt_log *l);

/* attempt_log_miss - so many more rows never came here (a full ring in the kernel). */
void attempt_log_miss(struct attempt_log *l, uint64_t rows);

/* attempt_log_reopen - after logrotate. */
void attempt_log_reopen(struct attempt_log *l);

/* attempt_log_end - nothing more comes; now_ns is wall clock, for the last line. Waits as
 * output_end() does. */
void attempt_log_end(struct attempt_log *l, uint64_t wall_ns);
void attempt_log_free(struct attempt_log *l); /* NULL is fine */

/* attempt_log_verdict - after attempt_log_end(): EXIT_FINE, or EXIT_RUNTIME with err filled if a
 * row was never written. */
int attempt_log_verdict(const struct attempt_log *l, struct error *err);

void attempt_log_stats_get(const struct attempt_log *l, struct attempt_log_stats *ret);

#endif
