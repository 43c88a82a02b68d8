// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What the allow-list lets be, and what it says of itself. */
#include "allow.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define DAY (24 * 3600)

/* --- matching --- */

static const struct allow_owner checker = {
	.process = "check_tcp",
	.executable = "/usr/lib/nagios/check_tcp",
	.container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.pod = "5d1c-17",
	.runtime = "containerd",
	.pod_name = "monitoring/prober-7d9f",
};

static const struct match_case {
	const char *name, *entry; /* without the comment */
	const char *orig, *resp;
	uint16_t port;
	uint8_t proto; /* 0: TCP */
	const struct allow_owner *owner;
	bool want;
} match_cases[] = {
	{ "an address", "originator=10.0.0.5", "10.0.0.5", "10.0.0.9", 22, 0, NULL, true },
	{ "another address", "originator=10.0.0.5", "10.0.0.6", "10.0.0.9", 22, 0, NULL, false },
	{ "the originator is not the responder", "originator=10.0.0.5", "10.0.0.9", "10.0.0.5", 22,
	  0, NULL, false },
	{ "a network", "originator=10.0.0.0/24", "10.0.0.255", "10.0.1.9", 22, 0, NULL, true },
	{ "just outside of it", "originator=10.0.0.0/24", "10.0.1.0", "10.0.1.9", 22, 0, NULL,
	  false },
	{ "the second of two networks", "originator=10.0.0.5+fd00::/8", "fd00::1", "fd00::2", 22, 0,
	  NULL, true },
	{ "a responder", "responder=10.0.0.9", "192.0.2.1", "10.0.0.9", 22, 0, NULL, true },
	{ "all that is given must fit: it does", "originator=10.0.0.5,responder=10.0.0.9,ports=22",
	  "10.0.0.5", "10.0.0.9", 22, 0, NULL, true },
	{ "all that is given must fit: the port does not",
	  "originator=10.0.0.5,responder=10.0.0.9,ports=22", "10.0.0.5", "10.0.0.9", 23, 0, NULL,
	  false },
	{ "`port` is `ports`", "port=9100", "10.0.0.5", "10.0.0.9", 9100, 0, NULL, true },
	{ "a range and a port", "ports=22+9000-9100", "10.0.0.5", "10.0.0.9", 9000, 0, NULL, true },
	{ "between a port and a range", "ports=22+9000-9100", "10.0.0.5", "10.0.0.9", 8999, 0, NULL,
	  false },
	{ "a protocol", "ports=53,protocol=udp", "10.0.0.5", "10.0.0.9", 53, PROTO_UDP, NULL,
	  true },
	{ "another protocol", "ports=53,protocol=udp", "10.0.0.5", "10.0.0.9", 53, 0, NULL, false },
	{ "a process", "process=check_*", "10.0.0.5", "10.0.0.9", 22, 0, &checker, true },
	{ "a process, and nobody knows who it was", "process=check_*", "10.0.0.5", "10.0.0.9", 22,
	  0, NULL, false },
	{ "another process", "process=nmap", "10.0.0.5", "10.0.0.9", 22, 0, &checker, false },
	{ "an executable", "executable=/usr/lib/nagios/*", "10.0.0.5", "10.0.0.9", 22, 0, &checker,
	  true },
	{ "a container by its first twelve digits", "container=0123456789ab", "10.0.0.5",
	  "10.0.0.9", 22, 0, &checker, true },
	{ "fewer digits are no container", "container=0123456789a", "10.0.0.5", "10.0.0.9", 22, 0,
	  &checker, false },
	{ "a pod and its runtime", "pod=5d1c-*,runtime=containerd", "10.0.0.5", "10.0.0.9", 22, 0,
	  &checker, true },
	{ "a pod by its namespace", "pod=monitoring/*", "10.0.0.5", "10.0.0.9", 22, 0, &checker,
	  true },
	{ "a pod of another namespace", "pod=shop/*", "10.0.0.5", "10.0.0.9", 22, 0, &checker,
	  false },
	{ "a pod of another runtime", "pod=5d1c-*,runtime=docker", "10.0.0.5", "10.0.0.9", 22, 0,
	  &checker, false },
};

static struct contact_key key_of(const char *orig, const char *resp, uint16_t port, uint8_t proto)
{
	struct contact_key key = { .resp_port = htons(port), .proto = proto ? proto : PROTO_TCP };

	assert_int_equal(addr_parse(orig, &key.orig), 0);
	assert_int_equal(addr_parse(resp, &key.resp), 0);
	return key;
}

static struct allow *list_of(const char *entry)
{
	struct allow *list = NULL;
	struct error err = { 0 };
	char text[256];

	snprintf(text, sizeof(text), "%s,comment=a test, no more", entry);
	if (allow_parse(text, &list, &err) < 0)
		fail_msg("%s", err.text);
	return list;
}

