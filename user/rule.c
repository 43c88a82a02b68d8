// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which rules are there, and how does a user change one? The built-in rules are the table below;
 * "RULE.FIELD=VALUE" changes a field of one. */
#include "rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_S 1000000000ull
#define NS_PER_M (60 * NS_PER_S)
#define NS_PER_H (60 * NS_PER_M)
#define NS_PER_D (24 * NS_PER_H)

/* --- the built-in rules --- */

/* MITRE ATT&CK 16.1, https://attack.mitre.org. Inside, looking around is Discovery; from outside it
 * is Reconnaissance, which tells the ports of a host (.002) from blocks of addresses (.001). */
#define DISCOVERY	"TA0007", "Discovery"
#define ACTIVE_SCANNING "TA0043", "Reconnaissance", "T1595", "Active Scanning"

static const struct rule builtin[] = {
	{
		.name = "port-scan",
		.description = "one originator looked at several ports of one internal host",
		.enabled = true,
		.where = WHERE_PROBE,
		.internal_only = true,
		.group = FIELD_ORIG | FIELD_RESP | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 3,
		.attack_internal = { DISCOVERY, "T1046", "Network Service Discovery", NULL, NULL },
		.attack_external = { ACTIVE_SCANNING, "T1595.002", "Vulnerability Scanning" },
	},
	{
		.name = "basic-scanning",
		.description = "one originator contacted very many ports, on any hosts",
		.enabled = true,
		.where = WHERE_CONTACT,
		.internal_only = false,
		.group = FIELD_ORIG | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 1000,
		.attack_internal = { DISCOVERY, "T1046", "Network Service Discovery", NULL, NULL },
		.attack_external = { ACTIVE_SCANNING, "T1595.002", "Vulnerability Scanning" },
	},
	{
		.name = "sweep",
		.description = "one originator looked at one port of many internal hosts",
		.enabled = true,
		.where = WHERE_PROBE,
		.internal_only = true,
		.group = FIELD_ORIG | FIELD_RESP_PORT | FIELD_PROTO,
		.distinct = FIELD_RESP,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 25,
		.attack_internal = { DISCOVERY, "T1018", "Remote System Discovery", NULL, NULL },
		.attack_external = { ACTIVE_SCANNING, "T1595.001", "Scanning IP Blocks" },
	},
};

_Static_assert(ARRAY_SIZE(builtin) <= RULES_MAX, "raise RULES_MAX");

/* What the profile splunk keeps: the two rules that exist as Splunk searches. */
static const char *const splunk_rules[] = { "port-scan", "basic-scanning" };

static bool rule_is_splunk(const struct rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(splunk_rules); i++)
		if (!strcmp(rule->name, splunk_rules[i]))
			return true;
	return false;
}

void rules_builtin(enum rule_profile profile, struct rule_set *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->rule, builtin, sizeof(builtin));
	ret->n = ARRAY_SIZE(builtin);
	if (profile != PROFILE_SPLUNK)
		return;

	for (uint32_t i = 0; i < ret->n; i++) {
		struct rule *rule = &ret->rule[i];

		rule->enabled = rule_is_splunk(rule);
		rule->mode = WINDOW_TUMBLING;	      /* `bin span=5m` */
		rule->group &= (uint8_t)~FIELD_PROTO; /* no `by proto` in the searches */
	}
}

/* --- RULE.FIELD=VALUE --- */

static int set_threshold(struct rule *rule, const char *what, const char *value, struct error *err)
{
	return count_parse(what, value, 1, 65536, &rule->threshold, err);
}

static int set_window(struct rule *rule, const char *what, const char *value, struct error *err)
{
	return duration_parse(what, value, NS_PER_S, 7 * NS_PER_D, &rule->window_ns, err);
}

static int set_mode(struct rule *rule, const char *what, const char *value, struct error *err)
{
	static const char *const words[] = {
		[WINDOW_SLIDING] = "sliding", [WINDOW_TUMBLING] = "tumbling"
	};
	unsigned int i = 0; /* set on success; clang-tidy cannot tell */
	int r = choice_parse(what, value, words, ARRAY_SIZE(words), &i, err);

	if (!r)
		rule->mode = (enum window_mode)i;
	return r;
}

static int set_enabled(struct rule *rule, const char *what, const char *value, struct error *err)
{
	static const char *const words[] = { "false", "true" };
	unsigned int i = 0; /* set on success; clang-tidy cannot tell */
	int r = choice_parse(what, value, words, ARRAY_SIZE(words), &i, err);

	if (!r)
		rule->enabled = i;
	return r;
}

static const struct field {
	const char *name;
	int (*set)(struct rule *rule, const char *what, const char *value, struct error *err);
} fields[] = {
	{ "threshold", set_threshold },
	{ "window", set_window },
	{ "mode", set_mode },
	{ "enabled", set_enabled },
};

static int rule_find(const struct rule_set *rules, const char *word, size_t len, struct error *err)
{
	const char *names[RULES_MAX];

	for (uint32_t i = 0; i < rules->n; i++)
		names[i] = rules->rule[i].name;
	return name_find("rule", word, len, names, rules->n, err);
}

static int field_find(const char *word, size_t len, struct error *err)
{
	const char *names[ARRAY_SIZE(fields)];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		names[i] = fields[i].name;
	return name_find("field", word, len, names, ARRAY_SIZE(fields), err);
}

int rules_set(struct rule_set *rules, const char *assignment, struct error *err)
{
	const char *value = strchr(assignment, '=');
	const char *dot = value ? memchr(assignment, '.', (size_t)(value - assignment)) : NULL;
	char what[80];
	int rule, field;

	if (!dot)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%.80s': RULE.FIELD=VALUE is accepted, as in "
				 "port-scan.threshold=10",
				 assignment);
	rule = rule_find(rules, assignment, (size_t)(dot - assignment), err);
	if (rule < 0)
		return rule;
	field = field_find(dot + 1, (size_t)(value - dot - 1), err);
	if (field < 0)
		return field;
	snprintf(what, sizeof(what), "%s.%s", rules->rule[rule].name, fields[field].name);
	return fields[field].set(&rules->rule[rule], what, value + 1, err);
}
