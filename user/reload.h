/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The configuration once more, for a daemon that runs with an earlier one. */
#ifndef RECONMON_RELOAD_H
#define RECONMON_RELOAD_H

#include "config.h"

/* reload_note_fn - is told, in a sentence, of what has changed in the file and is not applied. */
typedef void reload_note_fn(void *ctx, const char *text);

/* reload_read - reads file and command line again. What is fixed since the start (tables, times,
 * outputs) stays as it is in `now`, and is noted. Returns 0 with *ret for config_done() and free(),
 * or a negative errno with err filled: the new configuration makes no sense, or has another
 * profile, on which everything depends. */
int reload_read(const struct config *now, reload_note_fn *note, void *ctx, struct config **ret,
		struct error *err);

#endif
