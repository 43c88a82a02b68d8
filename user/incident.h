/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which alerts belong together? Those of one originator, whatever the rule, as long as one of them
 * goes on: who sweeps a network, scans what it found and comes back slowly is one incident.
 *
 * What many originators do together to one host is one, too, with the alerts of those of them whose
 * own incident has not begun before.
 *
 * An incident begins with an originator's first alert and ends when all of its alerts have been
 * closed for as long as their windows are. Bounded: past `max` originators the one without news for
 * longest leaves; its next alert begins another. */
#ifndef RECONMON_INCIDENT_H
#define RECONMON_INCIDENT_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stdint.h>

#include "blob.h"

enum {
	INCIDENT_ID_LEN = 32,
	INCIDENT_HOSTS_MAX = 16, /* responders told apart; the count stays there */
};

struct incident {
	char id[INCIDENT_ID_LEN];
	uint64_t until_ns; /* evidence up to then belongs to it */
	uint32_t hosts;	   /* responders that have alerts of their own in it */
	struct ip_addr host[INCIDENT_HOSTS_MAX];
};

struct incidents;

/* incidents_new - none yet, at most max (1 or more) at once. NULL for want of memory. */
struct incidents *incidents_new(uint32_t max);
void incidents_free(struct incidents *in); /* NULL is fine */

/* incident_join - an alert of this originator has evidence of t_ns, and its rule may still see some
 * that belongs to it until until_ns. resp: the host that the alert is about, or zero. Returns the
 * incident, begun if there is none, valid until the next call; NULL for want of memory. */
const struct incident *incident_join(struct incidents *in, const struct ip_addr *orig,
				     const struct ip_addr *resp, uint64_t t_ns, uint64_t until_ns);

/* incident_join_all - the same of an alert about many originators of resp: the incident is the
 * responder's, and until it ends, originators whose own begins with an alert about resp join it.
 * id: of an incident that it is part of already; "": none. */
const struct incident *incident_join_all(struct incidents *in, const struct ip_addr *resp,
					 uint64_t t_ns, uint64_t until_ns, const char *id);

/* incident_adopt - an originator's incident is the responder's from now on. Nothing happens if it
 * has none. */
void incident_adopt(struct incidents *in, const struct ip_addr *orig, const struct ip_addr *resp);

/* incident_share - an originator's incident is that of another from now on. Nothing happens if
 * either has none. */
void incident_share(struct incidents *in, const struct ip_addr *orig, const struct ip_addr *other);

/* incidents_clock - wall clock minus that of the evidence: ids begin with it. */
void incidents_clock(struct incidents *in, int64_t wall_offset_ns);

/* incidents_expire - lets go of those that are over. */
void incidents_expire(struct incidents *in, uint64_t now_ns);

/* incidents_each - calls fn for every incident, the one with the latest news first, until it
 * returns false. */
typedef bool incidents_each_fn(void *ctx, const struct ip_addr *orig, const struct incident *i);
void incidents_each(const struct incidents *in, incidents_each_fn *fn, void *ctx);

struct incidents_stats {
	uint64_t live;
	uint64_t evicted; /* ended early for want of room */
	uint64_t bytes;
};

void incidents_stats_get(const struct incidents *in, struct incidents_stats *ret);

/* incidents_save - writes all down. incidents_load - goes on with them, into none. Returns 0,
 * -EINVAL if b does not hold what incidents_save() wrote, or -ENOMEM. */
void incidents_save(const struct incidents *in, struct blob *b);
int incidents_load(struct incidents *in, struct blob *b);

#endif
