// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/listen_address.c: where one may listen, as it is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "listen_address.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *text, *want; /* NULL: refused */
} cases[] = {
	{ "127.0.0.1:9765", "127.0.0.1 9765" },
	{ "0.0.0.0:1", "0.0.0.0 1" },
	{ "[::1]:65535", "::1 65535" },
	{ "[::]:80", ":: 80" },
	{ "[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4 80" },
	{ "127.0.0.1:0", NULL },
	{ "127.0.0.1:65536", NULL },
	{ "127.0.0.1:", NULL },
	{ "127.0.0.1", NULL },
	{ ":9765", NULL },
	{ "9765", NULL },
	{ "localhost:9765", NULL },
	{ "::1:9765", NULL },
	{ "[::1]", NULL },
	{ "[::1:9765", NULL },
	{ "[]:9765", NULL },
	{ "[127.0.0.1]:9765", NULL },
	{ "127.0.0.1:97 ", NULL },
	{ "[fe80::1%eth0]:80", NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:80", NULL },
	{ "", NULL },
	{ ":", NULL },
	{ "[", NULL },
	{ "]:1", NULL },
};

static void test_parse(void **state)
{
	size_t i = (size_t)(uintptr_t)*state;
	char addr[INET6_ADDRSTRLEN], got[80];
	struct listen_address a;
	struct error err;
	int r = listen_address_parse("metrics", cases[i].text, &a, &err);

	assert_int_equal(r < 0, !cases[i].want);
	if (r < 0)
		return;
	if (a.any.ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a.any;

		assert_int_equal(a.len, sizeof(*in));
		inet_ntop(AF_INET, &in->sin_addr, addr, sizeof(addr));
		snprintf(got, sizeof(got), "%s %u", addr, ntohs(in->sin_port));
	} else {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&a.any;

		assert_int_equal(a.len, sizeof(*in));
		inet_ntop(AF_INET6, &in->sin6_addr, addr, sizeof(addr));
		snprintf(got, sizeof(got), "%s %u", addr, ntohs(in->sin6_port));
	}
	assert_string_equal(got, cases[i].want);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(cases)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		tests[i] = (struct CMUnitTest){ .name = cases[i].text,
						.test_func = test_parse,
						.initial_state = (void *)(uintptr_t)i };
	return cmocka_run_group_tests_name("listen_address", tests, NULL, NULL);
}
