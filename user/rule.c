// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Which rules are there, and how does a user change one? The built-in rules are the table below;
 * "RULE.FIELD=VALUE" changes a field of one. */
#include "rule.h"

#include "joint.h"
#include "net.h"

#include <errno.h>
#include <reconmon/packet.h>
#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_S 1000000000ull
#define NS_PER_M (60 * NS_PER_S)
#define NS_PER_H (60 * NS_PER_M)
#define NS_PER_D (24 * NS_PER_H)

/* --- the built-in rules --- */

/* Inside, looking around is Discovery; from outside it is Reconnaissance, which tells the ports of
 * a host (.002) from blocks of addresses (.001). */
#define DISCOVERY	"TA0007"
#define ACTIVE_SCANNING "TA0043", "T1595"

static const struct rule builtin[] = {
	{
		.name = "port-scan",
		.description = "one originator looked at several ports of one internal host",
		.enabled = true,
		.where = WHERE_PROBE,
		.responder = SCOPE_INTERNAL,
		.group = FIELD_ORIG | FIELD_RESP | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 3,
		.attack_internal = { DISCOVERY, "T1046", "" },
		.attack_external = { ACTIVE_SCANNING, "T1595.002" },
	},
	{
		.name = "basic-scanning",
		.description = "one originator contacted very many ports, on any hosts",
		.enabled = true,
		.where = WHERE_CONTACT,
		.group = FIELD_ORIG | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 1000,
		.attack_internal = { DISCOVERY, "T1046", "" },
		.attack_external = { ACTIVE_SCANNING, "T1595.002" },
	},
	{
		.name = "sweep",
		.description = "one originator looked at one port of many internal hosts",
		.enabled = true,
		.where = WHERE_PROBE,
		.responder = SCOPE_INTERNAL,
		.group = FIELD_ORIG | FIELD_RESP_PORT | FIELD_PROTO,
		.distinct = FIELD_RESP,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 25,
		.attack_internal = { DISCOVERY, "T1018", "" },
		.attack_external = { ACTIVE_SCANNING, "T1595.001" },
	},
	{
		.name = "slow-scan",
		.description =
			"one originator looked at several ports of one internal host, slowly",
		.enabled = true,
		.where = WHERE_PROBE,
		.responder = SCOPE_INTERNAL,
		.group = FIELD_ORIG | FIELD_RESP | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = NS_PER_D,
		.threshold = 5,
		.yields_to = "port-scan", /* one scan, one alert */
		.attack_internal = { DISCOVERY, "T1046", "" },
		.attack_external = { ACTIVE_SCANNING, "T1595.002" },
	},
	{
		.name = "distributed-scan",
		.description =
			"many originators together looked at many ports of one internal host",
		.enabled = true,
		.where = WHERE_PROBE,
		.responder = SCOPE_INTERNAL,
		/* UDP answers come late, to ports of any number; TCP ports above these are
		 * negotiated, by FTP, peer-to-peer programs and others, and tried by strangers ever
		 * after. */
		.protocol = PROTO_TCP,
		.ports = { .range = { { 1, 1023 } }, .n = 1 },
		.group = FIELD_RESP | FIELD_PROTO,
		.distinct = FIELD_RESP_PORT,
		.mode = WINDOW_SLIDING,
		.window_ns = 5 * NS_PER_M,
		.threshold = 32,
		.originators = 10,
		.attack_internal = { DISCOVERY, "T1046", "" },
		.attack_external = { ACTIVE_SCANNING, "T1595.002" },
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
	for (uint32_t i = 0; i < ret->n; i++)
		if (!ret->rule[i].originators)
			ret->rule[i].originators = 1;
	if (profile != PROFILE_SPLUNK)
		return;

	for (uint32_t i = 0; i < ret->n; i++) {
		struct rule *rule = &ret->rule[i];

		rule->enabled = rule_is_splunk(rule);
		rule->mode = WINDOW_TUMBLING;	      /* `bin span=5m` */
		rule->group &= (uint8_t)~FIELD_PROTO; /* no `by proto` in the searches */
	}
}

/* --- fields --- */

static const char *const bool_words[] = { "false", "true" };
static const char *const where_words[] = { [WHERE_PROBE] = "probe", [WHERE_CONTACT] = "contact" };
static const char *const mode_words[] = {
	[WINDOW_SLIDING] = "sliding", [WINDOW_TUMBLING] = "tumbling"
};
static const char *const scope_words[] = {
	[SCOPE_ANY] = "any", [SCOPE_INTERNAL] = "internal", [SCOPE_EXTERNAL] = "external"
};

/* The FIELD_* bits in words, in the order in which they are written. */
static const char *const part_words[] = { "originator", "responder", "port", "protocol" };
static const uint8_t part_bits[] = { FIELD_ORIG, FIELD_RESP, FIELD_RESP_PORT, FIELD_PROTO };

/* one_word - the words of a value that is one. */
static bool one_word(const char *text, unsigned int i, char *buf)
{
	if (i)
		return false;
	snprintf(buf, RULE_WORD_MAX, "%s", text);
	return true;
}

static int set_enabled(struct rule *rule, const char *what, const char *word, struct error *err)
{
	unsigned int i = 0; /* set on success; clang-tidy cannot tell */
	int r = choice_parse(what, word, bool_words, ARRAY_SIZE(bool_words), &i, err);

	if (!r)
		rule->enabled = i;
	return r;
}

static bool word_enabled(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(bool_words[rule->enabled], i, buf);
}

static int set_where(struct rule *rule, const char *what, const char *word, struct error *err)
{
	unsigned int i = 0;
	int r = choice_parse(what, word, where_words, ARRAY_SIZE(where_words), &i, err);

	if (!r)
		rule->where = (enum rule_where)i;
	return r;
}

static bool word_where(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(where_words[rule->where], i, buf);
}

static int set_scope(enum rule_scope *scope, const char *what, const char *word, struct error *err)
{
	unsigned int i = 0;
	int r = choice_parse(what, word, scope_words, ARRAY_SIZE(scope_words), &i, err);

	if (!r)
		*scope = (enum rule_scope)i;
	return r;
}

static int set_originator(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return set_scope(&rule->originator, what, word, err);
}

static bool word_originator(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(scope_words[rule->originator], i, buf);
}

static int set_responder(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return set_scope(&rule->responder, what, word, err);
}

static bool word_responder(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(scope_words[rule->responder], i, buf);
}

static int set_ports(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return port_ranges_add(what, word, &rule->ports, err);
}

static void clear_ports(struct rule *rule)
{
	memset(&rule->ports, 0, sizeof(rule->ports));
}

static bool word_ports(const struct rule *rule, unsigned int i, char *buf)
{
	if (i >= rule->ports.n)
		return false;
	port_ranges_format(&rule->ports, i, buf);
	return true;
}

static const uint8_t protos[] = { 0, PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_ICMP, PROTO_ICMPV6 };

static int set_protocol(struct rule *rule, const char *what, const char *word, struct error *err)
{
	const char *names[ARRAY_SIZE(protos)];
	unsigned int i = 0;
	int r;

	for (size_t p = 0; p < ARRAY_SIZE(protos); p++)
		names[p] = proto_name(protos[p]);
	r = choice_parse(what, word, names, ARRAY_SIZE(names), &i, err);
	if (!r)
		rule->protocol = protos[i];
	return r;
}

static bool word_protocol(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(proto_name(rule->protocol), i, buf);
}

static int set_originators(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return count_parse(what, word, 1, JOINT_ORIGINATORS_MAX, &rule->originators, err);
}

static bool word_originators(const struct rule *rule, unsigned int i, char *buf)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", rule->originators);
	return one_word(text, i, buf);
}

