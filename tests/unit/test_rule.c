// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The built-in rules and "RULE.FIELD=VALUE". */
#include <reconmon/packet.h>

#include "rule.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MS 1000000ull
#define S  1000000000ull
#define M  (60 * S)
#define D  (24 * 3600 * S)

enum {
	OPR = FIELD_ORIG | FIELD_RESP | FIELD_PROTO,
	OP = FIELD_ORIG | FIELD_PROTO,
	RP = FIELD_RESP | FIELD_PROTO,
	OQP = FIELD_ORIG | FIELD_RESP_PORT | FIELD_PROTO,
};

/* --- rules_builtin --- */

static const struct builtin_case {
	const char *name;
	enum rule_profile profile;
	uint32_t index;
	const char *rule;
	bool enabled;
	enum rule_where where;
	enum rule_scope responder;
	uint8_t group, distinct;
	enum window_mode mode;
	uint32_t threshold;
	const char *internal, *external, *sub; /* techniques; the sub-technique from outside */
} builtin_cases[] = {
	{ "default: port-scan", PROFILE_DEFAULT, 0, "port-scan", true, WHERE_PROBE, SCOPE_INTERNAL,
	  OPR, FIELD_RESP_PORT, WINDOW_SLIDING, 3, "T1046", "T1595", "T1595.002" },
	{ "default: basic-scanning", PROFILE_DEFAULT, 1, "basic-scanning", true, WHERE_CONTACT,
	  SCOPE_ANY, OP, FIELD_RESP_PORT, WINDOW_SLIDING, 1000, "T1046", "T1595", "T1595.002" },
	{ "default: sweep", PROFILE_DEFAULT, 2, "sweep", true, WHERE_PROBE, SCOPE_INTERNAL, OQP,
	  FIELD_RESP, WINDOW_SLIDING, 25, "T1018", "T1595", "T1595.001" },
	{ "default: slow-scan", PROFILE_DEFAULT, 3, "slow-scan", true, WHERE_PROBE, SCOPE_INTERNAL,
	  OPR, FIELD_RESP_PORT, WINDOW_SLIDING, 5, "T1046", "T1595", "T1595.002" },
	{ "default: distributed-scan", PROFILE_DEFAULT, 4, "distributed-scan", true, WHERE_PROBE,
	  SCOPE_INTERNAL, RP, FIELD_RESP_PORT, WINDOW_SLIDING, 32, "T1046", "T1595", "T1595.002" },
	{ "splunk: distributed-scan is off, there is no such search", PROFILE_SPLUNK, 4,
	  "distributed-scan", false, WHERE_PROBE, SCOPE_INTERNAL, FIELD_RESP, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 32, "T1046", "T1595", "T1595.002" },
	{ "splunk: port-scan tumbles and does not look at the protocol", PROFILE_SPLUNK, 0,
	  "port-scan", true, WHERE_PROBE, SCOPE_INTERNAL, FIELD_ORIG | FIELD_RESP, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 3, "T1046", "T1595", "T1595.002" },
	{ "splunk: basic-scanning tumbles and does not look at the protocol", PROFILE_SPLUNK, 1,
	  "basic-scanning", true, WHERE_CONTACT, SCOPE_ANY, FIELD_ORIG, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 1000, "T1046", "T1595", "T1595.002" },
	{ "splunk: slow-scan is off, there is no such search", PROFILE_SPLUNK, 3, "slow-scan",
	  false, WHERE_PROBE, SCOPE_INTERNAL, FIELD_ORIG | FIELD_RESP, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 5, "T1046", "T1595", "T1595.002" },
	{ "splunk: sweep is off, there is no such search", PROFILE_SPLUNK, 2, "sweep", false,
	  WHERE_PROBE, SCOPE_INTERNAL, FIELD_ORIG | FIELD_RESP_PORT, FIELD_RESP, WINDOW_TUMBLING,
	  25, "T1018", "T1595", "T1595.001" },
};

