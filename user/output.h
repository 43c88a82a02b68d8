/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From the engine to those who are told: each alert in each state goes to every output whose filter
 * lets it pass, in that output's format, and waits there in a queue of its own until the receiver
 * takes it. No receiver, however slow or dead, delays the caller (live; in replay one that is slow
 * is waited for).
 *
 * An alert's `open` that found no room is said as soon as there is: as `open`, with what is known
 * by then. So a receiver never sees an `update` or `close` of an alert it was not told of. */
#ifndef RECONMON_OUTPUT_H
#define RECONMON_OUTPUT_H

#include "alertbook.h"
#include "config.h"
#include "output_lane.h"
#include "output_spool.h"
#include "sink.h"

struct output;

/* output_open - opens every output of cfg, which must outlive it. Returns 0 with *ret for
 * output_free(), or a negative errno with err filled. */
int output_open(const struct config *cfg, struct output **ret, struct error *err);

/* output_clock - from now on the clock of the evidence stands at now_ns and is wall clock (replay).
 * Without it, evidence is in CLOCK_BOOTTIME and the clock runs. */
void output_clock(struct output *o, uint64_t now_ns);

/* output_context - what documents say of this host and this moment, and of where an alert's
 * originator is, which goes to *geo (both not NULL) and must live as long as what is returned. */
struct sink_context output_context(const struct output *o, const struct alert *a, struct geo *geo);

/* output_emit - an alertbook_emit_fn; ctx is the output. */
void output_emit(void *ctx, struct alert *a, enum alert_state state);

/* output_reopen - files are opened anew under their names, after logrotate moved them away. Returns
 * how many outputs are files. */
unsigned int output_reopen(struct output *o);

/* output_end - nothing more comes: waits for the receivers, live at most two seconds. What was not
 * taken by then waits in the output's spool for the next run, or is counted as lost. */
void output_end(struct output *o);
void output_free(struct output *o); /* ends it, too; NULL is fine */

/* Each output's name and figures, in the order of the configuration. */
struct output_stats {
	char name[OUTPUT_NAME_MAX];
	enum output_format format;
	char spool[STATE_MAX + OUTPUT_SPOOL_MAX]; /* its folder, "": none */
	struct lane_stats lane;
};
unsigned int output_count(const struct output *o);
void output_stats_get(const struct output *o, unsigned int i, struct output_stats *ret);

/* output_settled - has everything that was said been taken, by every output that takes anything? */
bool output_settled(const struct output *o);

/* output_lost - records that were never written, over all outputs. output_dead - the errno of the
 * last output if none is left that takes alerts, else 0. */
uint64_t output_lost(const struct output *o);
int output_dead(const struct output *o);

/* output_verdict - after output_end(): EXIT_FINE, or EXIT_RUNTIME with err filled if anything was
 * never written. */
int output_verdict(const struct output *o, struct error *err);

#endif
