/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From the engine to the sinks: alerts to standard output, line by line, as text or JSON. */
#ifndef RECONMON_OUTPUT_H
#define RECONMON_OUTPUT_H

#include "alertbook.h"
#include "config.h"

struct output;

/* output_new - NULL for want of memory; free with output_free(). cfg must outlive it. */
struct output *output_new(const struct config *cfg);
void output_free(struct output *o); /* NULL is fine */

/* output_clock - from now on the clock of the evidence stands at now_ns and is wall clock (replay).
 * Without it, evidence is in CLOCK_BOOTTIME and the clock runs. */
void output_clock(struct output *o, uint64_t now_ns);

/* output_emit - an alertbook_emit_fn; ctx is the output. */
void output_emit(void *ctx, const struct alert *a, enum alert_state state);

/* output_errors - lines that could not be written. output_broken - the errno of a standard output
 * that will never take another (closed pipe), else 0: a full disk may empty again. */
uint64_t output_errors(const struct output *o);
int output_broken(const struct output *o);

#endif
