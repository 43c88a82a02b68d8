/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The configuration file, reconmon.yaml(5). */
#ifndef RECONMON_CONFIG_FILE_H
#define RECONMON_CONFIG_FILE_H

#include "config.h"

/* Read if nothing else is said and it is there. */
#define CONFIG_FILE_DEFAULT "/etc/reconmon/reconmon.yaml"

/* config_file_read - what the file at path says, over what *cfg says already. The rules begin anew:
 * with those of *profile, or, if that is NULL, of the file's own profile, else of cfg->profile.
 * Returns 0, or a negative errno with err filled: "FILE:LINE:COLUMN: PATH: what is wrong and what
 * is accepted"; *cfg is half changed then and good for config_done() only. */
int config_file_read(const char *path, const enum rule_profile *profile, struct config *cfg,
		     struct error *err);

#endif
