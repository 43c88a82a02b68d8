// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The built-in rules, "RULE.FIELD=VALUE", and how times, counts and words are read. */
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
#define H  (60 * M)
#define D  (24 * H)

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

/* --- duration_parse --- */

static const struct duration_case {
	const char *name, *text;
	uint64_t min_ns, max_ns;
	int r;
	uint64_t want;
} duration_cases[] = {
	{ "nothing", "", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a unit alone", "s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a number alone", "5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "zero needs a unit too", "0", 0, UINT64_MAX, -EINVAL, 0 },
	{ "zero", "0s", 0, UINT64_MAX, 0, 0 },
	{ "milliseconds", "300ms", 0, UINT64_MAX, 0, 300 * MS },
	{ "seconds", "5s", 0, UINT64_MAX, 0, 5 * S },
	{ "minutes", "10m", 0, UINT64_MAX, 0, 10 * M },
	{ "hours", "24h", 0, UINT64_MAX, 0, 24 * H },
	{ "days", "7d", 0, UINT64_MAX, 0, 7 * D },
	{ "decimals", "1.5s", 0, UINT64_MAX, 0, 1500 * MS },
	{ "decimals of a minute", "0.05m", 0, UINT64_MAX, 0, 3 * S },
	{ "nine decimals of a second", "0.000000001s", 0, UINT64_MAX, 0, 1 },
	{ "digits below a nanosecond count as nothing", "1.0000000009s", 0, UINT64_MAX, 0, S },
	{ "many zeros", "1.000000000000000000000000000000s", 0, UINT64_MAX, 0, S },
	{ "no digit before the point", ".5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "no digit behind the point", "5.s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two points", "1.5.5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a comma", "1,5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a sign", "+5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a negative time", "-5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space before", " 5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space between", "5 s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "a space behind", "5s ", 0, UINT64_MAX, -EINVAL, 0 },
	{ "an unknown unit", "5w", 0, UINT64_MAX, -EINVAL, 0 },
	{ "upper case", "5S", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two times", "1h30m", 0, UINT64_MAX, -EINVAL, 0 },
	{ "an exponent", "1e3s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "hexadecimal", "0x5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "the lower limit", "50ms", 50 * MS, M, 0, 50 * MS },
	{ "just below the lower limit", "49.999999ms", 50 * MS, M, -EINVAL, 0 },
	{ "the upper limit", "60s", 50 * MS, M, 0, M },
	{ "just above the upper limit", "60.000000001s", 50 * MS, M, -EINVAL, 0 },
	{ "the largest of all", "18446744073.709551615s", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "one nanosecond above it", "18446744073.709551616s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows when multiplied by the unit", "213504d", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows in the digits", "18446744073709551616ms", 0, UINT64_MAX, -EINVAL, 0 },
	{ "overflows in the digits, to a small number", "184467440737095516160001ms", 0, UINT64_MAX,
	  -EINVAL, 0 },
};

static void test_duration_parse(void **state)
{
	const struct duration_case *c = *state;
	uint64_t untouched = 0xdeadbeef, got = untouched;
	struct error err = { 0 };

	assert_int_equal(duration_parse("--x", c->text, c->min_ns, c->max_ns, &got, &err), c->r);
	assert_int_equal(got, c->r ? untouched : c->want);
	assert_int_equal(err.exit_code, c->r ? EXIT_USAGE : 0);
}

static void test_duration_errors(void **state)
{
	struct error err = { 0 };
	uint64_t ns;

	(void)state;
	duration_parse("--tick", "5", 50 * MS, M, &ns, &err);
	assert_string_equal(err.text,
			    "--tick '5': a time needs a number and a unit (ms, s, m, h, d), 50ms "
			    "to 1m");
	duration_parse("--tick", "1h", 50 * MS, M, &ns, &err);
	assert_string_equal(err.text, "--tick '1h': a time from 50ms to 1m is accepted");
}

/* --- duration_format --- */

static const struct format_case {
	const char *name;
	uint64_t ns;
	const char *want;
} format_cases[] = {
	{ "nothing", 0, "0s" },
	{ "a nanosecond", 1, "0.000001ms" },
	{ "a millisecond", MS, "1ms" },
	{ "milliseconds stay whole", 100 * MS, "100ms" },
	{ "a second", S, "1s" },
	{ "a second and a half", 1500 * MS, "1.5s" },
	{ "a second and a nanosecond", S + 1, "1.000000001s" },
	{ "a minute and a half", 90 * S, "90s" },
	{ "five minutes", 5 * M, "5m" },
	{ "a day", D, "1d" },
	{ "a day and a half", 36 * H, "36h" },
	{ "a week", 7 * D, "7d" },
	{ "no unit but seconds tells it exactly", D + 1, "86400.000000001s" },
	{ "the largest of all", UINT64_MAX, "18446744073.709551615s" },
};

static void test_duration_format(void **state)
{
	const struct format_case *c = *state;
	uint64_t back;
	char buf[32];

	assert_string_equal(duration_format(c->ns, buf), c->want);
	assert_int_equal(duration_parse("--x", buf, 0, UINT64_MAX, &back, NULL), 0);
	assert_int_equal(back, c->ns);
}

static void test_duration_round_trip(void **state)
{
	uint64_t ns = 1, back;
	char buf[32];

	(void)state;
	for (int i = 0; i < 100000; i++) { /* any sequence over all magnitudes will do */
		ns = ns * 6364136223846793005ull + 1442695040888963407ull;
		duration_format(ns >> (i % 64), buf);
		assert_int_equal(duration_parse("--x", buf, 0, UINT64_MAX, &back, NULL), 0);
		assert_int_equal(back, ns >> (i % 64));
	}
}

/* --- count_parse --- */

static const struct count_case {
	const char *name, *text;
	uint32_t min, max;
	int r;
	uint32_t want;
} count_cases[] = {
	{ "nothing", "", 0, UINT32_MAX, -EINVAL, 0 },
	{ "zero", "0", 0, UINT32_MAX, 0, 0 },
	{ "the largest of 32 bits", "4294967295", 0, UINT32_MAX, 0, UINT32_MAX },
	{ "one above", "4294967296", 0, UINT32_MAX, -EINVAL, 0 },
	{ "ten times as much", "42949672950", 0, UINT32_MAX, -EINVAL, 0 },
	{ "the lower limit", "1024", 1024, 1048576, 0, 1024 },
	{ "below the lower limit", "1023", 1024, 1048576, -EINVAL, 0 },
	{ "hexadecimal", "0x400", 0, UINT32_MAX, -EINVAL, 0 },
	{ "a suffix", "64k", 0, UINT32_MAX, -EINVAL, 0 },
};

static void test_count_parse(void **state)
{
	const struct count_case *c = *state;
	uint32_t untouched = 0xdeadbeef, got = untouched;
	struct error err = { 0 };

	assert_int_equal(count_parse("--x", c->text, c->min, c->max, &got, &err), c->r);
	assert_int_equal(got, c->r ? untouched : c->want);
	assert_int_equal(err.exit_code, c->r ? EXIT_USAGE : 0);
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
	ADD_TABLE(duration_cases, test_duration_parse);
	add_test("a bad time is told with what is accepted", test_duration_errors, NULL);
	ADD_TABLE(format_cases, test_duration_format);
	add_test("every time reads back as it was", test_duration_round_trip, NULL);
	ADD_TABLE(count_cases, test_count_parse);
	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
