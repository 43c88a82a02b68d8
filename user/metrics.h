/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The HTTP side of the daemon: /metrics for Prometheus, /livez and /readyz for whoever restarts or
 * routes by them.
 *
 * A thread of libmicrohttpd's answers. It asks the daemon's loop for a page, at most twice a second
 * however many ask it, waits, and shares a lock with the loop that is held for as long as copying
 * takes. So no client, however slow or many, delays a drain, and a daemon that hangs is told by
 * /livez. The library is loaded only where metrics are on: with its TLS it would be a fifth of the
 * memory of a daemon without. */
#ifndef RECONMON_METRICS_H
#define RECONMON_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct metrics;

enum {
	METRICS_CLIENTS_MAX = 64,
	METRICS_PORT = 9765, /* where nothing else is said */
};

/* metrics_open - listens where cfg says. Returns 0 with *ret for metrics_close(), NULL where
 * metrics are off; or a negative errno with err filled. Where nobody asked for them (auto), what is
 * wrong is told in note (not NULL; else empty) and is no error. */
int metrics_open(const struct config *cfg, struct metrics **ret, struct error *note,
		 struct error *err);
void metrics_close(struct metrics *m); /* NULL is fine */

/* metrics_turn - the loop has come round, with every tick. A NULL m takes everything. */
void metrics_turn(struct metrics *m, bool ready, size_t interfaces);

/* metrics_fd - becomes readable when a page is wanted. metrics_publish - what the daemon counts by
 * now: status_figures(), which it takes over; NULL is want of memory. */
int metrics_fd(const struct metrics *m);
void metrics_publish(struct metrics *m, json_t *figures);

/* metrics_where - "127.0.0.1:9765". */
const char *metrics_where(const struct metrics *m);

#endif