static void test_builtin(void **state)
{
	const struct builtin_case *c = *state;
	const struct rule *rule;
	struct rule_set rules;

	rules_builtin(c->profile, &rules);
	assert_int_equal(rules.n, 5);
	rule = &rules.rule[c->index];
	assert_string_equal(rule->name, c->rule);
	assert_true(strlen(rule->description) > 0);
	assert_int_equal(rule->enabled, c->enabled);
	assert_int_equal(rule->where, c->where);
	assert_int_equal(rule->responder, c->responder);
	assert_int_equal(rule->group, c->group);
	assert_int_equal(rule->distinct, c->distinct);
	assert_int_equal(rule->mode, c->mode);
	assert_int_equal(rule->window_ns, c->index == 3 ? 24 * 60 * M : 5 * M);
	assert_int_equal(rule->threshold, c->threshold);
	assert_int_equal(rule->originators, c->index == 4 ? 10 : 1);
	assert_int_equal(rule->protocol, c->index == 4 ? PROTO_TCP : 0);
	assert_int_equal(rule->ports.n, c->index == 4);
	assert_string_equal(rule->attack_internal.tactic_id, "TA0007");
	assert_string_equal(rule->attack_internal.technique_id, c->internal);
	assert_string_equal(rule->attack_internal.sub_id, "");
	assert_string_equal(rule->attack_external.tactic_id, "TA0043");
	assert_string_equal(rule->attack_external.technique_id, c->external);
	assert_string_equal(rule->attack_external.sub_id, c->sub);
	assert_non_null(attack_name(rule->attack_external.sub_id));
}

/* --- rules_set: what is accepted --- */

static const struct set_case {
	const char *name, *assignment;
	uint32_t index;
	uint32_t threshold;
	uint64_t window_ns;
	enum window_mode mode;
	bool enabled;
} set_cases[] = {
	{ "the lowest threshold", "port-scan.threshold=1", 0, 1, 5 * M, WINDOW_SLIDING, true },
	{ "the highest threshold", "port-scan.threshold=65536", 0, 65536, 5 * M, WINDOW_SLIDING,
	  true },
	{ "leading zeros are decimal", "sweep.threshold=010", 2, 10, 5 * M, WINDOW_SLIDING, true },
	{ "the shortest window", "basic-scanning.window=1s", 1, 1000, S, WINDOW_SLIDING, true },
	{ "the longest window", "basic-scanning.window=7d", 1, 1000, 7 * D, WINDOW_SLIDING, true },
	{ "a window with a decimal point", "sweep.window=1.5h", 2, 25, 90 * M, WINDOW_SLIDING,
	  true },
	{ "tumbling", "sweep.mode=tumbling", 2, 25, 5 * M, WINDOW_TUMBLING, true },
	{ "sliding", "sweep.mode=sliding", 2, 25, 5 * M, WINDOW_SLIDING, true },
	{ "off", "port-scan.enabled=false", 0, 3, 5 * M, WINDOW_SLIDING, false },
	{ "on", "port-scan.enabled=true", 0, 3, 5 * M, WINDOW_SLIDING, true },
};

static void test_set(void **state)
{
	const struct set_case *c = *state;
	struct error err = { 0 };
	const struct rule *rule;
	struct rule_set rules;

	rules_builtin(PROFILE_DEFAULT, &rules);
	assert_int_equal(rules_set(&rules, c->assignment, &err), 0);
	rule = &rules.rule[c->index];
	assert_int_equal(rule->threshold, c->threshold);
	assert_int_equal(rule->window_ns, c->window_ns);
	assert_int_equal(rule->mode, c->mode);
	assert_int_equal(rule->enabled, c->enabled);
	assert_string_equal(err.text, "");
}

/* --- rules_set: what is refused, and how it says so --- */

