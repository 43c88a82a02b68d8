// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/alertbook.c: what an open alert lists, however it comes and goes (alert_values.c,
 * hostset.c), and who closes where all list too much. What alerts say and when is tested through
 * the engine (test_engine.c). */
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
	HOSTS_FEW = 24, /* whose pairs come and go */
	PORTS_FEW = 24,
	ALERTS = 8,
};

static const struct rule sweep = {
	.name = "sweep",
	.distinct = FIELD_RESP,
	.group = FIELD_ORIG,
	.threshold = 2,
	.window_ns = 1000,
};

static const struct alertbook_limits limits = { 4, SIZE_MAX };

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
	struct alertbook *b = alertbook_new(&limits, say_nothing, NULL);
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

static const struct rule pairs = {
	.name = "pairs",
	.distinct = FIELD_RESP | FIELD_RESP_PORT,
	.group = FIELD_ORIG,
	.threshold = 2,
	.window_ns = 1000,
};

/* The ports and hosts of an alert are those of its pairs, with the best answer that any had while
 * it was listed. */
static void check_pairs(const struct alert *a, bool has[HOSTS_FEW][PORTS_FEW])
{
	uint32_t n = 0, n_hosts = 0, n_ports = 0;

	for (uint32_t h = 0; h < HOSTS_FEW; h++) {
		bool any = false;

		for (uint32_t p = 0; p < PORTS_FEW; p++)
			any |= has[h][p];
		n_hosts += any;
	}
	for (uint32_t p = 0; p < PORTS_FEW; p++) {
		enum answer answer;
		bool any = false;

		for (uint32_t h = 0; h < HOSTS_FEW; h++) {
			any |= has[h][p];
			n += has[h][p];
		}
		n_ports += any;
		assert_int_equal(portset_get(a->ports, (uint16_t)p, &answer), any);
	}
	assert_int_equal(a->count, n);
	assert_int_equal(a->n_hosts, n_hosts);
	assert_int_equal(portset_count(a->ports), n_ports);
}

static void pairs_come_and_go_with_their_hosts_and_ports(void **state)
{
	struct alertbook *b = alertbook_new(&limits, say_nothing, NULL);
	struct group_key key = { .orig = { { 0, 1 } } };
	struct alert *a = alertbook_open(b, &pairs, &key, 1);
	static bool has[HOSTS_FEW][PORTS_FEW];
	uint64_t x = 88172645463325252ull;

	(void)state;
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t h = next_random(&x) % HOSTS_FEW, p = next_random(&x) % PORTS_FEW;
		bool add = next_random(&x) % 512 < (i / 4096 % 2 ? 128u : 384u);
		struct alert_evidence e = {
			.host = addr_of(h), .port = (uint16_t)p, .bits = CONTACT_NONE, .t_ns = i + 1
		};

		if (add)
			alertbook_add(b, a, &e);
		else
			alertbook_retract(b, a, &e);
		has[h][p] = add;
		if (i % 64 == 0)
			check_pairs(a, has);
	}
	check_pairs(a, has);
	alertbook_free(b);
}

/* What the book said, an alert's number (its originator) at a time. */
struct told {
	uint32_t opened[ALERTS], closed[ALERTS], n_closed, order[ALERTS];
};

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	uint32_t i = (uint32_t)a->orig.w[1];
	struct told *t = ctx;

	t->opened[i] += state == ALERT_OPEN;
	t->closed[i] += state == ALERT_CLOSE;
	if (state == ALERT_CLOSE)
		t->order[t->n_closed++] = i;
}

static struct alert *open_one(struct alertbook *b, const struct rule *rule, uint32_t i)
{
	struct group_key key = { .orig = { { 0, i } } };

	return alertbook_open(b, rule, &key, 1);
}

static void list_hosts(struct alertbook *b, struct alert *a, uint32_t n)
{
	for (uint32_t h = 0; h < n; h++) {
		struct alert_evidence e = { .host = addr_of(h), .bits = CONTACT_NONE, .t_ns = 1 };

		alertbook_add(b, a, &e);
	}
}

