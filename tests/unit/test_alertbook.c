// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/alertbook.c: which responders an open alert lists, however they come and go. What alerts say
 * and when is tested through the engine (test_engine.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alertbook.h"

enum {
	HOSTS = 6000, /* addresses in play: more than an alert lists */
	STEPS = 200000,
};

static const struct rule sweep = {
	.name = "sweep",
	.distinct = FIELD_RESP,
	.group = FIELD_ORIG,
	.threshold = 2,
	.window_ns = 1000,
};

static void say_nothing(void *ctx, struct alert *a, enum alert_state state)
{
	(void)ctx;
	(void)a;
	(void)state;
}

/* Half of them IPv4 in one network, the others IPv6 that differ at both ends. */
static struct ip_addr addr_of(uint32_t n)
{
	if (n & 1)
		return (struct ip_addr){ { 0, (uint64_t)htonl(0x0a000000 + n) << 32 |
						      IP_ADDR_V4_PREFIX } };
	return (struct ip_addr){ { 0xfd | (uint64_t)n << 40, (uint64_t)n << 32 | 1 } };
}

static uint32_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 16);
}

/* The alert's list holds what the model does, with its answers, each host once. */
static void check_list(const struct alert *a, const uint16_t *bits, uint32_t n)
{
	uint32_t found = 0;

	assert_int_equal(a->n_hosts, n);
	for (uint32_t h = 0; h < HOSTS; h++) {
		struct ip_addr addr = addr_of(h);
		uint32_t times = 0;

		for (uint32_t i = 0; bits[h] && i < a->n_hosts; i++) {
			if (!addr_same(&a->hosts[i].addr, &addr))
				continue;
			times++;
			assert_int_equal(a->hosts[i].answer,
					 bits[h] & CONTACT_OPEN ? ANSWER_OPEN : ANSWER_NONE);
		}
		assert_true(times == !!bits[h]);
		found += times;
	}
	assert_int_equal(found, n);
}

/* Hosts are added, shown again and taken back at random; `most` addresses are in play. */
static void come_and_go(uint32_t most)
{
	struct alertbook *b = alertbook_new(4, say_nothing, NULL);
	struct group_key key = { .orig = { { 0, 1 } } };
	struct alert *a = alertbook_open(b, &sweep, &key, 1);
	static uint16_t bits[HOSTS];
	uint64_t x = 88172645463325252ull;
	uint32_t n = 0;

	memset(bits, 0, sizeof(bits));
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t h = next_random(&x) % most;
		struct alert_evidence e = { .host = addr_of(h), .attempts = 1, .t_ns = i + 1 };

		if (next_random(&x) % 3) {
			e.bits = next_random(&x) % 8 ? CONTACT_NONE : CONTACT_OPEN;
			alertbook_add(b, a, &e);
			if (!bits[h] && n == ALERT_HOSTS_MAX)
				continue;
			n += !bits[h];
			bits[h] |= e.bits;
		} else {
			alertbook_retract(b, a, &e);
			n -= !!bits[h];
			bits[h] = 0;
		}
		assert_int_equal(a->n_hosts, n);
		if (i % (STEPS / 8) == 0)
			check_list(a, bits, n);
	}
	check_list(a, bits, n);
	alertbook_free(b);
}

static void a_short_list_of_hosts_is_right(void **state)
{
	(void)state;
	come_and_go(40);
}

static void a_list_of_hosts_that_fills_up_is_right(void **state)
{
	(void)state;
	come_and_go(HOSTS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_list_of_hosts_is_right),
		cmocka_unit_test(a_list_of_hosts_that_fills_up_is_right),
	};

	return cmocka_run_group_tests_name("alertbook", tests, NULL, NULL);
}