static const struct bad_set_case {
	const char *name, *assignment, *want;
} bad_set_cases[] = {
	{ "nothing", "", "'': RULE.FIELD=VALUE is accepted, as in port-scan.threshold=10" },
	{ "a rule alone", "port-scan",
	  "'port-scan': RULE.FIELD=VALUE is accepted, as in port-scan.threshold=10" },
	{ "no value", "port-scan.threshold",
	  "'port-scan.threshold': RULE.FIELD=VALUE is accepted, as in port-scan.threshold=10" },
	{ "no field: a point in the value is none", "port-scan=1.5m",
	  "'port-scan=1.5m': RULE.FIELD=VALUE is accepted, as in port-scan.threshold=10" },
	{ "an unknown rule", "nonsense.threshold=1",
	  "no rule 'nonsense': rules are port-scan, basic-scanning, sweep, slow-scan, "
	  "distributed-scan" },
	{ "an empty rule", ".threshold=1",
	  "no rule '': rules are port-scan, basic-scanning, sweep, slow-scan, distributed-scan" },
	{ "a rule that is nearly known", "portscan.threshold=1",
	  "no rule 'portscan' (did you mean 'port-scan'?): rules are port-scan, basic-scanning, "
	  "sweep, slow-scan, distributed-scan" },
	{ "case matters", "Sweep.threshold=1",
	  "no rule 'Sweep' (did you mean 'sweep'?): rules are port-scan, basic-scanning, sweep, "
	  "slow-scan, distributed-scan" },
	{ "the start of a rule's name", "port.threshold=1",
	  "no rule 'port': rules are port-scan, basic-scanning, sweep, slow-scan, "
	  "distributed-scan" },
	{ "a rule's name and more",
	  "sweeps-of-all-the-networks-that-there-are-in-the-whole-world.threshold=1",
	  "no rule 'sweeps-of-all-the-networks-that-there-are-in-the-whole-world': rules are "
	  "port-scan, basic-scanning, sweep, slow-scan, distributed-scan" },
	{ "an unknown field", "sweep.group=orig",
	  "no field 'group': fields are enabled, where, originator, responder, ports, protocol, "
	  "originators, by, "
	  "distinct, window, mode, threshold, yields-to, severity, attack-internal, "
	  "attack-external, "
	  "description" },
	{ "an empty field", "sweep.=orig",
	  "no field '': fields are enabled, where, originator, responder, ports, protocol, "
	  "originators, by, "
	  "distinct, window, mode, threshold, yields-to, severity, attack-internal, "
	  "attack-external, "
	  "description" },
	{ "a field that is nearly known", "sweep.treshold=1",
	  "no field 'treshold' (did you mean 'threshold'?): fields are enabled, where, originator, "
	  "responder, ports, protocol, originators, by, "
	  "distinct, window, mode, threshold, yields-to, severity, attack-internal, "
	  "attack-external, "
	  "description" },
	{ "threshold 0", "port-scan.threshold=0",
	  "port-scan.threshold '0': a whole number from 1 to 65536 is accepted" },
	{ "threshold 65537", "port-scan.threshold=65537",
	  "port-scan.threshold '65537': a whole number from 1 to 65536 is accepted" },
	{ "a threshold that wraps in 64 bits", "port-scan.threshold=18446744073709551617",
	  "port-scan.threshold '18446744073709551617': a whole number from 1 to 65536 is "
	  "accepted" },
	{ "an empty threshold", "port-scan.threshold=",
	  "port-scan.threshold '': a whole number from 1 to 65536 is accepted" },
	{ "a sign", "port-scan.threshold=+5",
	  "port-scan.threshold '+5': a whole number from 1 to 65536 is accepted" },
	{ "a space", "port-scan.threshold= 5",
	  "port-scan.threshold ' 5': a whole number from 1 to 65536 is accepted" },
	{ "something behind the number", "port-scan.threshold=5x",
	  "port-scan.threshold '5x': a whole number from 1 to 65536 is accepted" },
	{ "a window without unit", "sweep.window=5",
	  "sweep.window '5': a time needs a number and a unit (ms, s, m, h, d), 1s to 7d" },
	{ "a window below a second", "sweep.window=999ms",
	  "sweep.window '999ms': a time from 1s to 7d is accepted" },
	{ "a window above a week", "sweep.window=169h",
	  "sweep.window '169h': a time from 1s to 7d is accepted" },
	{ "an unknown mode", "sweep.mode=hopping",
	  "sweep.mode 'hopping': accepted are sliding, tumbling" },
	{ "neither true nor false", "sweep.enabled=yes",
	  "sweep.enabled 'yes': accepted are false, true" },
	{ "an unknown part", "sweep.by=originator,host",
	  "sweep.by 'host': accepted are originator, responder, port, protocol" },
	{ "a part twice", "sweep.by=port,originator,port", "sweep.by 'port': listed twice" },
	{ "a comma at the end", "sweep.by=originator,",
	  "sweep.by '': accepted are originator, responder, port, protocol" },
	{ "a comma at the beginning", "sweep.ports=,22",
	  "sweep.ports '': a port from 0 to 65535 or a range like 8000-8010 is accepted" },
	{ "what cannot be counted", "sweep.distinct=protocol",
	  "sweep.distinct 'protocol': accepted are responder, port" },
	{ "a port too high", "sweep.ports=65536",
	  "sweep.ports '65536': a port from 0 to 65535 or a range like 8000-8010 is accepted" },
	{ "a range without end", "sweep.ports=80-",
	  "sweep.ports '80-': a port from 0 to 65535 or a range like 8000-8010 is accepted" },
	{ "a range backwards", "sweep.ports=90-80",
	  "sweep.ports '90-80': a range begins with its lower port: 80-90" },
	{ "ports that overlap", "sweep.ports=22,80-90,85",
	  "sweep.ports '85': listed already, with 80-90" },
	{ "yielding to what is no name", "sweep.yields-to=a-name-that-is-longer-than-any-of-a-rule",
	  "sweep.yields-to 'a-name-that-is-longer-than-any-of-a-rule': the name of a rule, or "
	  "none, is accepted" },
	{ "severity 0", "sweep.severity=0",
	  "sweep.severity '0': a whole number from 1 to 10 is accepted, or auto" },
	{ "severity 11", "sweep.severity=11",
	  "sweep.severity '11': a whole number from 1 to 10 is accepted, or auto" },
	{ "a technique without tactic", "sweep.attack-internal=T1046",
	  "sweep.attack-internal 'T1046': TACTIC/TECHNIQUE of MITRE ATT&CK is accepted, as in "
	  "TA0007/T1046 or TA0043/T1595.002, or none" },
	{ "a technique that goes on", "sweep.attack-internal=TA0007/T1046.0010",
	  "sweep.attack-internal 'TA0007/T1046.0010': TACTIC/TECHNIQUE of MITRE ATT&CK is "
	  "accepted, as in TA0007/T1046 or TA0043/T1595.002, or none" },
	{ "a description with an escape sequence", "sweep.description=\033[2J",
	  "sweep.description: control characters, or not UTF-8" },
	{ "a description that is not UTF-8", "sweep.description=\xff",
	  "sweep.description: control characters, or not UTF-8" },
	{ "an unknown protocol", "sweep.protocol=gre",
	  "sweep.protocol 'gre': accepted are any, tcp, udp, sctp, icmp, ipv6-icmp" },
	{ "no originator", "sweep.originators=0",
	  "sweep.originators '0': a whole number from 1 to 1024 is accepted" },
	{ "an unknown scope", "sweep.responder=inside",
	  "sweep.responder 'inside': accepted are any, internal, external" },
	{ "a second '=' belongs to the value",
	  "sweep.enabled=true=", "sweep.enabled 'true=': accepted are false, true" },
};

