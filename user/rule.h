/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Rules are data: which evidence counts (where), what belongs together (group), what is counted
 * (distinct), over which window, from how many on. The engine (engine.c) knows no rule by name. */
#ifndef RECONMON_RULE_H
#define RECONMON_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "attack.h"
#include "ports.h"
#include "words.h"

enum rule_where {
	WHERE_PROBE,   /* silent attempts only */
	WHERE_CONTACT, /* every attempt, whatever its payload */
};

/* Fields of a contact that a rule groups by or counts. */
enum contact_field {
	FIELD_ORIG = 0x01,
	FIELD_RESP = 0x02,
	FIELD_RESP_PORT = 0x04,
	FIELD_PROTO = 0x08,
};

enum window_mode {
	WINDOW_SLIDING,	 /* any stretch of that length */
	WINDOW_TUMBLING, /* bins aligned to the epoch, like Splunk's `bin span=5m` */
};

/* On which side of the border a rule wants an address. */
enum rule_scope {
	SCOPE_ANY,
	SCOPE_INTERNAL, /* in the internal networks */
	SCOPE_EXTERNAL, /* in none of them */
};

enum {
	RULE_NAME_MAX = 32,	    /* characters of a rule's name */
	RULE_DESCRIPTION_MAX = 120, /* bytes of its description */
	RULE_WORD_MAX = 128,	    /* bytes of any word that rule_field.word writes, and the end */
};

struct rule {
	char name[RULE_NAME_MAX + 1]; /* rule.id */
	char description[RULE_DESCRIPTION_MAX + 1];
	bool own; /* the user's, not built in */
	bool enabled;
	enum rule_where where;
	enum rule_scope originator, responder;
	struct port_ranges ports; /* responder ports that count; none listed: all */
	uint8_t protocol;	  /* PROTO_* that counts; 0: any */
	/* Who must have been at it: 1, an originator by itself; or at least so many together, of
	 * whom none would have been enough (joint.h). */
	uint32_t originators;
	uint8_t group;	  /* FIELD_* bits; FIELD_ORIG unless several must have been at it */
	uint8_t distinct; /* FIELD_RESP_PORT, FIELD_RESP, or both: pairs of them */
	enum window_mode mode;
	uint64_t window_ns; /* 1 s to 7 days */
	uint32_t threshold; /* 1 to 65,536 */
	/* What an open alert of that rule says already is nothing to this one; "": yields to none.
	 */
	char yields_to[RULE_NAME_MAX + 1];
	uint8_t severity; /* 1 to 10; 0: from the facts (alert_severity) */
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

/* rule_is_joint - is it about what many originators do together? */
static inline bool rule_is_joint(const struct rule *rule)
{
	return rule->originators > 1;
}

/* rules_find - the rule of that name, or NULL. */
struct rule *rules_find(struct rule_set *rules, const char *name);

/* rules_add - adds a rule of the user's own that looks at nothing yet. Returns 0 with *ret, which
 * is part of *rules, or -EINVAL with err filled: the name has other characters than a-z, 0-9 and
 * dashes, is too long or taken, or the set is full. `what` names where it stands. */
int rules_add(struct rule_set *rules, const char *what, const char *name, struct rule **ret,
	      struct error *err);

/* A field of a rule, as it is called wherever a user writes it. */
struct rule_field {
	const char *name;
	bool list; /* takes several words, one after the other */
	/* set - reads a word into the rule (a list: adds it). Returns 0, or -EINVAL with err filled
	 * and the rule unchanged; `what` names the field in full. */
	int (*set)(struct rule *rule, const char *what, const char *word, struct error *err);
	/* clear - empties a list, before its first word is set; NULL with other fields. */
	void (*clear)(struct rule *rule);
	/* word - the i-th word of the value as set() reads it, into buf of RULE_WORD_MAX bytes.
	 * Returns false if there is none. */
	bool (*word)(const struct rule *rule, unsigned int i, char *buf);
};

/* rule_fields - all of them, in the order in which a rule is best read; *ret_n is how many. */
const struct rule_field *rule_fields(unsigned int *ret_n);

/* rule_field_find - by name; NULL with err filled if there is none. */
const struct rule_field *rule_field_find(const char *word, size_t len, struct error *err);

/* rule_check - whether the fields of a rule go together. Returns 0, or -EINVAL with err filled and
 * in *ret_field (not NULL) the name of the field that is to blame. */
int rule_check(const struct rule *rule, const char **ret_field, struct error *err);

/* rule_check_yields - whether the rule that this one yields to is another of the set. Returns 0, or
 * -EINVAL with err filled. */
int rule_check_yields(struct rule_set *rules, const struct rule *rule, struct error *err);

/* rules_set - applies "RULE.FIELD=VALUE"; the words of a list are separated by commas. Returns 0,
 * or -EINVAL with err naming what is wrong and what is accepted; the rules are unchanged then.
 * Whether the fields go together is rule_check()'s to say, once all are set. */
int rules_set(struct rule_set *rules, const char *assignment, struct error *err);

#endif
