/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The alerts that are open: who gets one, what it has been told, when it speaks and when it ends.
 *
 * A rule has one alert per group at a time. It speaks at the end of a drain, not in the middle of
 * one: open once; update when its count has doubled since it last spoke, or a kind of answer is
 * new; close after a window without news. */
#ifndef RECONMON_ALERTBOOK_H
#define RECONMON_ALERTBOOK_H

#include "alert.h"
#include "alert_probes.h"
#include "blob.h"
#include "table.h"

struct alertbook;

/* alertbook_emit_fn - takes an alert to the sinks; the alert is the book's and changes afterwards.
 * While it leaves bits in a->unopened, and changes nothing else, `open` comes again with every
 * flush.
 */
typedef void alertbook_emit_fn(void *ctx, struct alert *a, enum alert_state state);

struct alertbook_stats {
	uint64_t opened, closed, retracted;
	uint64_t forced; /* closed early: more open alerts, or more listed, than the book holds */
	uint64_t no_memory; /* alerts or parts of them not kept */
	uint64_t open;	    /* now */
	uint64_t bytes;
};

/* What a book holds at the most: open alerts (1 or more), and bytes of what all of them list. Past
 * either the alert without news for longest closes early; one alert alone may list what it likes,
 * up to ALERT_HOSTS_MAX and all ports. */
struct alertbook_limits {
	uint32_t alerts;
	size_t bytes;
};

/* alertbook_new - an empty book; limits is copied. NULL for want of memory. */
struct alertbook *alertbook_new(const struct alertbook_limits *limits, alertbook_emit_fn *emit,
				void *ctx);
void alertbook_free(struct alertbook *b); /* NULL is fine; emits nothing */

/* alertbook_clock - wall clock minus that of the evidence: ids begin with it. */
void alertbook_clock(struct alertbook *b, int64_t wall_offset_ns);

/* alertbook_get - the open alert of a group, or NULL. */
struct alert *alertbook_get(const struct alertbook *b, const struct group_key *key);

/* alertbook_open - opens one; first_ns is the first evidence. Returns NULL if there is no memory. A
 * full book closes its quietest alert first. */
struct alert *alertbook_open(struct alertbook *b, const struct rule *rule,
			     const struct group_key *key, uint64_t first_ns);

/* alertbook_add - tells an alert of evidence: a value with the bits of its attempts, how many there
 * were and when. Other alerts may close for it, see the limits. */
struct alert_evidence {
	struct ip_addr host; /* where responders are counted; or who, of many originators */
	uint16_t port;	     /* where ports are */
	uint32_t bits;	     /* CONTACT_* */
	uint32_t attempts;
	uint64_t t_ns;
	uint32_t ifindex;
	uint8_t dir;
	const struct owner *owner; /* NULL: unknown */
};
void alertbook_add(struct alertbook *b, struct alert *a, const struct alert_evidence *e);

/* alertbook_has_pair - whether an alert that lists pairs has that one. */
bool alertbook_has_pair(const struct alert *a, const struct ip_addr *host, uint16_t port);

/* alertbook_unspoken - is there an alert whose `open` is not out? */
bool alertbook_unspoken(const struct alertbook *b);

/* alertbook_each - calls fn for every open alert; spoken: its `open` is out. */
void alertbook_each(struct alertbook *b, void (*fn)(void *ctx, struct alert *a, bool spoken),
		    void *ctx);

/* alertbook_retract - takes a value back, unless it was refused. An alert that falls below its
 * rule's threshold closes as retracted at the next flush. */
void alertbook_retract(struct alertbook *b, struct alert *a, const struct alert_evidence *e);

/* alertbook_end - closes an alert now, what it has not said yet first. `a` is gone afterwards. */
void alertbook_end(struct alertbook *b, struct alert *a);

/* alertbook_lost - evidence was lost somewhere: every open alert may be incomplete. */
void alertbook_lost(struct alertbook *b);

/* alertbook_unfollowed - the flood guard left out n attempts since the last such call: open alerts
 * say so, and those that open before the next. */
void alertbook_unfollowed(struct alertbook *b, uint64_t n);

/* alertbook_flush - emits what is due at now_ns. wall_offset_ns finds the end of tumbling bins;
 * grace_ns is how late evidence may still come. */
void alertbook_flush(struct alertbook *b, uint64_t now_ns, int64_t wall_offset_ns,
		     uint64_t grace_ns);

/* alertbook_close_all - emits a last word on each; at the end of the program. */
void alertbook_close_all(struct alertbook *b);

/* alertbook_save - writes all open alerts down, and what they have said. alertbook_load - goes on
 * with them, in an empty book; they are alerts of `rule` then, which must outlive it. Returns 0,
 * -EINVAL if blob does not hold what alertbook_save() wrote, or -ENOMEM. */
void alertbook_save(const struct alertbook *b, struct blob *blob);
int alertbook_load(struct alertbook *b, const struct rule *rule, struct blob *blob);
/* alertbook_probes - how many values an alert of a book was told of, those taken back included.
 * alertbook_probe - the i-th that is kept, with its answer by now, as alert_probes_at(). */
uint32_t alertbook_probes(const struct alert *a);
bool alertbook_probe(const struct alert *a, uint32_t i, struct alert_probe *ret);

/* alertbook_walk - calls fn for every alert that has spoken, the one with the latest news first,
 * until it returns false. */
typedef bool alertbook_walk_fn(void *ctx, const struct group_key *key, const struct alert *a);
void alertbook_walk(const struct alertbook *b, alertbook_walk_fn *fn, void *ctx);

void alertbook_stats_get(const struct alertbook *b, struct alertbook_stats *ret);

#endif
