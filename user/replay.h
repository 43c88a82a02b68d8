/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What would reconmon have said? The same parser, state machine, nursery, rules and outputs as
 * live, over captures; the clock is theirs. */
#ifndef RECONMON_REPLAY_H
#define RECONMON_REPLAY_H

#include "config.h"

/* replay_run - reads cfg->file. Returns EXIT_FINE, EXIT_FOUND (--fail-on-alert), or another
 * enum exit_code with err filled. */
int replay_run(const struct config *cfg, struct error *err);

#endif
