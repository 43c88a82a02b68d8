/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The live daemon: one thread, one epoll, from `ready` to the summary. */
#ifndef RECONMON_WATCH_H
#define RECONMON_WATCH_H

#include "config.h"
#include "error.h"

/* watch_run - watches the interfaces that cfg chooses until a signal, cfg->duration_ns or a failure
 * ends it. Prints alerts to standard output, everything else to standard error. Returns an enum
 * exit_code, with err filled unless it is EXIT_FINE. */
int watch_run(struct config *cfg, struct error *err);

#endif
