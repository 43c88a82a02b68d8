// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/net.c: addresses and networks as people write them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* --- addresses ------------------------------------------------------------------------------ */

static const struct addr_case {
	const char *name, *text;
	const char *want; /* as it is written back; NULL: refused */
	bool v4;
} addr_cases[] = {
	{ "an IPv4 address", "10.0.0.5", "10.0.0.5", true },
	{ "the lowest IPv4 address", "0.0.0.0", "0.0.0.0", true },
	{ "the highest IPv4 address", "255.255.255.255", "255.255.255.255", true },
	{ "an IPv4 address in IPv6 form is one", "::ffff:10.0.0.5", "10.0.0.5", true },
	{ "... in hexadecimal too", "::ffff:a00:5", "10.0.0.5", true },
	{ "an IPv6 address is shortened as RFC 5952 says", "2001:DB8:0:0:0:0:0:1", "2001:db8::1",
	  false },
	{ "the unspecified address", "::", "::", false },
	{ "an IPv6 address of full length", "2001:db8:1111:2222:3333:4444:5555:6666",
	  "2001:db8:1111:2222:3333:4444:5555:6666", false },
	{ "no address", "", NULL, false },
	{ "a number above 255", "300.1.1.1", NULL, false },
	{ "three numbers", "10.0.0", NULL, false },
	{ "five numbers", "10.0.0.0.1", NULL, false },
	{ "a space behind", "10.0.0.1 ", NULL, false },
	{ "a zone", "fe80::1%eth0", NULL, false },
	{ "a name", "localhost", NULL, false },
	{ "a network", "10.0.0.0/8", NULL, false },
};

static void test_addr(void **state)
{
	const struct addr_case *c = *state;
	struct ip_addr a = { { 1, 2 } };
	char text[NET_TEXT_MAX];

	if (!c->want) {
		assert_int_equal(addr_parse(c->text, &a), -EINVAL);
		assert_true(a.w[0] == 1 && a.w[1] == 2);
		return;
	}
	assert_int_equal(addr_parse(c->text, &a), 0);
	assert_int_equal(addr_is_v4(&a), c->v4);
	assert_string_equal(addr_format(&a, text), c->want);
}

/* --- networks ------------------------------------------------------------------------------- */

static const struct net_case {
	const char *name, *text;
	size_t n;
	const char *addr; /* of the last network */
	unsigned int bits;
} net_cases[] = {
	{ "an IPv4 network counts from bit 96", "10.0.0.0/8", 1, "10.0.0.0", 104 },
	{ "host bits are masked", "10.0.0.5/8", 1, "10.0.0.0", 104 },
	{ "host bits within a byte are masked", "172.31.255.255/12", 1, "172.16.0.0", 108 },
	{ "an address alone is a network of one", "192.0.2.1", 1, "192.0.2.1", 128 },
	{ "all of IPv4", "0.0.0.0/0", 1, "0.0.0.0", 96 },
	{ "an IPv4 network of one", "10.0.0.1/32", 1, "10.0.0.1", 128 },
	{ "an IPv6 network", "fd12::1/7", 1, "fc00::", 7 },
	{ "all of IPv6", "::/0", 1, "::", 0 },
	{ "an IPv6 address alone", "2001:db8::1", 1, "2001:db8::1", 128 },
	{ "the longest that can be written", "2001:db8:1111:2222:3333:4444:255.255.255.255/128", 1,
	  "2001:db8:1111:2222:3333:4444:ffff:ffff", 128 },
	{ "IPv4 in IPv6 form counts as it is written", "::ffff:10.1.1.1/104", 1, "10.0.0.0", 104 },
	{ "a list", "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7", 4, "fc00::", 7 },
};

static void test_net(void **state)
{
	const struct net_case *c = *state;
	const struct net *last;
	struct net_list list;
	char text[NET_TEXT_MAX];

	assert_int_equal(net_list_parse(c->text, &list, NULL), 0);
	assert_int_equal(list.n, c->n);
	last = &list.net[list.n - 1];
	assert_int_equal(last->bits, c->bits);
	assert_string_equal(addr_format(&last->addr, text), c->addr);
}

static const struct wrong_case {
	const char *name, *text;
	const char *says; /* part of the error */
} wrong_cases[] = {
	{ "nothing", "", "one of them is empty; write CIDR[,CIDR]..." },
	{ "a comma alone", ",", "networks ',': one of them is empty" },
	{ "a comma at the end", "10.0.0.0/8,", "networks '10.0.0.0/8,': one of them is empty" },
	{ "a comma too many", "10.0.0.0/8,,::1", "one of them is empty" },
	{ "a number above 255", "300.1.1.1/8", "'300.1.1.1/8' is not a network; write ADDRESS" },
	{ "half an address", "10/8", "'10/8' is not a network; write ADDRESS/LENGTH" },
	{ "the second of two is wrong", "::1,10/8", "'10/8' is not a network" },
	{ "a prefix beyond IPv4", "10.0.0.0/33",
	  "'10.0.0.0/33': the prefix length of an IPv4 "
	  "network is 0 to 32" },
	{ "a prefix beyond IPv6", "::/129",
	  "'::/129': the prefix length of an IPv6 network is 0 "
	  "to 128" },
	{ "no prefix behind the slash", "10.0.0.0/", "'10.0.0.0/': the prefix length" },
	{ "a prefix with a sign", "10.0.0.0/+8", "'10.0.0.0/+8': the prefix length" },
	{ "a prefix that would overflow", "10.0.0.0/4294967304", "'10.0.0.0/4294967304'" },
	{ "a mask", "10.0.0.0/255.0.0.0", "'10.0.0.0/255.0.0.0': the prefix length" },
	{ "two slashes", "10.0.0.0/8/8", "'10.0.0.0/8/8': the prefix length" },
	{ "a space", "10.0.0.0/8, ::1", "' ::1' is not a network" },
	{ "a text longer than any network",
	  "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", "is not a network" },
};