static void test_bad_set(void **state)
{
	const struct bad_set_case *c = *state;
	struct rule_set rules, before;
	struct error err = { 0 };

	rules_builtin(PROFILE_DEFAULT, &rules);
	memcpy(&before, &rules, sizeof(before));
	assert_int_equal(rules_set(&rules, c->assignment, &err), -EINVAL);
	assert_string_equal(err.text, c->want);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_memory_equal(&rules, &before, sizeof(rules));
	assert_int_equal(rules_set(&rules, c->assignment, NULL), -EINVAL);
}

/* --- every field: what is read is what is written --- */

static const struct field_case {
	const char *name, *field, *value;
	const char *want; /* NULL: as value; words of a list are joined by commas */
} field_cases[] = {
	{ "where: contacts", "where", "contact", NULL },
	{ "where: probes", "where", "probe", NULL },
	{ "originators of inside", "originator", "internal", NULL },
	{ "originators of outside", "originator", "external", NULL },
	{ "any responder", "responder", "any", NULL },
	{ "one port", "ports", "22", NULL },
	{ "ports and ranges in their order", "ports", "8000-8010,22,0,65535", NULL },
	{ "a range of one", "ports", "22-22", "22" },
	{ "no ports are all", "ports", "", NULL },
	{ "by in an order of its own", "by", "protocol,port,originator",
	  "originator,port,protocol" },
	{ "by the originator alone", "by", "originator", NULL },
	{ "distinct responders", "distinct", "responder", NULL },
	{ "distinct pairs", "distinct", "port,responder", "responder,port" },
	{ "a window", "window", "90s", NULL },
	{ "a window in other words", "window", "3600s", "1h" },
	{ "a mode", "mode", "tumbling", NULL },
	{ "a threshold", "threshold", "12", NULL },
	{ "a protocol", "protocol", "udp", NULL },
	{ "any protocol", "protocol", "any", NULL },
	{ "many originators", "originators", "1024", NULL },
	{ "one originator", "originators", "1", NULL },
	{ "a rule it yields to", "yields-to", "port-scan", NULL },
	{ "a rule it yields to that is not there yet", "yields-to", "own", NULL },
	{ "it yields to none", "yields-to", "none", NULL },
	{ "the highest severity", "severity", "10", NULL },
	{ "severity by the facts", "severity", "auto", NULL },
	{ "a technique", "attack-internal", "TA0008/T1021", NULL },
	{ "a sub-technique", "attack-external", "TA0043/T1595.003", NULL },
	{ "no technique", "attack-external", "none", NULL },
	{ "a description", "description", "looks, at \"many\"", NULL },
	{ "no description", "description", "", NULL },
};