/* set_part - adds one of the first n words of part_words to a set of FIELD_* bits. */
static int set_part(uint8_t *bits, const char *const *words, const uint8_t *bit, unsigned int n,
		    const char *what, const char *word, struct error *err)
{
	unsigned int i = 0;
	int r = choice_parse(what, word, words, n, &i, err);

	if (r < 0)
		return r;
	if (*bits & bit[i])
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%s': listed twice", what, word);
	*bits |= bit[i];
	return 0;
}

static bool word_part(uint8_t bits, unsigned int i, char *buf)
{
	for (unsigned int part = 0; part < ARRAY_SIZE(part_bits); part++)
		if (bits & part_bits[part] && !i--)
			return one_word(part_words[part], 0, buf);
	return false;
}

static int set_by(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return set_part(&rule->group, part_words, part_bits, ARRAY_SIZE(part_words), what, word,
			err);
}

static void clear_by(struct rule *rule)
{
	rule->group = 0;
}

static bool word_by(const struct rule *rule, unsigned int i, char *buf)
{
	return word_part(rule->group, i, buf);
}

/* What is counted: responders, ports, or pairs of both. */
static int set_distinct(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return set_part(&rule->distinct, part_words + 1, part_bits + 1, 2, what, word, err);
}

static void clear_distinct(struct rule *rule)
{
	rule->distinct = 0;
}

