/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every counter in one place, for the summary at the end and for SIGUSR1. */
#ifndef RECONMON_COUNTERS_H
#define RECONMON_COUNTERS_H

#include "drain.h"

struct counters {
	struct stats kernel;
	struct engine_stats engine;
	struct drain_stats drain;
	struct sweep_stats sweep;
	uint64_t sink_errors; /* alerts that could not be written */
};

/* counters_lost - evidence that left unseen, all kinds together. */
uint64_t counters_lost(const struct counters *c);

/* counters_print - to standard error: the summary line, then every counter (all) or those that are
 * not zero and speak of a loss. */
void counters_print(const struct counters *c, uint64_t uptime_ns, bool all);

#endif