static void test_field(void **state)
{
	const struct field_case *c = *state;
	char assignment[128], word[RULE_WORD_MAX], got[256] = "";
	const struct rule_field *field = rule_field_find(c->field, strlen(c->field), NULL);
	struct error err = { 0 };
	struct rule_set rules;

	assert_non_null(field);
	rules_builtin(PROFILE_DEFAULT, &rules);
	snprintf(assignment, sizeof(assignment), "sweep.%s=%s", c->field, c->value);
	assert_int_equal(rules_set(&rules, assignment, &err), 0);
	for (unsigned int i = 0; field->word(&rules.rule[2], i, word); i++) {
		strcat(got, i ? "," : "");
		strcat(got, word);
	}
	assert_string_equal(got, c->want ? c->want : c->value);
}

/* --- rule_check --- */

static const struct check_case {
	const char *name, *set; /* assignments to sweep, separated by blanks */
	const char *want;	/* "": fine */
} check_cases[] = {
	{ "a built-in rule is fine", "", "" },
	{ "few ports on many hosts is fine", "by=originator,protocol distinct=responder,port", "" },
	{ "nobody to blame", "by=port",
	  "sweep.by: originator is missing; an alert says who (or how many together: "
	  "originators)" },
	{ "no group at all", "by=",
	  "sweep.by: originator is missing; an alert says who (or how many together: "
	  "originators)" },
	{ "nothing to count", "distinct=", "sweep.distinct: responder, port or both are needed" },
	{ "counting what it groups by", "distinct=port",
	  "sweep.distinct: 'port' is in `by` as well, so there would only ever be one" },
	{ "the same beside something that may be counted",
	  "by=originator,responder distinct=responder,port",
	  "sweep.distinct: 'responder' is in `by` as well, so there would only ever be one" },
	{ "more ports than are listed", "by=originator distinct=port ports=22,80-81 threshold=4",
	  "sweep.threshold: 4 is never reached, `ports` lists only 3" },
	{ "as many ports as are listed", "by=originator distinct=port ports=22,80-81 threshold=3",
	  "" },
	{ "many originators of a host together",
	  "by=responder,protocol distinct=port originators=5 protocol=udp", "" },
	{ "many originators need no protocol in the group",
	  "by=responder distinct=port originators=5", "" },
	{ "many originators, and each by itself",
	  "by=originator,responder distinct=port originators=5",
	  "sweep.by: of several originators, responder or responder and protocol are accepted" },
	{ "many originators of no host", "by=protocol distinct=port originators=5",
	  "sweep.by: of several originators, responder or responder and protocol are accepted" },
	{ "many originators whose hosts are counted",
	  "by=responder distinct=responder originators=5",
	  "sweep.distinct: of several originators, port is accepted" },
	{ "many originators, whatever they carry",
	  "by=responder distinct=port where=contact originators=5",
	  "sweep.where: of several originators, probe is accepted" },
	{ "more originators than ports", "by=responder distinct=port originators=26",
	  "sweep.threshold: of 26 originators, 26 to 1024 are accepted" },
	{ "more ports of many originators than are told apart",
	  "by=responder distinct=port originators=5 threshold=1025",
	  "sweep.threshold: of 5 originators, 5 to 1024 are accepted" },
	{ "few ports of many hosts may be many pairs",
	  "by=originator distinct=port,responder ports=22 threshold=40", "" },
};

