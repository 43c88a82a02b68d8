// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/incident.c, and which alerts of the engine share an incident. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"

#define S    1000000000ull
#define BASE (900000 * S)

static const struct ip_addr nobody;

static uint64_t live(const struct incidents *in)
{
	struct incidents_stats s;

	incidents_stats_get(in, &s);
	return s.live;
}

static struct ip_addr host(unsigned int n)
{
	return (struct ip_addr){ { 0, IP_ADDR_V4_PREFIX | (uint64_t)htonl(0x0a000100 + n) << 32 } };
}

/* --- incidents alone --- */

static void one_while_it_lasts_and_another_after(void **state)
{
	struct incidents *in = incidents_new(4);
	struct ip_addr a = host(1), b = host(2);
	char first[INCIDENT_ID_LEN];

	(void)state;
	strcpy(first, incident_join(in, &a, &nobody, 10, 100)->id);
	assert_true(strlen(first) > 0);
	assert_string_equal(incident_join(in, &a, &nobody, 100, 90)->id, first);
	assert_string_not_equal(incident_join(in, &b, &nobody, 10, 100)->id, first);
	assert_string_equal(incident_join(in, &a, &nobody, 50, 200)->id, first);
	assert_string_equal(incident_join(in, &a, &nobody, 200, 200)->id, first);
	assert_string_not_equal(incident_join(in, &a, &nobody, 201, 300)->id, first);
	incidents_free(in);
}

static void over_are_those_whose_time_has_passed(void **state)
{
	struct incidents *in = incidents_new(4);
	struct ip_addr a = host(1), b = host(2);

	(void)state;
	incident_join(in, &a, &nobody, 10, 500);
	incident_join(in, &b, &nobody, 10, 100);
	incidents_expire(in, 100);
	assert_int_equal(live(in), 2);
	incidents_expire(in, 101); /* though one that was touched before it lasts */
	assert_int_equal(live(in), 1);
	incidents_expire(in, 501);
	assert_int_equal(live(in), 0);
	incidents_free(in);
}

static void responders_are_told_apart(void **state)
{
	struct incidents *in = incidents_new(4);
	struct ip_addr a = host(1);
	const struct incident *i = NULL;

	(void)state;
	for (unsigned int n = 0; n < 3 * INCIDENT_HOSTS_MAX; n++) {
		struct ip_addr resp = host(100 + n / 2);

		i = incident_join(in, &a, &resp, 10, 100);
		incident_join(in, &a, &nobody, 10, 100);
		if (n < 2 * INCIDENT_HOSTS_MAX)
			assert_int_equal(i->hosts, n / 2 + 1);
	}
	assert_int_equal(i->hosts, INCIDENT_HOSTS_MAX);
	incidents_free(in);
}

static void past_the_limit_the_quietest_leaves(void **state)
{
	struct incidents *in = incidents_new(4);
	char id[6][INCIDENT_ID_LEN];
	struct incidents_stats stats;

	(void)state;
	for (unsigned int n = 0; n < 6; n++) {
		struct ip_addr a = host(n);

		strcpy(id[n], incident_join(in, &a, &nobody, 10, 100)->id);
	}
	assert_int_equal(live(in), 4);
	incidents_stats_get(in, &stats);
	assert_int_equal(stats.evicted, 2);
	for (unsigned int n = 5; n >= 2; n--) {
		struct ip_addr a = host(n);

		assert_string_equal(incident_join(in, &a, &nobody, 10, 100)->id, id[n]);
	}
	incidents_free(in);
	incidents_free(NULL);
}

/* --- what the engine makes of them --- */

