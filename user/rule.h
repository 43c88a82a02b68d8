/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules are data: which evidence counts (where), what belongs together (group), what is counted
 * (distinct), over which window, from how many on. The engine (engine.c) knows no rule by name. */
#ifndef RECONMON_RULE_H
#define RECONMON_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

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

/* duration_parse - reads a time like "300ms", "5s", "10m", "24h", "7d" (a unit is required;
 * decimals are allowed) that lies between min_ns and max_ns. Returns 0, or -EINVAL with err filled.
 * `what` names the option. */
int duration_parse(const char *what, const char *text, uint64_t min_ns, uint64_t max_ns,
		   uint64_t *ret_ns, struct error *err);

/* duration_format - the shortest form duration_parse() reads back: "5m", "1.5s", "100ms" (never a
 * leading "0." above a millisecond). buf: 32 bytes. */
const char *duration_format(uint64_t ns, char *buf);

/* count_parse - reads a whole decimal number from min to max. Returns 0, or -EINVAL with err
 * filled; `what` names the option. */
int count_parse(const char *what, const char *text, uint32_t min, uint32_t max, uint32_t *ret,
		struct error *err);

/* choice_parse - reads one of n words; *ret becomes its index. Returns 0, or -EINVAL with err
 * filled; `what` names the option. */
int choice_parse(const char *what, const char *text, const char *const *words, unsigned int n,
		 unsigned int *ret, struct error *err);

#endif
