/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From evidence to alerts: every contact goes to every rule; a rule decides whether it counts,
 * where it belongs, and whether its window has reached the threshold. No rule is known here by
 * name.
 *
 * What makes the default profile judge better than the searches it comes from is here too: a
 * contact that carried payload within the window outweighs a silent attempt at the same port by the
 * same originator, before or after it, unless that attempt was refused. And silence that recurs
 * steadily is a habit (habit.h): a group of habits alone is no scan. */
#ifndef RECONMON_ENGINE_H
#define RECONMON_ENGINE_H

#include <reconmon/attempt.h>

#include "alertbook.h"
#include "config.h"
#include "habit.h"
#include "table.h"

struct engine;
struct live;

enum {
	ENGINE_ALERTS_MAX = 4096, /* open at once, a rule */
	ENGINE_ALERTS_BYTES =
		16 << 20, /* of what they list: 512 times all ports, 20,000 times a few */
	ENGINE_INCIDENTS_MAX = 16384,
	ENGINE_HISTORY_MAX = 262144, /* contacts with payload remembered; 19 MB when full */
};

struct engine_stats {
	uint64_t contacts;   /* pieces of evidence taken in */
	uint64_t probes;     /* silent attempts counted by a rule (once, however many rules) */
	uint64_t allowed;    /* silent attempts that the allow-list lets be */
	uint64_t outweighed; /* silent attempts that payload at the same contact outweighs */
	uint64_t excused;    /* silent attempts that are a habit to a rule, or traceroute */
	uint64_t retracted;  /* probes taken back */
	uint64_t
		history_full; /* contacts with payload forgotten early: a probe may stand wrongly */
	uint64_t crowded;     /* judgements of a rule about many originators left out: more pairs of
			       * originator and port than it can tell apart */
	uint64_t groups_evicted; /* groups lost for want of room (limit groups=) */
	uint64_t no_memory;
	uint64_t alerts_opened, alerts_open, alerts_closed, alerts_retracted, alerts_forced;
	uint64_t groups, bytes;
	uint64_t history; /* contacts with payload that are remembered */
	struct habits_stats habits;
	struct incidents_stats incidents;
};

/* engine_new - an engine for cfg, which must outlive it. emit gets every alert. NULL for want of
 * memory; free with engine_free(). */
struct engine *engine_new(const struct config *cfg, alertbook_emit_fn *emit, void *ctx);
void engine_free(struct engine *e);

/* engine_rules - from now on these rules hold, which are copied. A rule that has the same name and
 * keeps the same evidence as one before goes on with that one's window and open alerts, whatever
 * its threshold is now; alerts of rules that are no more say their last word. Returns 0, or
 * -ENOMEM: everything is as it was then. */
int engine_rules(struct engine *e, const struct rule_set *rules);

/* engine_owners - from now on alerts say who did it, by asking `owners`, which must outlive the
 * engine. */
void engine_owners(struct engine *e, struct owners *owners);

/* engine_habits - what has been learnt, the engine's; NULL: habits are off. */
struct habits *engine_habits(const struct engine *e);

/* engine_live - from now on `live`, which must outlive the engine, is shown every probe. */
void engine_live(struct engine *e, struct live *live);

/* engine_clock - wall clock minus the clock of the evidence, before each drain (tumbling bins are
 * aligned to the epoch). */
void engine_clock(struct engine *e, int64_t wall_offset_ns);

/* engine_contact - takes in what was seen at one contact. Feed a drain's contacts in order of time.
 * Returns true if a rule counted it as a probe. */
bool engine_contact(struct engine *e, const struct contact_key *key, const struct contact *c);

/* What is worked out some contacts ahead: where each rule's group of a contact is looked for. */
struct engine_plan {
	struct table_look history;
	struct table_look group[RULES_MAX];
};

/* engine_plan - fills *ret for a contact. engine_expect - asks for what engine_contact() will
 * touch, step by step, as table_expect() does. Rules must not change in between. */
void engine_plan(const struct engine *e, const struct contact_key *key, const struct contact *c,
		 struct engine_plan *ret);
void engine_expect(const struct engine *e, const struct contact *c, struct engine_plan *plan,
		   enum table_step step);

/* engine_contact_planned - engine_contact() with its plan. */
bool engine_contact_planned(struct engine *e, const struct contact_key *key,
			    const struct contact *c, const struct engine_plan *plan);

/* engine_unfollowed - before each drain: so many attempts the flood guard left out since the one
 * before. */
void engine_unfollowed(struct engine *e, uint64_t n);

/* engine_judge_some - before a flush, which judges whatever is left: judges what a drain has shown
 * to rules about many originators, `most` groups of it. Returns whether there may be more. For who
 * must not be held up: a group takes a microsecond or two. */
bool engine_judge_some(struct engine *e, uint32_t most);

/* engine_flush - after a drain: alerts speak, what is over ends. `lost`: evidence was lost since
 * the last flush. */
void engine_flush(struct engine *e, uint64_t now_ns, bool lost);

/* engine_close - the last word of every open alert. */
void engine_close(struct engine *e);

/* engine_save - writes down all that the engine knows: windows, alerts and what they have said,
 * incidents, payload seen, habits. engine_load - goes on with it, in an engine that has seen
 * nothing; alerts of rules that are no more say their last word, and rules that are new begin
 * empty. Returns 0, -EINVAL if b does not hold what engine_save() wrote, or -ENOMEM: then the
 * engine is of no use. */
void engine_save(const struct engine *e, struct blob *b);
int engine_load(struct engine *e, struct blob *b);

/* engine_wake_ports - the lowest threshold of a rule that counts ports between two hosts; 0: none
 * is enabled. engine_pair_ports - what such a rule counts at the moment for the pair of `key`. */
uint32_t engine_wake_ports(const struct engine *e);
uint32_t engine_pair_ports(const struct engine *e, const struct contact_key *key, uint64_t now_ns);

/* A rule at work. engine_rule - the i-th of them; false if there are no more. */
struct engine_rule {
	const struct rule *rule;
	uint64_t groups; /* live in its window */
	uint64_t alerts_opened, alerts_open;
};
bool engine_rule(const struct engine *e, uint32_t i, struct engine_rule *ret);

/* engine_alerts - calls fn for the open alerts of the i-th rule, as alertbook_walk().
 * engine_alert - the open alert of the i-th rule and a group, or NULL. engine_incidents - see
 * incidents_each(). */
void engine_alerts(const struct engine *e, uint32_t i, alertbook_walk_fn *fn, void *ctx);
const struct alert *engine_alert(const struct engine *e, uint32_t i, const struct group_key *key);
void engine_incidents(const struct engine *e, incidents_each_fn *fn, void *ctx);

void engine_stats_get(const struct engine *e, struct engine_stats *ret);

#endif
