/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the JSON formats share. */
#ifndef RECONMON_SINK_JSON_H
#define RECONMON_SINK_JSON_H

#include <jansson.h>

#include "sink.h"

/* sink_alert_json - what is reconmon's own and no schema has a field for, as the object
 * reconmon.alert of ECS; NULL for want of memory. */
json_t *sink_alert_json(const struct alert *a, enum alert_state state,
			const struct sink_context *ctx);

/* sink_json_document - the whole of an ECS document; NULL for want of memory. */
json_t *sink_json_document(const struct alert *a, enum alert_state state,
			   const struct sink_context *ctx);

/* sink_json_line - writes a document as one line and takes it over; NULL is want of memory. Numbers
 * that are not whole get so many significant digits: SINK_JSON_DIGITS are more than a rate is good
 * for, and print 0.4 as 0.4. Returns 0, -EIO or -ENOMEM; of a document that is not whole nothing is
 * written. */
enum {
	SINK_JSON_DIGITS = 6
};
int sink_json_line(FILE *out, json_t *doc, unsigned int digits);

#endif
