/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does a client of the control socket ask? One line of JSON, from anybody who may open the
 * socket: nothing in it is to be trusted. */
#ifndef RECONMON_CONTROL_REQUEST_H
#define RECONMON_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alert.h"
#include "error.h"

enum control_get {
	CONTROL_STATUS,
	CONTROL_LIVE,
	CONTROL_ALERTS,
	CONTROL_GET_MAX,
};

enum {
	CONTROL_LINE_MAX = 1024,    /* bytes of a request, its end not among them */
	CONTROL_EVERY_MIN_MS = 100, /* of a subscription */
	CONTROL_EVERY_MAX_MS = 60000,
};

struct control_request {
	enum control_get get;
	uint32_t every_ms;     /* again and again; 0: once */
	char id[ALERT_ID_LEN]; /* of `alerts`: this one only; "": all */
};

/* control_request_parse - reads a line of len bytes (no end of line in it). Returns 0, or -EINVAL
 * with err filled and *ret unchanged. */
int control_request_parse(const char *line, size_t len, struct control_request *ret,
			  struct error *err);

#endif
