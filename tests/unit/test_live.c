// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/live.c: who is looking around, at what rate, within which bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "live.h"

#define NS_PER_S 1000000000ull

static struct ip_addr host(uint32_t n)
{
	return (struct ip_addr){ { 0, (uint64_t)htonl(n) << 32 | IP_ADDR_V4_PREFIX } };
}

/* orig looked at a port of resp, `n` times, the last time at second s. */
static void see(struct live *l, uint32_t orig, uint32_t resp, uint16_t port, uint32_t bits,
		uint32_t n, double s)
{
	const struct contact_key key = {
		.orig = host(orig),
		.resp = host(resp),
		.resp_port = htons(port),
		.proto = bits & CONTACT_UDP ? PROTO_UDP : PROTO_TCP,
	};
	const struct contact c = {
		.word = bits,
		.silent_first_ns = (uint64_t)(s * NS_PER_S),
		.silent_last_ns = (uint64_t)(s * NS_PER_S),
		.silent = n,
		.ifindex = 7,
	};

	live_see(l, &key, &c, NULL);
}

struct found {
	uint32_t orig;
	struct looker k;
	uint32_t n, ports;
};

static bool on_looker(void *ctx, const struct ip_addr *orig, const struct looker *k)
{
	struct found *f = ctx;
	struct ip_addr want = host(f->orig);

	f->n++;
	if (!addr_same(orig, &want))
		return true;
	f->k = *k;
	f->ports = portset_count(k->ports);
	return false;
}

/* find - the originator; .ports is 0 if it is not there. */
static struct found find(const struct live *l, uint32_t orig)
{
	struct found f = { .orig = orig };

	live_each(l, on_looker, &f);
	return f;
}

static void an_originator_is_what_it_has_shown(void **state)
{
	struct live *l = live_new();
	struct found f;

	(void)state;
	see(l, 1, 100, 22, CONTACT_OPEN | CONTACT_SYN, 1, 10);
	see(l, 1, 101, 22, CONTACT_CLOSED, 2, 11.5);
	see(l, 1, 101, 53, CONTACT_NONE | CONTACT_UDP, 1, 9);
	f = find(l, 1);
	assert_int_equal(f.ports, 2);
	assert_int_equal(f.k.attempts, 4);
	assert_int_equal(f.k.hosts, 2);
	assert_false(f.k.hosts_cut);
	assert_int_equal(f.k.protos, 1u << LIVE_TCP | 1u << LIVE_UDP);
	assert_int_equal(f.k.first_ns, 9 * NS_PER_S);
	assert_int_equal(f.k.last_ns, 115 * NS_PER_S / 10);
	assert_int_equal(f.k.ifindex, 7);
	live_free(l);
}

static void a_rate_is_that_of_the_last_ten_seconds(void **state)
{
	struct live *l = live_new();
	struct looker k;

	(void)state;
	for (uint32_t s = 100; s < 130; s++)
		see(l, 1, 100, 22, CONTACT_NONE, 5, s);
	k = find(l, 1).k;
	assert_float_equal(looker_rate(&k, 130 * NS_PER_S - 1), 5, 1e-9);
	assert_float_equal(looker_rate(&k, 134 * NS_PER_S), 2.5, 1e-9);
	assert_float_equal(looker_rate(&k, 139 * NS_PER_S), 0, 1e-9);
	assert_int_equal(looker_second(&k, 129 * NS_PER_S, 0), 5);
	assert_int_equal(looker_second(&k, 129 * NS_PER_S, 29), 5);
	assert_int_equal(looker_second(&k, 129 * NS_PER_S, 30), 0);
	assert_int_equal(looker_second(&k, 188 * NS_PER_S, 59), 5);
	/* late evidence belongs to its own second; what is older than a minute is let go */
	see(l, 1, 100, 22, CONTACT_NONE, 3, 125.5);
	see(l, 1, 100, 22, CONTACT_NONE, 9, 60);
	see(l, 1, 100, 22, CONTACT_NONE, 1, 150);
	k = find(l, 1).k;
	assert_int_equal(looker_second(&k, 150 * NS_PER_S, 25), 8);
	assert_int_equal(looker_second(&k, 150 * NS_PER_S, 10), 0);
	assert_int_equal(looker_second(&k, 150 * NS_PER_S, 0), 1);
	assert_int_equal(looker_second(&k, 150 * NS_PER_S, 30), 5); /* without the 9 of second 60 */
	/* a pause of more than a minute clears it */
	see(l, 1, 100, 22, CONTACT_NONE, 2, 1000);
	k = find(l, 1).k;
	for (uint32_t ago = 1; ago < LIVE_SECONDS; ago++)
		assert_int_equal(looker_second(&k, 1000 * NS_PER_S, ago), 0);
	live_free(l);
}

