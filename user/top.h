/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who is looking around right now? A screen that answers it, over the daemon's control socket;
 * where no daemon runs, over one of its own for as long as the screen is up; or over a replay at a
 * chosen speed. */
#ifndef RECONMON_TOP_H
#define RECONMON_TOP_H

#include "config.h"
#include "error.h"

/* top_run - until the user leaves it. Returns an enum exit_code, with err filled unless fine. */
int top_run(struct config *cfg, struct error *err);

#endif
