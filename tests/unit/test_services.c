// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/services.c: names of ports. */
#include <reconmon/packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	uint16_t port;
	const char *proto;
} lines[] = {
	{ "ssh", 22, "tcp" },
	{ "http", 80, "tcp" },
	{ "www", 80, "tcp" },
	{ "domain", 53, "tcp" },
	{ "domain-udp", 53, "udp" },
	{ "last", 65535, "tcp" },
	{ "first", 0, "tcp" },
	{ "rtmp", 1, "ddp" },
	{ "m3ua", 2905, "sctp" },
	{ "a,b", 1000, "tcp" },
	{ "a/b", 1001, "tcp" },
	{ "a b", 1002, "tcp" },
	{ "a\033[2J", 1003, "tcp" },
	{ "\xc3\xbc", 1004, "tcp" },
	{ "", 1005, "tcp" },
	{ "a23456789-b23456789-c23", 1006, "tcp" },
	{ "a23456789-b23456789-c234", 1007, "tcp" },
};

static const struct name_case {
	const char *name;
	uint8_t proto;
	uint16_t port;
	const char *want; /* NULL: unknown */
} cases[] = {
	{ "a port", PROTO_TCP, 22, "ssh" },
	{ "the first name of a port is its name", PROTO_TCP, 80, "http" },
	{ "a port without a name", PROTO_TCP, 23, NULL },
	{ "each protocol has names of its own: tcp", PROTO_TCP, 53, "domain" },
	{ "each protocol has names of its own: udp", PROTO_UDP, 53, "domain-udp" },
	{ "each protocol has names of its own: sctp", PROTO_SCTP, 2905, "m3ua" },
	{ "what is named in another protocol only", PROTO_UDP, 22, NULL },
	{ "the last port", PROTO_TCP, 65535, "last" },
	{ "the first port", PROTO_TCP, 0, "first" },
	{ "protocols without ports: any", 0, 22, NULL },
	{ "protocols without ports: icmp", PROTO_ICMP, 0, NULL },
	{ "protocols without ports: ip-proto", PROTO_ANY, 22, NULL },
	{ "a protocol we do not follow", PROTO_TCP, 1, NULL },
	{ "no word of a list: a comma", PROTO_TCP, 1000, NULL },
	{ "no word of a list: a slash", PROTO_TCP, 1001, NULL },
	{ "no word of a list: a blank", PROTO_TCP, 1002, NULL },
	{ "no word of a list: an escape sequence", PROTO_TCP, 1003, NULL },
	{ "no word of a list: other than ASCII", PROTO_TCP, 1004, NULL },
	{ "no word of a list: empty", PROTO_TCP, 1005, NULL },
	{ "as long as a name may be", PROTO_TCP, 1006, "a23456789-b23456789-c23" },
	{ "a byte longer", PROTO_TCP, 1007, NULL },
};

static void test_name(void **state)
{
	const struct name_case *c = *state;
	struct services *s = services_new();
	const char *got;

	assert_non_null(s);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(services_add(s, lines[i].name, lines[i].port, lines[i].proto), 0);
	got = services_name(s, c->proto, c->port);
	if (c->want)
		assert_string_equal(got, c->want);
	else
		assert_null(got);
	services_free(s);
}

static void without_a_table_nothing_has_a_name(void **state)
{
	struct services *s = services_new();

	(void)state;
	assert_null(services_name(NULL, PROTO_TCP, 22));
	assert_non_null(s);
	assert_null(services_name(s, PROTO_TCP, 22));
	services_free(s);
	services_free(NULL);
}

static void every_port_may_have_one(void **state)
{
	struct services *s = services_new();
	char name[16];

	(void)state;
	assert_non_null(s);
	for (unsigned int port = 65536; port--;) { /* backwards: each goes in front */
		snprintf(name, sizeof(name), "p%u", port);
		if (port % 16 == 3)
			assert_int_equal(services_add(s, name, (uint16_t)port, "udp"), 0);
	}
	for (unsigned int port = 0; port < 65536; port++) {
		snprintf(name, sizeof(name), "p%u", port);
		if (port % 16 == 3)
			assert_string_equal(services_name(s, PROTO_UDP, (uint16_t)port), name);
		else
			assert_null(services_name(s, PROTO_UDP, (uint16_t)port));
	}
	services_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_table_nothing_has_a_name),
		cmocka_unit_test(every_port_may_have_one),
	};
	struct CMUnitTest names[ARRAY_SIZE(cases)];
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		names[i] = (struct CMUnitTest){ .name = cases[i].name,
						.test_func = test_name,
						.initial_state = (void *)&cases[i] };
	failed = cmocka_run_group_tests_name("services_name", names, NULL, NULL);
	failed += cmocka_run_group_tests_name("services", tests, NULL, NULL);
	return failed != 0;
}