static void a_flood_of_originators_pushes_out_none_that_looks_at_more(void **state)
{
	struct live *l = live_new();
	struct live_stats s;

	(void)state;
	for (uint16_t port = 1; port <= 20; port++)
		see(l, 1, 100, port, CONTACT_NONE, 1, 10);
	for (uint32_t i = 0; i < 100000; i++)
		see(l, 1000 + i, 100, 80, CONTACT_NONE, 1, 11);
	assert_int_equal(find(l, 1).ports, 20);
	live_stats_get(l, &s);
	assert_int_equal(s.originators, LIVE_MAX);
	assert_int_equal(s.evicted, 100001 - LIVE_MAX);
	live_free(l);
}

static void responders_are_counted_up_to_a_limit(void **state)
{
	struct live *l = live_new();

	(void)state;
	for (uint32_t i = 0; i < LIVE_HOSTS_MAX; i++)
		see(l, 1, 100 + i, 22, CONTACT_NONE, 1, 10);
	assert_false(find(l, 1).k.hosts_cut);
	see(l, 1, 99, 22, CONTACT_NONE, 1, 10);
	assert_true(find(l, 1).k.hosts_cut);
	assert_int_equal(find(l, 1).k.hosts, LIVE_HOSTS_MAX);
	live_free(l);
}

static void who_was_quiet_is_forgotten(void **state)
{
	struct live *l = live_new();

	(void)state;
	see(l, 1, 100, 22, CONTACT_NONE, 1, 10);
	see(l, 2, 100, 22, CONTACT_NONE, 1, 11);
	live_expire(l, (10 + LIVE_KEEP_S) * NS_PER_S);
	assert_int_equal(find(l, 1).ports, 1);
	live_expire(l, (10 + LIVE_KEEP_S) * NS_PER_S + 1);
	assert_int_equal(find(l, 1).ports, 0);
	assert_int_equal(find(l, 2).ports, 1);
	live_free(l);
}

static void probes_are_counted_by_kind(void **state)
{
	static const struct {
		enum live_proto proto;
		const char *technique;
		enum answer answer;
		uint64_t n;
	} want[] = {
		{ LIVE_TCP, "syn", ANSWER_OPEN, 3 },
		{ LIVE_TCP, "xmas", ANSWER_NONE, 5 },
		{ LIVE_UDP, "udp", ANSWER_CLOSED, 7 },
	};
	struct live *l = live_new();

	(void)state;
	see(l, 1, 100, 22, CONTACT_OPEN | CONTACT_SYN, 1, 10);
	see(l, 1, 100, 23, CONTACT_XMAS | CONTACT_NONE, 5, 10);
	see(l, 2, 100, 53, CONTACT_UDP | CONTACT_CLOSED, 7, 10);
	see(l, 3, 100, 80, CONTACT_OPEN | CONTACT_SYN, 2, 10);
	for (uint32_t i = 0; i < 3; i++) {
		const struct live_kind *k = live_kind(l, i);

		assert_int_equal(k->proto, want[i].proto);
		assert_string_equal(k->technique, want[i].technique);
		assert_int_equal(k->answer, want[i].answer);
		assert_int_equal(k->probes, want[i].n);
	}
	assert_null(live_kind(l, 3));
	live_free(l);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_originator_is_what_it_has_shown),
		cmocka_unit_test(a_rate_is_that_of_the_last_ten_seconds),
		cmocka_unit_test(a_flood_of_originators_pushes_out_none_that_looks_at_more),
		cmocka_unit_test(responders_are_counted_up_to_a_limit),
		cmocka_unit_test(who_was_quiet_is_forgotten),
		cmocka_unit_test(probes_are_counted_by_kind),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
