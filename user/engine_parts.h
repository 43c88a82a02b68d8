/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What engine.c and engine_joint.c share, and nobody else: the rules at work, and what they ask of
 * each other. */
#ifndef RECONMON_ENGINE_PARTS_H
#define RECONMON_ENGINE_PARTS_H

#include "engine.h"
#include "habit.h"
#include "incident.h"
#include "joint.h"
#include "window.h"

enum {
	SUSPECT_BITS = 1 << 18, /* of each generation: 32 KB; a power of two */
};

/* A rule at work. */
struct runner {
	const struct rule *rule; /* `own`, where its alerts find it as long as they live */
	struct rule own;
	uint32_t bit;		    /* of the rule in its set, as allow_match() says it */
	uint32_t place;		    /* which of the engine's runners it is */
	const struct runner *cover; /* what its alerts say counts no more here; NULL: none */
	struct window *window;
	struct alertbook *book;
	struct table *due; /* groups to judge when the drain is over; joint rules only, else NULL */
};

/* A value of runner.due: where its last evidence was seen. */
struct due {
	uint32_t ifindex;
	uint8_t dir;
};

/* When a contact last carried payload: the value of the table `history`. */
struct carried {
	uint64_t t_ns;
};

/* Originators that a rule on probes has counted, as a bit each of a hash: who was never counted has
 * nothing to take back, and that is nearly everybody who sends payload. Two generations, so that
 * bits of the long forgotten clear; a wrong bit costs a search and no more. */
struct suspects {
	uint64_t bit[2][SUSPECT_BITS / 64];
	unsigned int young; /* the generation that is being filled */
	uint64_t since_ns;  /* when it began; 0: not yet */
};

struct engine {
	const struct config *cfg;
	struct suspects suspects;
	alertbook_emit_fn *emit;
	void *emit_ctx;
	struct runner *runner[RULES_MAX];
	uint32_t runners;
	const struct runner *wake; /* the one that engine_wake_ports() speaks of, or NULL */
	struct owners *owners;	   /* NULL: nobody knows */
	struct habits *habits;	   /* NULL: none are learnt */
	struct live *live;	   /* NULL: nobody looks */
	/* Of the contact that is being taken in. */
	const struct engine_plan *plan;
	bool suspected;		 /* suspect_add() was told of its originator */
	bool resp_internal;	 /* its responder is */
	const struct owner *who; /* NULL: unknown, or habits do not ask */
	bool in_scan;		 /* it is part of a scan of many ports */
	bool said;		 /* habits know that an alert lists it */
	struct table *history;
	struct table *served; /* as history, per responder and port; NULL: no rule asks */
	struct window_value pairs[JOINT_KEEP]; /* of the group that is being judged */
	uint64_t ports[65536 / 64];	       /* scratch of has_ports(), zero */
	struct incidents *incidents;
	uint64_t history_span_ns; /* longest window of a rule on probes */
	uint64_t slack_ns;
	int64_t wall_offset_ns;
	uint64_t now_ns; /* of the last flush */
	struct engine_stats stats;
};

/* --- engine.c ------------------------------------------------------------------------------- */

/* engine_looks_at - is this, the contact that is being taken in, one that the rule looks at, bits
 * being CONTACT_*? */
bool engine_looks_at(const struct engine *e, const struct rule *rule, const struct contact_key *key,
		     uint32_t bits);

/* engine_look - for the group of that contact in the rule's window; as planned, unless the bin
 * may be another. */
struct table_look engine_look(const struct engine *e, const struct runner *r,
			      const struct group_key *group);

/* engine_is_near - was the value shown within a window's length of the moment? */
bool engine_is_near(const struct rule *rule, const struct window_value *v, uint64_t t_ns);

/* engine_evidence - what an alert is told of a value that the contact c showed. */
struct alert_evidence engine_evidence(const struct window_value *v, const struct contact *c,
				      uint32_t attempts);

/* engine_grace - how long after its window an alert still waits for evidence that ripens late. */
uint64_t engine_grace(const struct engine *e, const struct rule *rule);

/* engine_named - an alert of r lists the value v of the group that the contact `key` is in. */
void engine_named(struct engine *e, const struct runner *r, const struct contact_key *key,
		  const struct window_value *v);

/* engine_excuses - is the silence of a contact with these bits, at that moment, a habit to the
 * rule, or traceroute? */
bool engine_excuses(const struct engine *e, const struct rule *rule, const struct contact_key *key,
		    uint32_t bits, uint64_t t_ns);

/* --- engine_joint.c ------------------------------------------------------------------------- */

/* joint_show - shows a pair of originator and port to a rule about many; judged later. */
void joint_show(struct engine *e, struct runner *r, const struct group_key *group,
		const struct window_value *v, const struct contact *c);

/* joint_judge - a drain is over: judges what it has shown, before other alerts speak; `most`
 * groups, and returns how many fewer there were. */
uint32_t joint_judge(struct engine *e, struct runner *r, uint32_t most);

/* joint_decoys - alerts of r that have not spoken and are about the same host, at the same ports
 * and from the same moment on as another's, are of one incident with it: one of their originators
 * is a scanner and the others its decoys (nmap -D), or all are one's own. */
void joint_decoys(struct engine *e, struct runner *r);

/* joint_asks - would a rule about many originators look at silence there? Then payload is written
 * down in e->served, under joint_served_key(). */
bool joint_asks(const struct engine *e, const struct contact_key *key);
struct group_key joint_served_key(const struct contact_key *key);

#endif
