/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What has been said of late? Alerts that have closed are kept as documents for a while, so that
 * who asks the daemon about one need not search the outputs; and all that were raised are counted
 * by rule, severity and state, with how long it took to say so.
 *
 * Bounded: the last RECENT_MAX closed alerts and RECENT_BYTES of text; the oldest leaves, and
 * `dropped` grows. */
#ifndef RECONMON_RECENT_H
#define RECONMON_RECENT_H

#include <jansson.h>

#include "alert.h"
#include "output.h"

enum {
	RECENT_MAX = 256,
	RECENT_AT_ONCE = 64, /* of those that close in one tick, so many are kept: to write one
			      * takes 0.1 ms */
	RECENT_SEVERITIES = 11,
	RECENT_BUCKETS = 12,
};

struct recent;

/* How often something took no longer than recent_bounds_s[i] seconds, in bucket i and in none
 * before it; the last bucket has no bound. */
struct recent_histogram {
	uint64_t n[RECENT_BUCKETS];
	double sum_s;
};
extern const double recent_bounds_s[RECENT_BUCKETS - 1];
void recent_took(struct recent_histogram *h, uint64_t ns);

struct recent_stats {
	uint64_t kept, bytes;
	uint64_t dropped;	       /* closed alerts that are kept no more, or never were */
	struct recent_histogram delay; /* from the last probe to the word that an alert is open */
};

/* recent_new - nothing yet. out: where documents take what they say of this host; must outlive it.
 * NULL for want of memory. */
struct recent *recent_new(const struct output *out);
void recent_free(struct recent *r); /* NULL is fine */

/* recent_tick - a drain begins. */
void recent_tick(struct recent *r);

/* recent_alert - an alert says something. Call it before the outputs are told, which change
 * a->unopened. */
void recent_alert(struct recent *r, const struct alert *a, enum alert_state state);

/* recent_json - an alert as those who ask get it (docs/control.md, "alert"): its document and its
 * probes. NULL for want of memory. */
json_t *recent_json(const struct recent *r, const struct alert *a, enum alert_state state);

/* Closed alerts have numbers, in the order in which they closed. recent_first - that of the oldest
 * that is kept. recent_closed - the text of one (a line of JSON without its end, valid until the
 * next recent_alert()), with its id; NULL if it is not kept. */
uint64_t recent_first(const struct recent *r);
const char *recent_closed(const struct recent *r, uint64_t number, const char **ret_id);

/* recent_count - how often an alert of a rule and severity said that state. */
uint64_t recent_count(const struct recent *r, const char *rule, int severity,
		      enum alert_state state);

void recent_stats_get(const struct recent *r, struct recent_stats *ret);

#endif
