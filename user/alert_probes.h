/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* When was an alert told of each of its values? The first are kept, which made it an alert, and the
 * last, which are what is going on. */
#ifndef RECONMON_ALERT_PROBES_H
#define RECONMON_ALERT_PROBES_H

#include "blob.h"
#include "hostset.h"

enum {
	ALERT_PROBES_FIRST = 64, /* the first so many have a place each, */
	ALERT_PROBES_MAX = 256,	 /* the last share what is left to so many in all */
};

/* A value as an alert was first told of it. */
struct alert_probe {
	uint64_t t_ns;	     /* of the probe */
	struct ip_addr addr; /* where responders are counted; else zero */
	uint16_t port;	     /* where ports are; else 0 */
	enum answer answer;  /* by now; ANSWER_MAX: it was taken back */
};

struct alert_probes {
	struct alert_probe *probe;
	uint32_t n; /* that it was told of; at most ALERT_PROBES_MAX are kept */
	uint32_t room;
};

/* alert_probes_note - one more, at t_ns. Returns 0 or -ENOMEM. All zeroes are none yet. */
int alert_probes_note(struct alert_probes *p, const struct host_value *v, uint64_t t_ns);
void alert_probes_done(struct alert_probes *p);

/* alert_probes_at - the i-th that is kept, in the order in which they came; its answer is whatever.
 * Returns false if there are no more. The gap, if there is one, is behind the first
 * ALERT_PROBES_FIRST. */
bool alert_probes_at(const struct alert_probes *p, uint32_t i, struct alert_probe *ret);

/* alert_probes_save - writes all of it down. alert_probes_load - reads it; what was in *p is not
 * looked at. Returns 0, -EINVAL if b does not hold it, or -ENOMEM. Either way alert_probes_done()
 * is due. */
void alert_probes_save(const struct alert_probes *p, struct blob *b);
int alert_probes_load(struct alert_probes *p, struct blob *b);

size_t alert_probes_bytes(const struct alert_probes *p);

#endif
