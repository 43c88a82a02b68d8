/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules are data: which evidence counts (where), what belongs together (group), what is counted
 * (distinct), over which window, from how many on. The engine (engine.c) knows no rule by name. */
#ifndef RECONMON_RULE_H
#define RECONMON_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "words.h"

enum rule_where {
	WHERE_PROBE,   /* silent attempts only */
	WHERE_CONTACT, /* every attempt, whatever its payload */
};

/* Fields of a contact that a rule groups by or counts. */
enum rule_field {
	FIELD_ORIG = 0x01,
	FIELD_RESP = 0x02,
	FIELD_RESP_PORT = 0x04,
	FIELD_PROTO = 0x08,
};

enum window_mode {
	WINDOW_SLIDING,	 /* any stretch of that length */
	WINDOW_TUMBLING, /* bins aligned to the epoch, like Splunk's `bin span=5m` */
};

/* One line of MITRE ATT&CK, version 16.1. */
struct attack_ref {
	const char *tactic_id, *tactic_name;
	const char *technique_id, *technique_name;
	const char *sub_id, *sub_name; /* NULL: no sub-technique */
};

struct rule {
	const char *name; /* rule.id */
	const char *description;
	bool enabled;
	enum rule_where where;
	bool internal_only; /* only responders in the internal networks count */
	uint8_t group;	    /* FIELD_* bits; never empty */
	uint8_t distinct;   /* FIELD_RESP_PORT, FIELD_RESP, or both */
	enum window_mode mode;
	uint64_t window_ns;				    /* 1 s to 7 days */
	uint32_t threshold;				    /* 1 to 65,536 */
	struct attack_ref attack_internal, attack_external; /* by where the originator is */
};

enum {
	RULES_MAX = 32
};
enum rule_profile {
	PROFILE_DEFAULT,
	PROFILE_SPLUNK
};

struct rule_set {
	struct rule rule[RULES_MAX];
	uint32_t n;
};

/* rules_builtin - fills *ret with the built-in rules under a profile. */
void rules_builtin(enum rule_profile profile, struct rule_set *ret);

/* rules_set - applies "RULE.FIELD=VALUE"; fields are threshold, window, mode, enabled. Returns 0,
 * or -EINVAL with err naming what is wrong and what is accepted; the rules are unchanged then. */
int rules_set(struct rule_set *rules, const char *assignment, struct error *err);

#endif
