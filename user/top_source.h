/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where does `top` get its answers? From the daemon that runs; else from a child process that does
 * the same work with a control socket of its own. Whichever: docs/control.md is what is spoken. */
#ifndef RECONMON_TOP_SOURCE_H
#define RECONMON_TOP_SOURCE_H

#include <jansson.h>

#include "config.h"
#include "error.h"

struct top_source;

/* top_source_open - returns 0 with *ret for top_source_close(), which ends what it has started, or
 * a negative errno with err filled: nobody answers, and no daemon can be started here. */
int top_source_open(struct config *cfg, struct top_source **ret, struct error *err);
void top_source_close(struct top_source *s); /* NULL is fine */

/* top_source_name - "daemon", "own daemon", "replay". */
const char *top_source_name(const struct top_source *s);

/* top_source_fd - becomes readable when an answer comes; -1 where nobody is there to give one. */
int top_source_fd(const struct top_source *s);

/* top_source_gone - why the daemon that was asked answers no more, until one does again (a restart,
 * an upgrade); NULL: it answers. top_source_wait_ms - when to call top_source_next() though nothing
 * has come, to look for it: in so many milliseconds, or never (-1). */
const char *top_source_gone(const struct top_source *s);
int top_source_wait_ms(const struct top_source *s);

/* top_source_next - the next answer to `live`, if there is one. Returns 1 with *ret, the caller's;
 * 0: not yet, or top_source_gone(); or a negative errno with err filled: it is over, for the other
 * side was a child of ours. */
int top_source_next(struct top_source *s, json_t **ret, struct error *err);

/* top_source_alert - what is known of one alert, waited for up to a second: *ret is an answer to
 * `alerts`, the caller's. Returns 0, or a negative errno with err filled. */
int top_source_alert(struct top_source *s, const char *id, json_t **ret, struct error *err);

#endif
