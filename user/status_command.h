/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `reconmon status`: asks the running daemon and shows what it says. */
#ifndef RECONMON_STATUS_COMMAND_H
#define RECONMON_STATUS_COMMAND_H

#include "config.h"

/* status_run - to standard output, as text, or with cfg->json as the line that the daemon sent.
 * Returns an exit code, with err filled unless it is EXIT_FINE. */
int status_run(const struct config *cfg, struct error *err);

#endif
