/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does an open alert list? Ports, responders, or pairs of both, with what each answered (of a
 * rule about many originators: they in the place of responders, and ports are what it counts); and
 * what was taken back since, so that its last word can name it. Everything here costs the same
 * however much is listed. */
#ifndef RECONMON_ALERT_VALUES_H
#define RECONMON_ALERT_VALUES_H

#include "alert.h"

/* The alert's own ports, hosts and n_hosts are kept up to date; this is what they are made of. */
struct alert_values {
	struct hostset hosts, pairs;
	struct hostset port_refs; /* of listed pairs: how many have a port (its address is zero) */
	/* What was taken back: the first ALERT_HOSTS_MAX; what the rule does not count is zero. */
	struct host_value *back;
	uint32_t n_back, back_room;
};

/* alert_values_init - for an alert whose rule is set. Returns 0, or -ENOMEM. Either way
 * alert_values_done() is due, which frees a->ports too. */
int alert_values_init(struct alert_values *v, struct alert *a);
void alert_values_done(struct alert_values *v, struct alert *a);

/* alert_values_add - lists a value, with its answer. Returns 1 if what the rule counts is new, 0 if
 * it is not or the list is full (a->hosts_cut then), -ENOMEM if a part of it was not kept. */
int alert_values_add(struct alert_values *v, struct alert *a, const struct host_value *value);

/* alert_values_take - takes a value back, unless it was refused. Returns 1 if it was listed and is
 * no more, 0 if nothing changed; -ENOMEM: it is gone, and the last word will not name it. */
int alert_values_take(struct alert_values *v, struct alert *a, const struct ip_addr *addr,
		      uint16_t port);

/* alert_values_restore - lists again what was taken back. Returns how many of it are new. */
uint32_t alert_values_restore(struct alert_values *v, struct alert *a);

/* alert_values_save - writes all of it down. alert_values_load - reads it for an alert whose rule
 * is set; what was in *v and a->ports is not looked at. Returns 0, -EINVAL if b does not hold it,
 * or -ENOMEM. Either way alert_values_done() is due. */
void alert_values_save(const struct alert_values *v, const struct alert *a, struct blob *b);
int alert_values_load(struct alert_values *v, struct alert *a, struct blob *b);
/* alert_values_answer - what a value that is listed has answered by now; ANSWER_MAX: it is not
 * listed. */
enum answer alert_values_answer(const struct alert_values *v, const struct alert *a,
				const struct ip_addr *addr, uint16_t port);

/* alert_values_answers - the kinds of answers that are listed: a set of 1 << enum answer. */
uint8_t alert_values_answers(const struct alert_values *v, const struct alert *a);

/* alert_values_bytes - memory that all of it takes. */
size_t alert_values_bytes(const struct alert_values *v, const struct alert *a);

#endif
