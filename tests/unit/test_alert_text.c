// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/alert_text.c: what an alert means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alert.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S      1000000000ull

/* --- techniques ----------------------------------------------------------------------------- */

static const struct technique_case {
	const char *name;
	uint8_t proto;
	uint32_t bits;
	const char *want;
} technique_cases[] = {
	{ "handshakes left half open", PROTO_TCP, CONTACT_OPEN | CONTACT_SYN, "syn" },
	{ "completed handshakes", PROTO_TCP, CONTACT_OPEN | CONTACT_CONNECT, "connect" },
	{ "both", PROTO_TCP, CONTACT_OPEN | CONTACT_SYN | CONTACT_CONNECT, "syn connect" },
	{ "closed TCP ports only", PROTO_TCP, CONTACT_CLOSED, "syn" },
	{ "silent TCP ports only", PROTO_TCP, CONTACT_NONE, "syn" },
	{ "connections that carried payload", PROTO_TCP, CONTACT_PAYLOAD, "connect" },
	{ "fragments are a way to send a SYN", PROTO_TCP, CONTACT_NONE | CONTACT_FRAGMENT,
	  "syn fragment" },
	{ "fragments of completed handshakes", PROTO_TCP, CONTACT_CONNECT | CONTACT_FRAGMENT,
	  "connect fragment" },
	{ "UDP", PROTO_UDP, CONTACT_NONE | CONTACT_UDP, "udp" },
	{ "closed UDP ports only", PROTO_UDP, CONTACT_CLOSED, "udp" },
	{ "flags that no stack sends", PROTO_TCP,
	  CONTACT_CLOSED | CONTACT_FIN | CONTACT_NULL | CONTACT_XMAS | CONTACT_FLAGS,
	  "fin null xmas flags" },
	{ "probes told by the RST", PROTO_TCP,
	  CONTACT_CLOSED | CONTACT_ACK | CONTACT_MAIMON | CONTACT_SYN_ACK, "ack maimon syn-ack" },
	{ "half open, and FIN", PROTO_TCP, CONTACT_OPEN | CONTACT_SYN | CONTACT_FIN, "syn fin" },
	{ "SCTP COOKIE ECHO", PROTO_SCTP, CONTACT_NONE | CONTACT_COOKIE, "sctp-cookie" },
	{ "IP protocols", PROTO_ANY, CONTACT_CLOSED, "ip-proto" },
	{ "any protocol: NULL and UDP", 0, CONTACT_CLOSED | CONTACT_NULL | CONTACT_UDP,
	  "null udp" },
	{ "SCTP", PROTO_SCTP, CONTACT_NONE, "sctp-init" },
	{ "ICMP", PROTO_ICMP, CONTACT_NONE, "icmp" },
	{ "ICMPv6", PROTO_ICMPV6, CONTACT_NONE, "icmp" },
	{ "any protocol: closed ports only", 0, CONTACT_CLOSED, "syn" },
	{ "any protocol: connections that carried payload", 0, CONTACT_PAYLOAD, "connect" },
	{ "any protocol: UDP only", 0, CONTACT_CLOSED | CONTACT_UDP, "udp" },
	{ "any protocol: TCP and UDP", 0, CONTACT_OPEN | CONTACT_SYN | CONTACT_UDP, "syn udp" },
	{ "a protocol without techniques", 47, CONTACT_NONE, "" },
	{ "all that bits can say", PROTO_TCP, 0xffffff,
	  "syn connect fin null xmas flags ack maimon syn-ack sctp-cookie fragment udp" },
};

static void test_techniques(void **state)
{
	const struct technique_case *c = *state;
	struct alert a = { .proto = c->proto, .bits = c->bits };
	const char *technique[ALERT_TECHNIQUES_MAX];
	unsigned int n = alert_techniques(&a, technique);
	char got[128] = "";

	assert_true(n <= ALERT_TECHNIQUES_MAX);
	for (unsigned int i = 0; i < n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, technique[i]);
	}
	assert_string_equal(got, c->want);
}

/* --- severity ------------------------------------------------------------------------------- */

static const struct severity_case {
	const char *name;
	uint32_t bits;
	bool internal;
	uint32_t count;
	int want;
	uint8_t rule;
} severity_cases[] = {
	{ "from outside, nothing open", CONTACT_CLOSED, false, 3, 4, 0 },
	{ "from outside, something open", CONTACT_CLOSED | CONTACT_OPEN, false, 3, 5, 0 },
	{ "from inside, nothing open", CONTACT_NONE, true, 3, 6, 0 },
	{ "99 distinct values are few", CONTACT_NONE, false, 99, 4, 0 },
	{ "100 distinct values are many", CONTACT_NONE, false, 100, 5, 0 },
	{ "all of it", CONTACT_OPEN, true, 65536, 8, 0 },
	{ "what no program sends", CONTACT_CLOSED | CONTACT_XMAS, false, 3, 5, 0 },
	{ "a rule that says so itself", CONTACT_OPEN, true, 65536, 2, 2 },
	{ "a rule that says ten", CONTACT_CLOSED, false, 3, 10, 10 },
};

