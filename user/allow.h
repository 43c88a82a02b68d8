/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which contacts are to be let be? An allow-list: entries that name originators, responders, ports
 * or processes whose looking around is wanted. What an entry matches never reaches a rule, and is
 * counted by the entry: nothing is exempt in silence. Each says why it is there; one may end on a
 * day, and says so once when it has. */
#ifndef RECONMON_ALLOW_H
#define RECONMON_ALLOW_H

#include <reconmon/attempt.h>

#include "net.h"
#include "ports.h"
#include "rule.h"

enum {
	ALLOW_MAX = 256,	 /* entries; each contact is held against all of them */
	ALLOW_COMMENT_MAX = 120, /* bytes */
	ALLOW_FROM_MAX = 64,
	ALLOW_WORD_MAX = 128, /* of any word that allow_field.word writes, and the end */
	ALLOW_RULES_MAX = 8,  /* rules that one entry names */
};

struct allow_entry {
	/* What it matches. All that is given must fit. */
	struct net_list originator, responder;			  /* empty: any */
	struct port_ranges ports;				  /* of the responder; empty: any */
	uint8_t proto;						  /* 0: any */
	char process[ALLOW_WORD_MAX], executable[ALLOW_WORD_MAX]; /* globs; "": any, or unknown */
	char container[ALLOW_WORD_MAX], pod[ALLOW_WORD_MAX], runtime[ALLOW_WORD_MAX];

	/* For which rules. None named: for all. */
	char rule[ALLOW_RULES_MAX][RULE_NAME_MAX + 1];
	uint32_t n_rules;
	uint32_t rule_bits; /* allow_resolve(): bit i is the i-th of the rule set; 0: all */

	char comment[ALLOW_COMMENT_MAX + 1]; /* why; never empty */
	int64_t expires_s;		     /* wall clock; 0: never */

	char from[ALLOW_FROM_MAX];   /* where it is written: "line 12", "--allow" */
	uint64_t contacts, attempts; /* matched so far; attempts are silent ones and others */
	uint64_t silent;	     /* attempts that would have been judged as probes */
	bool expiry_said;
};

/* A field of an entry, as it is called wherever a user writes it (compare struct rule_field). */
struct allow_field {
	const char *name;
	bool list;
	int (*set)(struct allow_entry *entry, const char *what, const char *word,
		   struct error *err);
	bool (*word)(const struct allow_entry *entry, unsigned int i, char *buf);
};

const struct allow_field *allow_fields(unsigned int *ret_n);

/* allow_field_find - by name ("port" is "ports" too); NULL with err filled if there is none. */
const struct allow_field *allow_field_find(const char *word, size_t len, struct error *err);

struct allow; /* NULL is an empty list, wherever one is taken */

/* allow_add - adds an entry, copied, to *list, which is made if it is NULL. Returns 0, or -EINVAL
 * or -ENOMEM with err filled: it matches everything, says nothing, or the list is full. */
int allow_add(struct allow **list, const struct allow_entry *entry, struct error *err);

/* allow_parse - adds "KEY=VALUE[,KEY=VALUE]..." as on the command line: the words of a list are
 * joined by '+', a comment is the last and takes the rest, commas too. Returns as allow_add(). */
int allow_parse(const char *text, struct allow **list, struct error *err);

void allow_free(struct allow *a);

/* Who opened an attempt, as far as is known; "" or NULL where it is not. */
struct allow_owner {
	const char *process, *executable, *container, *pod, *runtime;
	const char *pod_name; /* "NAMESPACE/NAME" */
};

/* allow_wants_owner - whether an entry asks who it was. */
bool allow_wants_owner(const struct allow *a);

/* allow_resolve - finds the rules that entries name. Returns 0, or -EINVAL with err filled: there
 * is none of that name. */
int allow_resolve(struct allow *a, const struct rule_set *rules, struct error *err);

/* allow_match - for which rules is the contact let be, at wall_s (seconds since the epoch)? As bits
 * of the set that allow_resolve() was given; UINT32_MAX: for all, 0: for none. The first entry for
 * all rules that matches counts it; without one, every entry that does. owner may be NULL: unknown,
 * which an entry that asks for one does not match. */
uint32_t allow_match(struct allow *a, const struct contact_key *key, const struct contact *c,
		     const struct allow_owner *owner, int64_t wall_s);

/* allow_expired - calls fn for each entry that has ended by wall_s, once in its life. */
void allow_expired(struct allow *a, int64_t wall_s,
		   void (*fn)(void *ctx, const struct allow_entry *entry), void *ctx);

/* allow_carry - takes the counters over from entries of `old` that match the same. */
void allow_carry(struct allow *a, const struct allow *old);

/* What all entries have let be together. */
struct allow_totals {
	uint64_t contacts, attempts, silent;
};
void allow_totals_get(const struct allow *a, struct allow_totals *ret);

uint32_t allow_count(const struct allow *a);
const struct allow_entry *allow_entry(const struct allow *a, uint32_t i);

/* allow_text - what an entry matches, in a line: "originator=10.0.0.5 ports=9100", into buf of len
 * bytes; returns buf. */
const char *allow_text(const struct allow_entry *entry, char *buf, size_t len);

/* allow_date - the last day of an entry that ends, "2027-01-31", into buf of 16 bytes. */
const char *allow_date(const struct allow_entry *entry, char *buf);

#endif
