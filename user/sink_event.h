/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What CEF and LEEF share: an event is a header and a row of keys with values. They differ in what
 * separates them and in what must not stand in a value. */
#ifndef RECONMON_SINK_EVENT_H
#define RECONMON_SINK_EVENT_H

#include "sink.h"

enum {
	EVENT_ODD_MAX = 256,
	EVENT_PORTS_MAX = 1024, /* bytes of a list of ports: the whole event stays below 4 KiB */
};

/* A format's way to write one key and its value; `first`: nothing stands before it. */
typedef void event_put_fn(FILE *out, bool first, const char *key, const char *value);

struct event {
	FILE *out;
	event_put_fn *put;
	bool begun;
};

/* event_text - key and value, unless there is none (NULL or ""). */
void event_text(struct event *e, const char *key, const char *value);
void event_number(struct event *e, const char *key, int64_t value);
void event_addr(struct event *e, const char *key, const struct ip_addr *addr);

/* event_ports - the ports with an answer (ANSWER_MAX: all), if there are any. Returns whether the
 * list was cut. */
bool event_ports(struct event *e, const char *key, const struct alert *a, enum answer answer);
void event_techniques(struct event *e, const char *key, const struct alert *a);

/* event_odd - as event_text(), for text of anybody's making. */
void event_odd(struct event *e, const char *key, const char *value);

/* event_end - ends the line. Returns 0, or -EIO. Flushes. */
int event_end(FILE *out);

#endif
