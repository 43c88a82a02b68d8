/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An alert as its ECS document tells it: what `explain` needs of one that was written by another
 * process, or another day. Read once, from JSON to C. */
#ifndef RECONMON_SUBJECT_H
#define RECONMON_SUBJECT_H

#include <jansson.h>
#include <reconmon/attempt.h>
#include <stdbool.h>
#include <stdint.h>

#include "portset.h"
#include "services.h"

enum {
	SUBJECT_PORTS = 65536,
};

/* Borrowed from the document, which must outlive it; "" where it does not say. */
struct subject {
	const char *id, *state, *rule, *description, *incident;
	const char *originator; /* address */
	const char *responder;	/* address; "": the rule does not group by it */
	const char *transport;	/* "tcp", ...; "": any, or a scan of IP protocols */
	const char *start, *end;
	const char *process, *container, *pod, *owner_source;
	json_t *techniques, *responders; /* arrays or NULL */
	int64_t pid;			 /* 0: unknown */
	int64_t severity, threshold, count, responder_count;
	int64_t originator_count;	 /* together, where `originator` is "" */
	double window_s, start_s, end_s; /* the latter two since the epoch */
	int port;			 /* of the group; -1: none */
	bool v6, retracted, incomplete, ports_cut;
	bool protocols; /* "ports" are numbers of IP protocols */
	/* What each port answered (enum answer), plus 1; 0: it is no part of the alert. */
	uint8_t answer[SUBJECT_PORTS];
	uint32_t ports;
};

/* subject_read - fills *ret from a document. Returns false if it is no alert of reconmon's, or what
 * it says makes no sense. */
bool subject_read(const json_t *doc, struct subject *ret);

/* subject_is_alert - a document of ours, by event.dataset. */
bool subject_is_alert(const json_t *doc);

/* subject_ranges - the ports with that answer (ANSWER_MAX: all) as ranges into first and last (each
 * of `max` entries). Returns how many there are, which may be more than max. */
uint32_t subject_ranges(const struct subject *s, enum answer answer, uint16_t *first,
			uint16_t *last, uint32_t max);

/* subject_proto - PROTO_* of its transport; 0: any. */
uint8_t subject_proto(const struct subject *s);

#endif
