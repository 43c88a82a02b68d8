/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* All alerts that are open or closed of late, one line at a time, while the daemon goes on between
 * two of them: the answer to `alerts` (docs/control.md). Those that are open come first, as they
 * are when it is their turn; one that closes on the way comes again among the closed ones. */
#ifndef RECONMON_ALERT_WALK_H
#define RECONMON_ALERT_WALK_H

#include "engine.h"
#include "recent.h"

struct alert_walk;

/* alert_walk_new - over all, or over the alert of that id ("": all). Both must outlive it. NULL for
 * want of memory; free with alert_walk_free(). */
struct alert_walk *alert_walk_new(const struct engine *e, const struct recent *r, const char *id);
void alert_walk_free(struct alert_walk *w); /* NULL is fine */

/* alert_walk_next - the next line, without its end, for free(): alerts, and then one of type "end"
 * that says how many there were. NULL: that was all, or no memory. */
char *alert_walk_next(struct alert_walk *w);

#endif