static void test_match(void **state)
{
	const struct match_case *c = *state;
	struct contact_key key = key_of(c->orig, c->resp, c->port, c->proto);
	const struct contact contact = { .silent = 3, .carried = 2 };
	struct allow *list = list_of(c->entry);
	const struct allow_entry *entry = allow_entry(list, 0);

	assert_string_equal(entry->comment, "a test, no more");
	assert_int_equal(allow_match(list, &key, &contact, c->owner, 0), c->want ? UINT32_MAX : 0);
	assert_int_equal(entry->contacts, c->want);
	assert_int_equal(entry->attempts, c->want ? 5 : 0);
	assert_int_equal(entry->silent, c->want ? 3 : 0);
	assert_int_equal(allow_wants_owner(list), c->owner != NULL || strstr(c->entry, "process"));
	allow_free(list);
}

static void test_first_counts(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22, 0);
	const struct contact contact = { .silent = 1 };
	struct allow *list = list_of("ports=22");

	(void)state;
	assert_int_equal(allow_parse("ports=1-100,comment=more", &list, NULL), 0);
	assert_true(allow_match(list, &key, &contact, NULL, 0));
	key.resp_port = htons(23);
	assert_true(allow_match(list, &key, &contact, NULL, 0));
	assert_int_equal(allow_entry(list, 0)->contacts, 1);
	assert_int_equal(allow_entry(list, 1)->contacts, 1);
	allow_free(list);
}

/* Entries for some rules let be what each of them says; one for all comes first. */
static void test_rules(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22, 0);
	const struct contact contact = { .silent = 1 };
	struct allow *list = list_of("ports=22,rules=sweep+slow-scan");
	struct rule_set rules;
	struct error err = { 0 };
	uint32_t bits = 0;

	(void)state;
	rules_builtin(PROFILE_DEFAULT, &rules);
	assert_int_equal(allow_parse("originator=10.0.0.5,rules=port-scan,comment=c", &list, NULL),
			 0);
	assert_int_equal(allow_resolve(list, &rules, &err), 0);
	for (uint32_t i = 0; i < rules.n; i++)
		if (strcmp(rules.rule[i].name, "basic-scanning") != 0)
			bits |= (!strcmp(rules.rule[i].name, "sweep") ||
				 !strcmp(rules.rule[i].name, "slow-scan") ||
				 !strcmp(rules.rule[i].name, "port-scan"))
				<< i;
	assert_int_equal(allow_match(list, &key, &contact, NULL, 0), bits);
	assert_int_equal(allow_entry(list, 0)->silent, 1);
	assert_int_equal(allow_entry(list, 1)->silent, 1);
	assert_int_equal(allow_parse("responder=10.0.0.9,comment=all", &list, NULL), 0);
	assert_int_equal(allow_match(list, &key, &contact, NULL, 0), UINT32_MAX);
	assert_int_equal(allow_entry(list, 0)->silent, 1);
	assert_int_equal(allow_parse("ports=1,rules=no-such,comment=c", &list, NULL), 0);
	assert_int_equal(allow_resolve(list, &rules, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no-such"));
	allow_free(list);
	list = NULL;
	assert_int_equal(allow_parse("rules=sweep,comment=c", &list, &err), -EINVAL);
	assert_non_null(strstr(err.text, "everything"));
}

static void test_no_list(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22, 0);
	const struct contact contact = { .silent = 1 };

	(void)state;
	assert_false(allow_match(NULL, &key, &contact, NULL, 0));
	assert_int_equal(allow_count(NULL), 0);
	assert_false(allow_wants_owner(NULL));
	allow_free(NULL);
}

static void count_call(void *ctx, const struct allow_entry *entry)
{
	char day[16];

	assert_string_equal(allow_date(entry, day), "1970-01-11");
	(*(int *)ctx)++;
}

static void test_expiry(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22, 0);
	const struct contact contact = { .silent = 1 };
	struct allow *list = list_of("ports=22,expires=1970-01-11");
	int calls = 0;

	(void)state;
	assert_true(allow_match(list, &key, &contact, NULL, 11 * DAY - 1)); /* that day too */
	allow_expired(list, 11 * DAY - 1, count_call, &calls);
	assert_int_equal(calls, 0);
	assert_false(allow_match(list, &key, &contact, NULL, 11 * DAY));
	allow_expired(list, 11 * DAY, count_call, &calls);
	allow_expired(list, 12 * DAY, count_call, &calls);
	assert_int_equal(calls, 1);
	allow_free(list);
}

static void test_carry(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22, 0);
	const struct contact contact = { .silent = 7 };
	struct allow *old = list_of("originator=10.0.0.5+10.0.0.6,ports=22");
	struct allow *list = list_of("ports=22");

	(void)state;
	assert_true(allow_match(old, &key, &contact, NULL, 0));
	assert_int_equal(allow_parse("ports=22,originator=10.0.0.5+10.0.0.6,comment=other words",
				     &list, NULL),
			 0);
	allow_carry(list, old);
	assert_int_equal(allow_entry(list, 0)->silent, 0);
	assert_int_equal(allow_entry(list, 1)->silent, 7);
	assert_int_equal(allow_entry(list, 1)->contacts, 1);
	allow_free(old);
	allow_free(list);
}