static void test_wrong(void **state)
{
	const struct wrong_case *c = *state;
	struct net_list list = { .n = 7 };
	struct error err = { .exit_code = EXIT_FINE };

	assert_int_equal(net_list_parse(c->text, &list, &err), -EINVAL);
	assert_int_equal(list.n, 7);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	if (!strstr(err.text, c->says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, c->says);
}

static void a_list_ends_at_its_limit(void **state)
{
	char text[(NETS_MAX + 1) * sizeof("10.0.0.0/8,")] = "";
	struct net_list list = { .n = 0 };
	struct error err;

	(void)state;
	for (int i = 0; i < NETS_MAX; i++)
		strcat(text, i ? ",10.0.0.0/8" : "10.0.0.0/8");
	assert_int_equal(net_list_parse(text, &list, &err), 0);
	assert_int_equal(list.n, NETS_MAX);

	list.n = 0;
	strcat(text, ",10.0.0.1");
	assert_int_equal(net_list_parse(text, &list, &err), -E2BIG);
	assert_int_equal(list.n, 0);
	assert_int_equal(err.exit_code, EXIT_USAGE);
	assert_non_null(strstr(err.text, "'10.0.0.1'"));
	assert_non_null(strstr(err.text, "64"));
}

/* --- membership ----------------------------------------------------------------------------- */

static const struct has_case {
	const char *name, *nets, *addr;
	bool want;
} has_cases[] = {
	{ "the first address", "172.16.0.0/12", "172.16.0.0", true },
	{ "the last address", "172.16.0.0/12", "172.31.255.255", true },
	{ "one below", "172.16.0.0/12", "172.15.255.255", false },
	{ "one above", "172.16.0.0/12", "172.32.0.0", false },
	{ "host bits of the network do not matter", "10.9.9.9/8", "10.0.0.1", true },
	{ "the second network of a list", "10.0.0.0/8,fc00::/7", "fd00::1", true },
	{ "outside an IPv6 network", "fc00::/7", "fe00::1", false },
	{ "a network of one has its address", "192.0.2.1", "192.0.2.1", true },
	{ "a network of one has no other", "192.0.2.1", "192.0.2.2", false },
	{ "all of IPv4 has IPv4", "0.0.0.0/0", "8.8.8.8", true },
	{ "all of IPv4 has no IPv6", "0.0.0.0/0", "2001:db8::1", false },
	{ "all of IPv6 has IPv6", "::/0", "2001:db8::1", true },
	{ "all of IPv6 has no IPv4", "::/0", "10.0.0.1", false },
	{ "IPv4 in IPv6 form", "::ffff:10.0.0.0/104", "10.1.2.3", true },
};

static void test_has(void **state)
{
	const struct has_case *c = *state;
	struct net_list list;
	struct ip_addr addr;

	assert_int_equal(net_list_parse(c->nets, &list, NULL), 0);
	assert_int_equal(addr_parse(c->addr, &addr), 0);
	assert_int_equal(net_list_has(&list, &addr), c->want);
}

static void an_empty_list_has_nothing(void **state)
{
	struct net_list list = { .n = 0 };
	struct ip_addr addr = { { 0, 0 } };

	(void)state;
	assert_false(net_list_has(&list, &addr));
}

static void protocols_have_the_names_of_iana(void **state)
{
	(void)state;
	assert_string_equal(proto_name(0), "any");
	assert_string_equal(proto_name(1), "icmp");
	assert_string_equal(proto_name(6), "tcp");
	assert_string_equal(proto_name(17), "udp");
	assert_string_equal(proto_name(58), "ipv6-icmp");
	assert_string_equal(proto_name(132), "sctp");
	assert_string_equal(proto_name(255), "ip-proto");
	assert_string_equal(proto_name(47), "other");
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
		cmocka_unit_test(a_list_ends_at_its_limit),
		cmocka_unit_test(an_empty_list_has_nothing),
		cmocka_unit_test(protocols_have_the_names_of_iana),
	};
	int failed = 0;

	ROW_TESTS(addr, addr_cases, test_addr);
	ROW_TESTS(net, net_cases, test_net);
	ROW_TESTS(wrong, wrong_cases, test_wrong);
	ROW_TESTS(has, has_cases, test_has);
	failed += cmocka_run_group_tests_name("addr_parse, addr_format", addr, NULL, NULL);
	failed += cmocka_run_group_tests_name("net_list_parse", net, NULL, NULL);
	failed += cmocka_run_group_tests_name("net_list_parse: errors", wrong, NULL, NULL);
	failed += cmocka_run_group_tests_name("net_list_has", has, NULL, NULL);
	failed += cmocka_run_group_tests_name("net", tests, NULL, NULL);
	return failed != 0;
}