static bool word_distinct(const struct rule *rule, unsigned int i, char *buf)
{
	return word_part(rule->distinct, i, buf);
}

static int set_window(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return duration_parse(what, word, NS_PER_S, 7 * NS_PER_D, &rule->window_ns, err);
}

static bool word_window(const struct rule *rule, unsigned int i, char *buf)
{
	char text[32];

	return one_word(duration_format(rule->window_ns, text), i, buf);
}

static int set_mode(struct rule *rule, const char *what, const char *word, struct error *err)
{
	unsigned int i = 0;
	int r = choice_parse(what, word, mode_words, ARRAY_SIZE(mode_words), &i, err);

	if (!r)
		rule->mode = (enum window_mode)i;
	return r;
}

static bool word_mode(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(mode_words[rule->mode], i, buf);
}

static int set_threshold(struct rule *rule, const char *what, const char *word, struct error *err)
{
	return count_parse(what, word, 1, 65536, &rule->threshold, err);
}

static bool word_threshold(const struct rule *rule, unsigned int i, char *buf)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", rule->threshold);
	return one_word(text, i, buf);
}

static int set_severity(struct rule *rule, const char *what, const char *word, struct error *err)
{
	uint32_t severity = 0;

	if (strcmp(word, "auto") && count_parse(what, word, 1, 10, &severity, NULL) < 0)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': a whole number from 1 to 10 is accepted, or auto",
				 what, word);
	rule->severity = (uint8_t)severity;
	return 0;
}

static bool word_severity(const struct rule *rule, unsigned int i, char *buf)
{
	char text[8] = "auto";

	if (rule->severity)
		snprintf(text, sizeof(text), "%u", rule->severity);
	return one_word(text, i, buf);
}

/* Whether there is a rule of that name is rule_check_yields()'s to say: it may come later. */
static int set_yields_to(struct rule *rule, const char *what, const char *word, struct error *err)
{
	if (strlen(word) > RULE_NAME_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': the name of a rule, or none, is accepted", what,
				 word);
	memset(rule->yields_to, 0, sizeof(rule->yields_to));
	if (strcmp(word, "none") != 0)
		strcpy(rule->yields_to, word);
	return 0;
}

static bool word_yields_to(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(rule->yields_to[0] ? rule->yields_to : "none", i, buf);
}

static int set_attack_internal(struct rule *rule, const char *what, const char *word,
			       struct error *err)
{
	return attack_parse(what, word, &rule->attack_internal, err);
}

static bool word_attack_internal(const struct rule *rule, unsigned int i, char *buf)
{
	char text[ATTACK_TEXT];

	return one_word(attack_format(&rule->attack_internal, text), i, buf);
}

static int set_attack_external(struct rule *rule, const char *what, const char *word,
			       struct error *err)
{
	return attack_parse(what, word, &rule->attack_external, err);
}

static bool word_attack_external(const struct rule *rule, unsigned int i, char *buf)
{
	char text[ATTACK_TEXT];

	return one_word(attack_format(&rule->attack_external, text), i, buf);
}

