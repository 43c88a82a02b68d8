/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A report over what a running daemon knows: the alerts that are open or closed of late, with their
 * probes as far as it keeps them, its counters, rules, habits and allow-list (docs/control.md). */
#ifndef RECONMON_REPORT_LIVE_H
#define RECONMON_REPORT_LIVE_H

#include <jansson.h>

#include "report_model.h"

/* report_live_read - asks the daemon that listens where cfg says. Returns 0, or a negative errno
 * with err filled. */
int report_live_read(const struct config *cfg, struct report *m, struct error *err);

/* report_live_alert, report_live_status - one line of the answer to `alerts` and to `status`.
 * Return 0, or -EINVAL: it is none. */
int report_live_alert(struct report *m, const json_t *line);
int report_live_status(struct report *m, const json_t *status);

#endif
