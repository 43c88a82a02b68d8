/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every counter in one place, for the summary at the end and for SIGUSR1. */
#ifndef RECONMON_COUNTERS_H
#define RECONMON_COUNTERS_H

#include "attempt_log.h"
#include "control.h"
#include "drain.h"
#include "floods.h"
#include "keep.h"
#include "output.h"

struct counters {
	struct stats kernel;
	struct engine_stats engine;
	struct drain_stats drain;
	struct sweep_stats sweep;
	struct owners_stats owners;
	struct output_stats output[OUTPUTS_MAX];
	unsigned int outputs;
	struct attempt_log_stats attempts;
	struct control_stats control;
	struct keep_stats keep;	     /* zeroed: nothing outlives us */
	const struct floods *floods; /* services under the flood guard; NULL: nobody looks */
	const struct allow *allow;
	const struct habits *habits; /* NULL: none are learnt */
};

/* counters_expired - says of each entry of the allow-list that has ended by wall_ns (since the
 * epoch) that it has, once. */
void counters_expired(struct allow *allow, int64_t wall_ns);

/* counters_outputs - fills in the figures of every output. */
void counters_outputs(struct counters *c, const struct output *out);

/* counters_lost - evidence that left unseen, all kinds together; alerts that were raised and not
 * written are none. */
uint64_t counters_lost(const struct counters *c);

/* counters_unwritten - alerts that an output never took. */
uint64_t counters_unwritten(const struct counters *c);

/* counters_each - calls fn for every counter: its name, its value, and what one count means; those
 * whose sentence begins with "lost: " tell of evidence (or, of outputs, alerts) that left unseen.
 */
enum counter_kind {
	COUNTER_SUM, /* since the start */
	COUNTER_NOW, /* as it is now */
};
typedef void counters_fn(void *ctx, enum counter_kind kind, const char *name, uint64_t value,
			 const char *text);
void counters_each(const struct counters *c, counters_fn *fn, void *ctx);

/* counters_print - to standard error: the summary line, then every counter (all) or those that are
 * not zero and speak of a loss. */
void counters_print(const struct counters *c, uint64_t uptime_ns, bool all);

#endif
