/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An alert's owner, in the words of the outputs. */
#ifndef RECONMON_OWNER_TEXT_H
#define RECONMON_OWNER_TEXT_H

#include <jansson.h>

#include "alert.h"
#include "sink.h"

enum {
	OWNER_TEXT_MAX = 256
};

/* owner_text - "nmap[4242], user dev, docker container 5694f82f4416, and 2 others" into buf of
 * OWNER_TEXT_MAX bytes, ASCII without control characters; "" if the owner is unknown. Returns buf.
 */
const char *owner_text(const struct alert *a, char *buf);

/* owner_json_set - adds to an ECS document what is known of the owner: process, container,
 * orchestrator, related.user, and reconmon.alert.owner, in objects that are there or are made.
 * Returns 0, or -1 for want of memory. */
int owner_json_set(json_t *doc, const struct alert *a, const struct sink_context *ctx);

#endif
