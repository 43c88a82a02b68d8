/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What would reconmon have said? The same parser, state machine, nursery, rules and outputs as
 * live, over captures; the clock is theirs. */
#ifndef RECONMON_REPLAY_H
#define RECONMON_REPLAY_H

#include "config.h"
#include "pieces.h"

/* replay_run - reads cfg->file. Returns EXIT_FINE, EXIT_FOUND (--fail-on-alert), or another
 * enum exit_code with err filled. */
int replay_run(const struct config *cfg, struct error *err);

struct counters;

/* Who looks on while files are read, in the outputs' place. All times are since the epoch. */
struct replay_tap {
	alertbook_emit_fn *emit; /* every alert in every state */
	void (*told)(void *ctx, const struct piece *piece, bool counted); /* as struct pieces */
	void (*complained)(void *ctx, const char *text); /* beside standard error: a damaged file */
	/* When all is read: figures, habits and the allow-list, good for the call. `skipped` are
	 * packets or rows that could not be used. */
	void (*ended)(void *ctx, const struct counters *c, uint64_t read, uint64_t skipped);
	void *ctx; /* their first argument */
};

/* replay_each - reads n captures or Zeek logs, not both, by the rules of cfg, and writes nothing.
 * Returns EXIT_FINE, or another enum exit_code with err filled. */
int replay_each(const struct config *cfg, const char *const *file, size_t n,
		const struct replay_tap *tap, struct error *err);

#endif