static void test_severity(void **state)
{
	const struct severity_case *c = *state;
	const struct rule rule = { .severity = c->rule };
	struct alert a = {
		.rule = &rule, .bits = c->bits, .orig_internal = c->internal, .count = c->count
	};

	assert_int_equal(alert_severity(&a), c->want);
}

static void an_incident_with_many_responders_is_worse(void **state)
{
	const struct rule rule = { .severity = 0 };
	struct alert a = { .rule = &rule, .incident_hosts = ALERT_HOSTS_MANY - 1 };

	(void)state;
	assert_int_equal(alert_severity(&a), 4);
	a.incident_hosts++;
	assert_int_equal(alert_severity(&a), 5);
	/* All there is. */
	a.bits = CONTACT_OPEN | CONTACT_FIN;
	a.orig_internal = true;
	a.count = 100;
	assert_int_equal(alert_severity(&a), 10);
}

static void a_port_that_took_payload_is_open_too(void **state)
{
	const struct rule rule = { .severity = 0 };
	struct alert a = { .rule = &rule, .bits = CONTACT_PAYLOAD, .ports = portset_new() };

	(void)state;
	portset_add(a.ports, 22, ANSWER_CLOSED);
	assert_int_equal(alert_severity(&a), 4);
	portset_add(a.ports, 80, ANSWER_OPEN);
	assert_int_equal(alert_severity(&a), 5);
	portset_free(a.ports);
}

/* --- rate ----------------------------------------------------------------------------------- */

static const struct rate_case {
	const char *name;
	uint64_t attempts, first_ns, last_ns;
	double want;
} rate_cases[] = {
	{ "a hundred in half a second", 100, 7 * NS_PER_S, 7 * NS_PER_S + NS_PER_S / 2, 200 },
	{ "one in ten seconds, twelve times", 12, 0, 120 * NS_PER_S, 0.1 },
	{ "no time at all", 3, 5, 5, 0 },
	{ "times in the wrong order", 3, 6, 5, 0 },
	{ "a nanosecond", 3, 5, 6, 3e9 },
};

static void test_rate(void **state)
{
	const struct rate_case *c = *state;
	struct alert a = { .attempts = c->attempts,
			   .first_ns = c->first_ns,
			   .last_ns = c->last_ns };

	assert_float_equal(alert_rate(&a), c->want, 1e-6);
}

/* --- the rest ------------------------------------------------------------------------------- */

static void attack_depends_on_where_the_originator_is(void **state)
{
	const struct rule rule = { .attack_internal = { .technique_id = "T1046" },
				   .attack_external = { .technique_id = "T1595" } };
	struct alert a = { .rule = &rule, .orig_internal = true };

	(void)state;
	assert_string_equal(alert_attack(&a)->technique_id, "T1046");
	a.orig_internal = false;
	assert_string_equal(alert_attack(&a)->technique_id, "T1595");
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(alert_state_name(ALERT_OPEN), "open");
	assert_string_equal(alert_state_name(ALERT_UPDATE), "update");
	assert_string_equal(alert_state_name(ALERT_CLOSE), "close");
}

#define ROW_TESTS(tests, cases, func)                                                              \
	struct CMUnitTest tests[ARRAY_SIZE(cases)];                                                \
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)                                             \
		tests[i] = (struct CMUnitTest)                                                     \
		{                                                                                  \
			.name = (cases)[i].name, .test_func = (func),                              \
			.initial_state = (void *)&(cases)[i]                                       \
		}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_incident_with_many_responders_is_worse),
		cmocka_unit_test(a_port_that_took_payload_is_open_too),
		cmocka_unit_test(attack_depends_on_where_the_originator_is),
		cmocka_unit_test(states_have_names),
	};
	int failed = 0;

	ROW_TESTS(technique, technique_cases, test_techniques);
	ROW_TESTS(severity, severity_cases, test_severity);
	ROW_TESTS(rate, rate_cases, test_rate);
	failed += cmocka_run_group_tests_name("alert_techniques", technique, NULL, NULL);
	failed += cmocka_run_group_tests_name("alert_severity", severity, NULL, NULL);
	failed += cmocka_run_group_tests_name("alert_rate", rate, NULL, NULL);
	failed += cmocka_run_group_tests_name("alert_text", tests, NULL, NULL);
	return failed != 0;
}
