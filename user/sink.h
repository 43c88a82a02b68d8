/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How alerts are written. A sink turns one alert in one state into one line; sink_text.c writes for
 * people, sink_json.c one Elastic Common Schema document. */
#ifndef RECONMON_SINK_H
#define RECONMON_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "alert.h"
#include "config.h"

/* What a sink needs to know beside the alert. */
struct sink_context {
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME; 0 where times are wall clock */
	uint64_t now_ns;	/* CLOCK_BOOTTIME: when the alert is written */
	uint64_t sequence; /* event.sequence: 1, 2, 3 ... of this output; a gap is what was lost */
	const char *hostname; /* "" if unknown */
	const char *host_id;  /* /etc/machine-id, "" if unknown */
	bool color;	      /* sink_text only */
};

enum {
	SINK_TIME_MAX = 40
};

/* sink_time - writes t_ns (the clock of the alert) as UTC, "2026-11-25T02:50:00.123456Z", with 0 to
 * 9 decimals into buf of SINK_TIME_MAX bytes; returns buf. */
const char *sink_time(const struct sink_context *ctx, uint64_t t_ns, int decimals, char *buf);

/* A format: how an alert is written. write() returns 0, or -ENOMEM, or -EIO with the stream's
 * errno. */
struct sink {
	int (*write)(FILE *out, const struct alert *a, enum alert_state state,
		     const struct sink_context *ctx);
};

/* sink_of - the writer of a format (not FORMAT_DEFAULT). */
const struct sink *sink_of(enum output_format format);

/* sink_text_write - one line for a person. Returns 0, or -EIO (errno of the stream). Flushes. */
int sink_text_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);

/* sink_json_write - one ECS 9.4.0 document on one line. Returns 0, -EIO or -ENOMEM. Flushes. */
int sink_json_write(FILE *out, const struct alert *a, enum alert_state state,
		    const struct sink_context *ctx);

#endif