static void test_check(void **state)
{
	const struct check_case *c = *state;
	const char *set = c->set, *field = NULL;
	struct error err = { 0 };
	struct rule_set rules;
	char one[64];

	rules_builtin(PROFILE_DEFAULT, &rules);
	while (*set) {
		size_t len = strcspn(set, " ");

		snprintf(one, sizeof(one), "sweep.%.*s", (int)len, set);
		assert_int_equal(rules_set(&rules, one, &err), 0);
		set += len + strspn(set + len, " ");
	}
	assert_int_equal(rule_check(&rules.rule[2], &field, &err), *c->want ? -EINVAL : 0);
	assert_string_equal(err.text, c->want);
	if (*c->want) /* "sweep.FIELD: ..." */
		assert_memory_equal(c->want + strlen("sweep."), field, strlen(field));
}

/* --- rules_add --- */

static const struct add_case {
	const char *name, *rule;
	const char *want; /* "": added */
} add_cases[] = {
	{ "a name", "smb-2", "" },
	{ "32 characters", "a2345678901234567890123456789012", "" },
	{ "33 characters", "a23456789012345678901234567890123",
	  "FILE 'a23456789012345678901234567890123': the name of a rule has 1 to 32 of the "
	  "characters a-z, 0-9 and -" },
	{ "no character", "",
	  "FILE '': the name of a rule has 1 to 32 of the characters a-z, 0-9 and -" },
	{ "capitals", "SMB",
	  "FILE 'SMB': the name of a rule has 1 to 32 of the characters a-z, 0-9 and -" },
	{ "a point, which --set could not tell", "a.b",
	  "FILE 'a.b': the name of a rule has 1 to 32 of the characters a-z, 0-9 and -" },
	{ "a name that is taken", "sweep", "FILE 'sweep': that rule is there already" },
};

static void test_add(void **state)
{
	const struct add_case *c = *state;
	struct error err = { 0 };
	struct rule *rule = NULL;
	struct rule_set rules;

	rules_builtin(PROFILE_DEFAULT, &rules);
	assert_int_equal(rules_add(&rules, "FILE", c->rule, &rule, &err), *c->want ? -EINVAL : 0);
	assert_string_equal(err.text, c->want);
	assert_int_equal(rules.n, *c->want ? 5 : 6);
	if (!*c->want)
		assert_ptr_equal(rules_find(&rules, c->rule), rule);
}

static void test_add_too_many(void **state)
{
	struct error err = { 0 };
	struct rule_set rules;
	struct rule *rule;
	char name[16];

	(void)state;
	rules_builtin(PROFILE_DEFAULT, &rules);
	while (rules.n < RULES_MAX) {
		snprintf(name, sizeof(name), "rule-%u", rules.n);
		assert_int_equal(rules_add(&rules, "FILE", name, &rule, &err), 0);
	}
	assert_int_equal(rules_add(&rules, "FILE", "last", &rule, &err), -EINVAL);
	assert_string_equal(err.text,
			    "FILE 'last': more than 32 rules, the built-in ones included");
}

static struct CMUnitTest tests[256];
static size_t n_tests;

static void add_test(const char *name, CMUnitTestFunction test, const void *row)
{
	assert(n_tests < ARRAY_SIZE(tests));
	tests[n_tests++] = (struct CMUnitTest){ .name = name,
						.test_func = test,
						.initial_state = (void *)(uintptr_t)row };
}

#define ADD_TABLE(cases, test)                                                                     \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
	add_test((cases)[i].name, (test), &(cases)[i])

int main(void)
{
	ADD_TABLE(builtin_cases, test_builtin);
	ADD_TABLE(set_cases, test_set);
	ADD_TABLE(bad_set_cases, test_bad_set);
	ADD_TABLE(field_cases, test_field);
	ADD_TABLE(check_cases, test_check);
	ADD_TABLE(add_cases, test_add);
	add_test("32 rules are accepted, 33 are not", test_add_too_many, NULL);
	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