static int set_description(struct rule *rule, const char *what, const char *word, struct error *err)
{
	size_t len = strlen(word);

	if (len > RULE_DESCRIPTION_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.40s...': at most %d bytes are accepted, these are %zu",
				 what, word, RULE_DESCRIPTION_MAX, len);
	if (!text_is_plain(word))
		return error_set(err, -EINVAL, EXIT_USAGE, "%s: control characters, or not UTF-8",
				 what);
	memset(rule->description, 0, sizeof(rule->description));
	memcpy(rule->description, word, len);
	return 0;
}

static bool word_description(const struct rule *rule, unsigned int i, char *buf)
{
	return one_word(rule->description, i, buf);
}

static const struct rule_field fields[] = {
	{ "enabled", false, set_enabled, NULL, word_enabled },
	{ "where", false, set_where, NULL, word_where },
	{ "originator", false, set_originator, NULL, word_originator },
	{ "responder", false, set_responder, NULL, word_responder },
	{ "ports", true, set_ports, clear_ports, word_ports },
	{ "protocol", false, set_protocol, NULL, word_protocol },
	{ "originators", false, set_originators, NULL, word_originators },
	{ "by", true, set_by, clear_by, word_by },
	{ "distinct", true, set_distinct, clear_distinct, word_distinct },
	{ "window", false, set_window, NULL, word_window },
	{ "mode", false, set_mode, NULL, word_mode },
	{ "threshold", false, set_threshold, NULL, word_threshold },
	{ "yields-to", false, set_yields_to, NULL, word_yields_to },
	{ "severity", false, set_severity, NULL, word_severity },
	{ "attack-internal", false, set_attack_internal, NULL, word_attack_internal },
	{ "attack-external", false, set_attack_external, NULL, word_attack_external },
	{ "description", false, set_description, NULL, word_description },
};

const struct rule_field *rule_fields(unsigned int *ret_n)
{
	*ret_n = ARRAY_SIZE(fields);
	return fields;
}

const struct rule_field *rule_field_find(const char *word, size_t len, struct error *err)
{
	const char *names[ARRAY_SIZE(fields)];
	int i;

	for (size_t n = 0; n < ARRAY_SIZE(fields); n++)
		names[n] = fields[n].name;
	i = name_find("field", word, len, names, ARRAY_SIZE(fields), err);
	return i < 0 ? NULL : &fields[i];
}

/* --- rules --- */

struct rule *rules_find(struct rule_set *rules, const char *name)
{
	for (uint32_t i = 0; i < rules->n; i++)
		if (!strcmp(rules->rule[i].name, name))
			return &rules->rule[i];
	return NULL;
}

int rules_add(struct rule_set *rules, const char *what, const char *name, struct rule **ret,
	      struct error *err)
{
	size_t len = strlen(name);
	struct rule *rule;

	if (!len || len > RULE_NAME_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%.80s': the name of a rule has 1 to %d of the characters "
				 "a-z, 0-9 and -",
				 what, name, RULE_NAME_MAX);
	if (rules_find(rules, name))
		return error_set(err, -EINVAL, EXIT_USAGE, "%s '%s': that rule is there already",
				 what, name);
	if (rules->n == RULES_MAX)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s '%s': more than %d rules, the built-in ones included", what,
				 name, RULES_MAX);
	rule = &rules->rule[rules->n++];
	*rule = (struct rule){
		.own = true,
		.enabled = true,
		.originators = 1,
		.attack_internal = { DISCOVERY, "T1046", "" },
		.attack_external = { ACTIVE_SCANNING, "" },
	};
	memcpy(rule->name, name, len);
	*ret = rule;
	return 0;
}