/* Eight alerts of 1,000 hosts are more than a book for five may list: the three with the oldest
 * news close, in that order, each after it has said `open`. The others lose nothing. */
static void where_all_list_too_much_the_quietest_close(void **state)
{
	static const uint32_t quiet[] = { 0, 1, 3 }; /* the third is told of something again */
	struct alertbook_limits few = { .alerts = ALERTS, .bytes = SIZE_MAX };
	struct alertbook_stats s;
	struct told told = { .n_closed = 0 };
	struct alertbook *b = alertbook_new(&few, on_alert, &told);
	struct alert *a[ALERTS];
	size_t one;

	(void)state;
	a[0] = open_one(b, &sweep, 0);
	alertbook_stats_get(b, &s);
	one = s.bytes;
	list_hosts(b, a[0], 1000);
	alertbook_stats_get(b, &s);
	one = s.bytes - one;
	assert_in_range(one, 24000, 100000); /* what it lists, and not what it might */
	alertbook_free(b);

	few.bytes = 5 * one;
	b = alertbook_new(&few, on_alert, &told);
	for (uint32_t i = 0; i < ALERTS; i++) {
		a[i] = open_one(b, &sweep, i);
		list_hosts(b, a[i], 1000);
		if (i == 3)
			list_hosts(b, a[2], 1);
	}
	alertbook_stats_get(b, &s);
	assert_int_equal(s.forced, 3);
	assert_int_equal(s.open, ALERTS - 3);
	assert_int_equal(told.n_closed, 3);
	assert_memory_equal(told.order, quiet, sizeof(quiet));
	for (uint32_t i = 0; i < ALERTS; i++) {
		bool is_closed = i == 0 || i == 1 || i == 3;

		assert_int_equal(told.opened[i], is_closed);
		assert_int_equal(told.closed[i], is_closed);
		if (!is_closed)
			assert_int_equal(a[i]->n_hosts, 1000);
	}
	alertbook_flush(b, 2, 0, 0);
	assert_int_equal(told.opened[ALERTS - 1], 1);
	alertbook_free(b);
}

/* One alert alone may list whatever there is. */
static void one_alert_may_list_more_than_the_book_is_for(void **state)
{
	const struct alertbook_limits none = { .alerts = ALERTS, .bytes = 0 };
	struct alertbook_stats s;
	struct told told = { .n_closed = 0 };
	struct alertbook *b = alertbook_new(&none, on_alert, &told);
	struct alert *a = open_one(b, &sweep, 0);

	(void)state;
	list_hosts(b, a, 1000);
	assert_int_equal(a->n_hosts, 1000);
	list_hosts(b, open_one(b, &sweep, 1), 1);
	alertbook_stats_get(b, &s);
	assert_int_equal(s.forced, 1);
	assert_int_equal(told.closed[0], 1);
	alertbook_free(b);
}

static const struct rule port_scan = {
	.name = "port-scan",
	.distinct = FIELD_RESP_PORT,
	.group = FIELD_ORIG | FIELD_RESP,
	.threshold = 3,
	.window_ns = 1000,
};

static void check_probes(const struct alert *a, uint32_t n)
{
	uint32_t left_out = n > ALERT_PROBES_MAX ? n - ALERT_PROBES_MAX : 0, i;
	struct alert_probe p;

	assert_int_equal(alertbook_probes(a), n);
	for (i = 0; alertbook_probe(a, i, &p); i++) {
		uint32_t port = 1 + (i < ALERT_PROBES_FIRST ? i : i + left_out);

		assert_int_equal(p.port, port);
		assert_int_equal(p.t_ns, 100 + port);
		if (port == 2)
			assert_int_equal(p.answer, ANSWER_MAX);
		else
			assert_int_equal(p.answer, port % 2 ? ANSWER_CLOSED : ANSWER_OPEN);
	}
	assert_int_equal(i, n - left_out);
}