struct world {
	struct config cfg;
	struct engine *engine;
	char said[1024]; /* "RULE INCIDENT/HOSTS; ..." of each that opened; incidents by number */
	char incident[8][INCIDENT_ID_LEN];
	unsigned int incidents;
};

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	struct world *w = ctx;
	size_t len = strlen(w->said);
	unsigned int i = 0;

	assert_true(a->incident[0]);
	if (state != ALERT_OPEN)
		return;
	while (i < w->incidents && strcmp(w->incident[i], a->incident) != 0)
		i++;
	if (i == w->incidents)
		strcpy(w->incident[w->incidents++], a->incident);
	snprintf(w->said + len, sizeof(w->said) - len, "%s%s %u/%u", len ? "; " : "", a->rule->name,
		 i + 1, a->incident_hosts);
}

static void probe(struct world *w, uint64_t t, unsigned int orig, unsigned int resp, uint16_t port)
{
	struct contact_key key = {
		.orig = host(orig), .resp = host(resp), .resp_port = htons(port), .proto = PROTO_TCP
	};
	struct contact c = { .word = CONTACT_CLOSED, .silent = 1 };

	c.silent_first_ns = c.silent_last_ns = BASE + t;
	engine_contact(w->engine, &key, &c);
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	config_defaults(&w->cfg);
	w->engine = engine_new(&w->cfg, on_alert, w);
	assert_non_null(w->engine);
	return w;
}

static void world_free(struct world *w)
{
	engine_free(w->engine);
	free(w);
}

static void flush(struct world *w, uint64_t t)
{
	engine_flush(w->engine, BASE + t, false);
}

static void a_sweep_and_the_scans_of_what_it_found(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (unsigned int h = 1; h <= 25; h++)
		probe(w, S, 200, h, 22);
	flush(w, 2 * S);
	for (uint16_t port = 1; port <= 3; port++) {
		probe(w, 10 * S, 200, 7, port);
		probe(w, 10 * S, 201, 7, port); /* somebody else */
	}
	flush(w, 11 * S);
	for (uint16_t port = 1; port <= 3; port++)
		probe(w, 20 * S, 200, 8, port);
	flush(w, 21 * S);
	assert_string_equal(w->said, "sweep 1/0; port-scan 2/1; port-scan 1/1; port-scan 1/2");
	world_free(w);
}

/* 300 s of window and 33 s for what ripens late, twice. */
static void who_comes_back_within_a_window_of_the_end_is_the_same(void **state)
{
	const uint64_t last = 666 * S;
	struct world *w = world_new();

	(void)state;
	for (uint16_t port = 1; port <= 3; port++)
		probe(w, 0, 200, 7, port);
	flush(w, S);
	flush(w, last);
	for (uint16_t port = 1; port <= 3; port++)
		probe(w, last, 200, 8, port);
	flush(w, last + S);
	flush(w, 2 * last + S);
	for (uint16_t port = 1; port <= 3; port++)
		probe(w, 2 * last + 1, 200, 9, port);
	flush(w, 2 * last + 2 * S);
	assert_string_equal(w->said, "port-scan 1/1; port-scan 1/2; port-scan 2/1");
	world_free(w);
}

static void a_slow_scan_keeps_it_for_two_days(void **state)
{
	struct world *w = world_new();

	(void)state;
	for (uint16_t port = 1; port <= 5; port++)
		probe(w, port * 400 * S, 200, 7, port);
	flush(w, 2001 * S);
	flush(w, 40 * 3600 * S);
	for (uint16_t port = 1; port <= 3; port++)
		probe(w, 40 * 3600 * S, 200, 8, port);
	flush(w, 40 * 3600 * S + S);
	assert_string_equal(w->said, "slow-scan 1/1; port-scan 1/2");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_while_it_lasts_and_another_after),
		cmocka_unit_test(over_are_those_whose_time_has_passed),
		cmocka_unit_test(responders_are_told_apart),
		cmocka_unit_test(past_the_limit_the_quietest_leaves),
		cmocka_unit_test(a_sweep_and_the_scans_of_what_it_found),
		cmocka_unit_test(who_comes_back_within_a_window_of_the_end_is_the_same),
		cmocka_unit_test(a_slow_scan_keeps_it_for_two_days),
	};

	return cmocka_run_group_tests_name("incident", tests, NULL, NULL);
}