/* check_joint - the fields of a rule about many originators. */
static int check_joint(const struct rule *rule, const char **ret_field, struct error *err)
{
	*ret_field = "by";
	if ((rule->group & ~FIELD_PROTO) != FIELD_RESP)
		return error_set(
			err, -EINVAL, EXIT_USAGE,
			"%s.by: of several originators, responder or responder and protocol "
			"are accepted",
			rule->name);
	*ret_field = "distinct";
	if (rule->distinct != FIELD_RESP_PORT)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.distinct: of several originators, port is accepted",
				 rule->name);
	*ret_field = "where";
	if (rule->where != WHERE_PROBE)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.where: of several originators, probe is accepted", rule->name);
	*ret_field = "threshold";
	if (rule->threshold > JOINT_PORTS_MAX || rule->threshold < rule->originators)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.threshold: of %u originators, %u to %d are accepted",
				 rule->name, rule->originators, rule->originators, JOINT_PORTS_MAX);
	return 0;
}

int rule_check(const struct rule *rule, const char **ret_field, struct error *err)
{
	const char *name = rule->name;
	char both[RULE_WORD_MAX];

	if (rule_is_joint(rule) && check_joint(rule, ret_field, err) < 0)
		return -EINVAL;
	*ret_field = "by";
	if (!(rule->group & FIELD_ORIG) && !rule_is_joint(rule))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.by: originator is missing; an alert says who (or how many "
				 "together: originators)",
				 name);
	*ret_field = "distinct";
	if (!rule->distinct)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.distinct: responder, port or both are needed", name);
	if (rule->group & rule->distinct) {
		word_part(rule->group & rule->distinct, 0, both);
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.distinct: '%s' is in `by` as well, so there would only ever "
				 "be one",
				 name, both);
	}
	*ret_field = "threshold";
	if (rule->ports.n && rule->distinct == FIELD_RESP_PORT &&
	    port_ranges_count(&rule->ports) < rule->threshold)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.threshold: %u is never reached, `ports` lists only %u", name,
				 rule->threshold, port_ranges_count(&rule->ports));
	return 0;
}

int rule_check_yields(struct rule_set *rules, const struct rule *rule, struct error *err)
{
	const char *name = rule->yields_to;

	if (!name[0])
		return 0;
	if (!rules_find(rules, name))
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.yields-to '%s': there is no such rule", rule->name, name);
	if (rules_find(rules, name) == rule)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "%s.yields-to '%s': a rule cannot yield to itself", rule->name,
				 name);
	return 0;
}

/* --- RULE.FIELD=VALUE --- */

static int rule_index(const struct rule_set *rules, const char *word, size_t len, struct error *err)
{
	const char *names[RULES_MAX];

	for (uint32_t i = 0; i < rules->n; i++)
		names[i] = rules->rule[i].name;
	return name_find("rule", word, len, names, rules->n, err);
}

/* set_words - the words of a list, between commas, instead of those it has. */
static int set_words(const struct rule_field *field, struct rule *rule, const char *what,
		     const char *value, struct error *err)
{
	char word[RULE_WORD_MAX];
	int r = 0;

	field->clear(rule);
	while (!r && *value) {
		size_t len = strcspn(value, ",");

		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : 80), value);
		r = field->set(rule, what, word, err);
		if (!r && value[len] && !value[len + 1])
			r = field->set(rule, what, "", err); /* "22," lacks a word */
		value += len + !!value[len];
	}
	return r;
}

int rules_set(struct rule_set *rules, const char *assignment, struct error *err)
{
	const char *value = strchr(assignment, '=');
	const char *dot = value ? memchr(assignment, '.', (size_t)(value - assignment)) : NULL;
	const struct rule_field *field;
	struct rule changed;
	char what[80];
	int i, r;

	if (!dot)
		return error_set(err, -EINVAL, EXIT_USAGE,
				 "'%.80s': RULE.FIELD=VALUE is accepted, as in "
				 "port-scan.threshold=10",
				 assignment);
	i = rule_index(rules, assignment, (size_t)(dot - assignment), err);
	if (i < 0)
		return i;
	field = rule_field_find(dot + 1, (size_t)(value - dot - 1), err);
	if (!field)
		return -EINVAL;
	changed = rules->rule[i];
	snprintf(what, sizeof(what), "%s.%s", changed.name, field->name);
	r = field->list ? set_words(field, &changed, what, value + 1, err)
			: field->set(&changed, what, value + 1, err);
	if (!r)
		rules->rule[i] = changed;
	return r;
}
