/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which folder is an output's spool? Its name says for whom: what waits there goes to the receiver
 * that it was written for, in the format of that time, and to no other. */
#ifndef RECONMON_OUTPUT_SPOOL_H
#define RECONMON_OUTPUT_SPOOL_H

#include "output_config.h"

enum {
	OUTPUT_SPOOL_MAX = 160 /* bytes of a spool's name below its folder */
};

/* output_spool_folder - writes the path into buf of STATE_MAX + OUTPUT_SPOOL_MAX bytes, and makes
 * the folder that it is in, if it is missing and is one of ours. oc->format is decided. Returns
 * buf, or NULL: the output has no spool; buf is "" then. */
const char *output_spool_folder(const struct config *cfg, const struct output_config *oc,
				char *buf);

/* output_spool_each - calls fn for every spool in a folder. */
void output_spool_each(const char *folder, void (*fn)(void *ctx, const char *spool), void *ctx);

#endif
