/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* `reconmon report`: captures, logs of attempts and logs of alerts in; a page to look at out. */
#ifndef RECONMON_REPORT_H
#define RECONMON_REPORT_H

#include "config.h"

/* report_run - reads cfg->file and writes cfg->report_file. Returns an enum exit_code; err is
 * filled unless it is EXIT_FINE. */
int report_run(const struct config *cfg, struct error *err);

#endif
