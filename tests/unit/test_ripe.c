// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/ripe.c: how long an attempt may be silent, and when it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sweep.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define S	      1000000000ull
#define H	      (3600 * S)

enum {
	NEW = STATE_LIVE,
	HALF = STATE_LIVE | STATE_ANSWERED,
	ESTAB = STATE_LIVE | STATE_ANSWERED | STATE_ESTAB,
};

static const struct ripe_case {
	const char *name;
	uint8_t proto, state;
	uint64_t want;
} ripe_cases[] = {
	{ "an unanswered SYN ripens after settle", PROTO_TCP, NEW, 2 * S },
	{ "a SYN that was repeated ripens no later", PROTO_TCP, NEW | STATE_AGAIN, 2 * S },
	{ "a first fragment without flags ripens like a SYN", PROTO_TCP, NEW | STATE_FRAGMENT,
	  2 * S },
	{ "a half-open handshake ripens after settle", PROTO_TCP, HALF, 2 * S },
	{ "an established connection may wait for a greeting", PROTO_TCP, ESTAB, 30 * S },
	{ "an unanswered datagram ripens after settle", PROTO_UDP, NEW, 2 * S },
	{ "UDP is never established", PROTO_UDP, ESTAB, 2 * S },
};

static void test_ripe(void **state)
{
	const struct ripe_case *c = *state;
	const struct ripeness r = { .settle_ns = 2 * S, .settle_open_ns = 30 * S };
	const struct attempt a = { .proto = c->proto };

	assert_int_equal(ripe_after_ns(&r, &a, c->state), c->want);
}

static const struct over_case {
	const char *name;
	uint8_t proto, state;
	uint64_t silent_ns;
	bool want;
} over_cases[] = {
	{ "what was not reported yet is never over", PROTO_TCP, NEW, 1000 * H, false },
	{ "... nor when it is established", PROTO_TCP, ESTAB, 1000 * H, false },
	{ "... nor a datagram", PROTO_UDP, NEW, 1000 * H, false },
	{ "... nor one that was answered", PROTO_UDP, HALF, 1000 * H, false },
	{ "a reported SYN stays for its last repetition", PROTO_TCP, NEW | STATE_REPORTED, 127 * S,
	  false },
	{ "a reported SYN stays for 130 s", PROTO_TCP, NEW | STATE_REPORTED, 130 * S, false },
	{ "... and a nanosecond more is over", PROTO_TCP, NEW | STATE_REPORTED, 130 * S + 1, true },
	{ "a half-open handshake stays for 130 s", PROTO_TCP, HALF | STATE_REPORTED, 130 * S,
	  false },
	{ "a half-open handshake cannot complete after that", PROTO_TCP, HALF | STATE_REPORTED,
	  130 * S + 1, true },
	{ "an established connection may speak for a day", PROTO_TCP, ESTAB | STATE_REPORTED,
	  24 * H, false },
	{ "... and a nanosecond more is over", PROTO_TCP, ESTAB | STATE_REPORTED, 24 * H + 1,
	  true },
	{ "a UDP flow is over a minute after its last packet", PROTO_UDP, NEW | STATE_REPORTED,
	  60 * S + 1, true },
	{ "... and not before", PROTO_UDP, NEW | STATE_REPORTED, 60 * S, false },
	{ "a UDP flow with payload is never reported and over all the same", PROTO_UDP,
	  HALF | STATE_DECIDED, 60 * S + 1, true },
	{ "an attempt from this moment is not over", PROTO_UDP, NEW, 0, false },
};

static void test_over(void **state)
{
	const struct over_case *c = *state;
	const struct attempt a = { .proto = c->proto };

	assert_int_equal(sweep_is_over(&a, c->state, c->silent_ns), c->want);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(ripe_cases) + ARRAY_SIZE(over_cases)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ripe_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = ripe_cases[i].name,
						  .test_func = test_ripe,
						  .initial_state = (void *)&ripe_cases[i] };
	for (size_t i = 0; i < ARRAY_SIZE(over_cases); i++)
		tests[n++] = (struct CMUnitTest){ .name = over_cases[i].name,
						  .test_func = test_over,
						  .initial_state = (void *)&over_cases[i] };
	return cmocka_run_group_tests_name("ripe", tests, NULL, NULL);
}
