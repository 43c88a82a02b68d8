// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The built-in rules and "RULE.FIELD=VALUE". */
#include "rule.h"

#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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
	bool internal_only;
	uint8_t group, distinct;
	enum window_mode mode;
	uint32_t threshold;
	const char *internal, *external, *sub; /* techniques; the sub-technique from outside */
} builtin_cases[] = {
	{ "default: port-scan", PROFILE_DEFAULT, 0, "port-scan", true, WHERE_PROBE, true, OPR,
	  FIELD_RESP_PORT, WINDOW_SLIDING, 3, "T1046", "T1595", "T1595.002" },
	{ "default: basic-scanning", PROFILE_DEFAULT, 1, "basic-scanning", true, WHERE_CONTACT,
	  false, OP, FIELD_RESP_PORT, WINDOW_SLIDING, 1000, "T1046", "T1595", "T1595.002" },
	{ "default: sweep", PROFILE_DEFAULT, 2, "sweep", true, WHERE_PROBE, true, OQP, FIELD_RESP,
	  WINDOW_SLIDING, 25, "T1018", "T1595", "T1595.001" },
	{ "splunk: port-scan tumbles and does not look at the protocol", PROFILE_SPLUNK, 0,
	  "port-scan", true, WHERE_PROBE, true, FIELD_ORIG | FIELD_RESP, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 3, "T1046", "T1595", "T1595.002" },
	{ "splunk: basic-scanning tumbles and does not look at the protocol", PROFILE_SPLUNK, 1,
	  "basic-scanning", true, WHERE_CONTACT, false, FIELD_ORIG, FIELD_RESP_PORT,
	  WINDOW_TUMBLING, 1000, "T1046", "T1595", "T1595.002" },
	{ "splunk: sweep is off, there is no such search", PROFILE_SPLUNK, 2, "sweep", false,
	  WHERE_PROBE, true, FIELD_ORIG | FIELD_RESP_PORT, FIELD_RESP, WINDOW_TUMBLING, 25, "T1018",
	  "T1595", "T1595.001" },
};

static void test_builtin(void **state)
{
	const struct builtin_case *c = *state;
	const struct rule *rule;
	struct rule_set rules;

	rules_builtin(c->profile, &rules);
	assert_int_equal(rules.n, 3);
	rule = &rules.rule[c->index];
	assert_string_equal(rule->name, c->rule);
	assert_true(strlen(rule->description) > 0);
	assert_int_equal(rule->enabled, c->enabled);
	assert_int_equal(rule->where, c->where);
	assert_int_equal(rule->internal_only, c->internal_only);
	assert_int_equal(rule->group, c->group);
	assert_int_equal(rule->distinct, c->distinct);
	assert_int_equal(rule->mode, c->mode);
	assert_int_equal(rule->window_ns, 5 * M);
	assert_int_equal(rule->threshold, c->threshold);
	assert_string_equal(rule->attack_internal.tactic_id, "TA0007");
	assert_string_equal(rule->attack_internal.technique_id, c->internal);
	assert_null(rule->attack_internal.sub_id);
	assert_null(rule->attack_internal.sub_name);
	assert_string_equal(rule->attack_external.tactic_id, "TA0043");
	assert_string_equal(rule->attack_external.technique_id, c->external);
	assert_string_equal(rule->attack_external.sub_id, c->sub);
	assert_non_null(rule->attack_external.sub_name);
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
	  "no rule 'nonsense': rules are port-scan, basic-scanning, sweep" },
	{ "an empty rule", ".threshold=1",
	  "no rule '': rules are port-scan, basic-scanning, sweep" },
	{ "a rule that is nearly known", "portscan.threshold=1",
	  "no rule 'portscan' (did you mean 'port-scan'?): rules are port-scan, basic-scanning, "
	  "sweep" },
	{ "case matters", "Sweep.threshold=1",
	  "no rule 'Sweep' (did you mean 'sweep'?): rules are port-scan, basic-scanning, sweep" },
	{ "the start of a rule's name", "port.threshold=1",
	  "no rule 'port': rules are port-scan, basic-scanning, sweep" },
	{ "a rule's name and more",
	  "sweeps-of-all-the-networks-that-there-are-in-the-whole-world.threshold=1",
	  "no rule 'sweeps-of-all-the-networks-that-there-are-in-the-whole-world': rules are "
	  "port-scan, basic-scanning, sweep" },
	{ "an unknown field", "sweep.group=orig",
	  "no field 'group': fields are threshold, window, mode, enabled" },
	{ "an empty field", "sweep.=orig",
	  "no field '': fields are threshold, window, mode, enabled" },
	{ "a field that is nearly known", "sweep.treshold=1",
	  "no field 'treshold' (did you mean 'threshold'?): fields are threshold, window, mode, "
	  "enabled" },
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
	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