/* --- text --- */

static const struct text_case {
	const char *name, *entry, *want;
} text_cases[] = {
	{ "an address and a port", "port=9100,originator=10.0.0.5",
	  "originator=10.0.0.5/32 ports=9100" },
	{ "lists", "ports=22+80-90,responder=10.0.0.0/8+fd00::/8,protocol=tcp",
	  "responder=10.0.0.0/8+fd00::/8 ports=22+80-90 protocol=tcp" },
	{ "an end is not part of it", "ports=1,expires=2027-01-31", "ports=1" },
};

static void test_text(void **state)
{
	const struct text_case *c = *state;
	struct allow *list = list_of(c->entry);
	char buf[256], cut[12];

	assert_string_equal(allow_text(allow_entry(list, 0), buf, sizeof(buf)), c->want);
	allow_text(allow_entry(list, 0), cut, sizeof(cut));
	assert_memory_equal(cut, c->want, strlen(cut));
	allow_free(list);
}

/* --- what is refused --- */

#define SYNTAX                                                                                     \
	": KEY=VALUE[,KEY=VALUE]... is accepted, as in "                                           \
	"originator=10.0.0.5,ports=9100,comment=node exporter"

static const struct bad_case {
	const char *name, *text, *want;
} bad_cases[] = {
	{ "nothing", "", "''" SYNTAX },
	{ "a word", "10.0.0.5", "'10.0.0.5'" SYNTAX },
	{ "a comma too many", "ports=22,,comment=x", "''" SYNTAX },
	{ "everything", "comment=x",
	  "it would let everything be: originator, responder, ports or who it is, one of them is "
	  "needed" },
	{ "everything of a protocol", "protocol=tcp,comment=x",
	  "it would let everything be: originator, responder, ports or who it is, one of them is "
	  "needed" },
	{ "no reason", "ports=22", "`comment` is missing: say why, for who reads its counter" },
	{ "an empty reason", "ports=22,comment=", "comment '': 1 to 120 bytes are accepted" },
	{ "a reason that is not UTF-8", "ports=22,comment=\xc3",
	  "comment: control characters, or not UTF-8" },
	{ "an unknown key", "orig=10.0.0.5,comment=x",
	  "no field 'orig': fields are originator, responder, ports, protocol, process, "
	  "executable, "
	  "container, pod, runtime, rules, expires, comment" },
	{ "a network that is none", "originator=10.0.0.0/33,comment=x",
	  "originator: network '10.0.0.0/33': the prefix length of an IPv4 network is 0 to 32" },
	{ "a port that is none", "ports=22+x,comment=x",
	  "ports 'x': a port from 0 to 65535 or a range like 8000-8010 is accepted" },
	{ "a protocol that is none", "ports=22,protocol=TCP,comment=x",
	  "protocol 'TCP': accepted are tcp, udp, sctp, icmp, ipv6-icmp" },
	{ "a day that is none", "ports=22,expires=2027-02-29,comment=x",
	  "expires '2027-02-29': a day is accepted, the last on which it holds, as in 2027-01-31" },
	{ "a day as others write it", "ports=22,expires=31.1.2027,comment=x",
	  "expires '31.1.2027': a day is accepted, the last on which it holds, as in 2027-01-31" },
	{ "a day and more", "ports=22,expires=2027-01-31T00:00:00Z,comment=x",
	  "expires '2027-01-31T00:00:00Z': a day is accepted, the last on which it holds, as in "
	  "2027-01-31" },
};

static void test_bad(void **state)
{
	const struct bad_case *c = *state;
	struct allow *list = NULL;
	struct error err = { 0 };

	assert_int_equal(allow_parse(c->text, &list, &err), -EINVAL);
	assert_string_equal(err.text, c->want);
	assert_null(list);
}

static void test_full(void **state)
{
	struct allow *list = NULL;
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i < ALLOW_MAX; i++)
		assert_int_equal(allow_parse("ports=22,comment=x", &list, &err), 0);
	assert_int_equal(allow_parse("ports=22,comment=x", &list, &err), -EINVAL);
	assert_string_equal(err.text,
			    "more than 256 entries; one may have many networks and ports");
	assert_int_equal(allow_count(list), ALLOW_MAX);
	allow_free(list);
}

static struct CMUnitTest tests[128];
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
	ADD_TABLE(match_cases, test_match);
	add_test("of two entries that match the first counts", test_first_counts, NULL);
	add_test("entries for some rules", test_rules, NULL);
	add_test("no list lets nothing be", test_no_list, NULL);
	add_test("an entry holds through its last day and says once that it is over", test_expiry,
		 NULL);
	add_test("counters go over to an entry that matches the same", test_carry, NULL);
	ADD_TABLE(text_cases, test_text);
	ADD_TABLE(bad_cases, test_bad);
	add_test("256 entries are accepted, 257 are not", test_full, NULL);
	return cmocka_run_group_tests_name("allow", tests, NULL, NULL);
}