/* The probes of an alert about ports 1 to n, told of at times 101 to 100 + n: the first and the
 * last are kept, in order, with their answers by now. */
static void probes_are_kept(uint32_t n)
{
	struct alertbook *b = alertbook_new(&limits, say_nothing, NULL);
	struct group_key key = { .orig = { { 0, 1 } }, .resp = { { 0, 2 } } };
	struct alert *a = alertbook_open(b, &port_scan, &key, 1);
	struct blob saved = { 0 };
	struct alertbook *next;

	for (uint32_t port = 1; port <= n; port++) {
		struct alert_evidence e = {
			.port = (uint16_t)port,
			.bits = CONTACT_NONE,
			.attempts = 1,
			.t_ns = 100 + port,
		};

		alertbook_add(b, a, &e);
		e.t_ns = 5000; /* again, and answered: no other probe */
		e.bits = port % 2 ? CONTACT_CLOSED : CONTACT_OPEN;
		alertbook_add(b, a, &e);
		if (port == 2) {
			e.bits = 0;
			alertbook_retract(b, a, &e);
		}
	}
	check_probes(a, n);

	/* and over a restart */
	alertbook_save(b, &saved);
	saved.at = 0;
	next = alertbook_new(&limits, say_nothing, NULL);
	assert_int_equal(alertbook_load(next, &port_scan, &saved), 0);
	check_probes(alertbook_get(next, &key), n);
	alertbook_free(next);
	blob_done(&saved);
	alertbook_free(b);
}

static void the_probes_of_an_alert_are_kept(void **state)
{
	static const uint32_t counts[] = { 1,
					   ALERT_PROBES_FIRST,
					   ALERT_PROBES_MAX - 1,
					   ALERT_PROBES_MAX,
					   ALERT_PROBES_MAX + 1,
					   1000,
					   65535 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		probes_are_kept(counts[i]);
}

/* id_at - the n-th alert's id of a book whose first alert is key's at t_ns. */
static void id_at(const struct rule *rule, uint64_t orig, uint64_t t_ns, uint32_t n, char *ret)
{
	struct alertbook *b = alertbook_new(&limits, say_nothing, NULL);
	struct group_key key = { .orig = { { 0, orig } } };

	alertbook_clock(b, 5000000000);
	for (uint32_t i = 0; i < n; i++) {
		struct alert *a = alertbook_open(b, rule, &key, t_ns);

		strcpy(ret, a->id);
		key.orig.w[0]++;
	}
	alertbook_free(b);
}

static void an_id_is_made_of_evidence(void **state)
{
	struct rule other = sweep;
	char id[ALERT_ID_LEN], again[ALERT_ID_LEN];

	(void)state;
	strcpy(other.name, "other");
	id_at(&sweep, 1, 7, 1, id);
	id_at(&sweep, 1, 7, 1, again);
	assert_string_equal(id, again);
	id_at(&sweep, 1, 7, 2, again);
	assert_string_not_equal(id, again);
	id_at(&sweep, 2, 7, 1, again);
	assert_string_not_equal(id, again);
	id_at(&sweep, 1, 8, 1, again);
	assert_string_not_equal(id, again);
	id_at(&other, 1, 7, 1, again);
	assert_string_not_equal(id, again);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_probes_of_an_alert_are_kept),
		cmocka_unit_test(an_id_is_made_of_evidence),
		cmocka_unit_test(a_short_list_of_hosts_is_right),
		cmocka_unit_test(a_list_of_hosts_that_fills_up_is_right),
		cmocka_unit_test(pairs_come_and_go_with_their_hosts_and_ports),
		cmocka_unit_test(where_all_list_too_much_the_quietest_close),
		cmocka_unit_test(one_alert_may_list_more_than_the_book_is_for),
	};

	return cmocka_run_group_tests_name("alertbook", tests, NULL, NULL);
}
