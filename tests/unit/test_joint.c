// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/joint.c, and what the engine makes of many originators at one host: scans that are split
 * among addresses, and the crowds of innocents that look like one. */
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
#include "joint.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define S	      1000000000ull
#define BASE	      (900000 * S)

static struct ip_addr originator(uint32_t n)
{
	return (struct ip_addr){ { 0, IP_ADDR_V4_PREFIX | (uint64_t)htonl(0xc6336400 + n) << 32 } };
}

static struct ip_addr responder(uint32_t n)
{
	return (struct ip_addr){ { 0, IP_ADDR_V4_PREFIX | (uint64_t)htonl(0x0a000100 + n) << 32 } };
}

/* --- joint_choose ---------------------------------------------------------------------------- */

/* Originators from..to try ports first..last each; several such. */
struct block {
	uint32_t from, to;
	uint16_t first, last;
};

static const struct choose_case {
	const char *name;
	struct block block[3];
	uint32_t limit;
	uint32_t ports, originators, pairs;
} choose_cases[] = {
	{ "nothing", { { 1, 0, 0, 0 } }, 8, 0, 0, 0 },
	{ "one look", { { 1, 1, 22, 22 } }, 8, 1, 1, 1 },
	{ "as many ports as one may have tried", { { 1, 1, 1, 8 } }, 8, 8, 1, 8 },
	{ "one port more: a scanner by itself", { { 1, 1, 1, 9 } }, 8, 0, 0, 0 },
	{ "many clients of one service", { { 1, 500, 443, 443 } }, 8, 0, 0, 0 },
	{ "many clients of three services", { { 1, 500, 443, 445 } }, 8, 0, 0, 0 },
	{ "decoys: each at all ports", { { 1, 5, 1, 100 } }, 8, 0, 0, 0 },
	{ "decoys at few ports", { { 1, 5, 1, 6 } }, 8, 0, 0, 0 },
	{ "a scanner does not hide the others",
	  { { 1, 1, 1, 1000 }, { 2, 2, 5, 6 }, { 3, 3, 7, 8 } },
	  8,
	  4,
	  2,
	  4 },
	{ "two of fifteen at a port are a crowd",
	  { { 1, 2, 22, 22 }, { 3, 15, 100, 100 }, { 1, 1, 23, 23 } },
	  8,
	  1,
	  1,
	  1 },
	{ "two of sixteen are not",
	  { { 1, 2, 22, 22 }, { 3, 16, 100, 100 }, { 1, 1, 23, 23 } },
	  8,
	  2,
	  2,
	  3 },
};

static void test_choose(void **state)
{
	const struct choose_case *c = *state;
	static struct window_value pairs[4096];
	struct joint_count got;
	uint32_t n = 0;

	memset(pairs, 0, sizeof(pairs));
	for (size_t b = 0; b < ARRAY_SIZE(c->block); b++)
		for (uint32_t o = c->block[b].from; c->block[b].from && o <= c->block[b].to; o++)
			for (uint32_t p = c->block[b].first; p <= c->block[b].last; p++) {
				pairs[n].addr = originator(o);
				pairs[n++].port = (uint16_t)p;
			}
	got = joint_choose(pairs, n, c->limit);
	assert_int_equal(got.ports, c->ports);
	assert_int_equal(got.originators, c->originators);
	assert_int_equal(got.pairs, c->pairs);
}

/* --- the engine ------------------------------------------------------------------------------ */

struct world {
	struct config cfg;
	struct engine *engine;
	/* Of distributed-scan. */
	unsigned int opened, updated, closed, retracted;
	uint32_t ports, originators; /* the last it said */
	char incident[INCIDENT_ID_LEN];
	/* Of the others. */
	unsigned int single;
	char first_single[INCIDENT_ID_LEN]; /* the incident of the first */
	unsigned int strangers;		    /* how many have another */
};

static void record(void *ctx, struct alert *a, enum alert_state state)
{
	struct world *w = ctx;

	if (strcmp(a->rule->name, "distributed-scan") != 0) {
		if (state != ALERT_OPEN)
			return;
		if (!w->single++)
			strcpy(w->first_single, a->incident);
		w->strangers += strcmp(w->first_single, a->incident) != 0;
		return;
	}
	assert_int_equal(portset_count(a->ports), a->count);
	w->opened += state == ALERT_OPEN;
	w->updated += state == ALERT_UPDATE;
	w->closed += state == ALERT_CLOSE;
	w->retracted += a->retracted;
	w->ports = a->count;
	w->originators = a->n_hosts;
	strcpy(w->incident, a->incident);
}

static struct world *world_new(const char *set)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	config_defaults(&w->cfg);
	rules_builtin(PROFILE_DEFAULT, &w->cfg.rules);
	if (set)
		assert_int_equal(rules_set(&w->cfg.rules, set, NULL), 0);
	w->engine = engine_new(&w->cfg, record, w);
	assert_non_null(w->engine);
	return w;
}

static void world_free(struct world *w)
{
	engine_free(w->engine);
	free(w);
}

static void look_as(struct world *w, uint32_t orig, uint32_t resp, uint16_t port, uint64_t t_ns,
		    uint32_t bits, uint8_t proto)
{
	const struct contact_key key = { .orig = originator(orig),
					 .resp = responder(resp),
					 .resp_port = htons(port),
					 .proto = proto };
	struct contact c = { .word = bits };

	if (bits & CONTACT_SILENT) {
		c.silent = 1;
		c.silent_first_ns = c.silent_last_ns = BASE + t_ns;
	} else {
		c.carried = 1;
		c.carried_first_ns = c.carried_last_ns = BASE + t_ns;
	}
	engine_contact(w->engine, &key, &c);
}

static void look(struct world *w, uint32_t orig, uint16_t port, uint64_t t_ns)
{
	look_as(w, orig, 20, port, t_ns, CONTACT_CLOSED | CONTACT_SPAN, PROTO_TCP);
}

static void flush(struct world *w, uint64_t t_ns)
{
	engine_flush(w->engine, BASE + t_ns, false);
}

/* share_out - n ports from 1 on, `each` an originator, one a second; flushed after each. */
static void share_out(struct world *w, uint32_t n, uint32_t each, uint64_t pause_ns)
{
	for (uint32_t i = 0; i < n; i++) {
		look(w, 1 + i / each, (uint16_t)(1 + i), i * pause_ns);
		flush(w, i * pause_ns + 1);
	}
}

static void the_threshold_is_exact(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	share_out(w, 31, 2, S);
	assert_int_equal(w->opened, 0);
	look(w, 16, 32, 31 * S);
	flush(w, 32 * S);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->ports, 32);
	assert_int_equal(w->originators, 16);
	assert_int_equal(w->single, 0);
	world_free(w);
}

static void so_is_the_number_of_originators(void **state)
{
	struct world *w = world_new("distributed-scan.originators=17");

	(void)state;
	share_out(w, 32, 2, S);
	assert_int_equal(w->opened, 0);
	look(w, 17, 33, 32 * S);
	flush(w, 33 * S);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->originators, 17);
	world_free(w);
}

static void a_window_has_an_end(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	share_out(w, 31, 2, S);
	look(w, 16, 32, 300 * S); /* the first is 300 s ago, to the nanosecond */
	flush(w, 301 * S);
	assert_int_equal(w->opened, 1);
	world_free(w);

	w = world_new(NULL);
	share_out(w, 31, 2, S);
	look(w, 16, 32, 300 * S + 1);
	flush(w, 301 * S);
	assert_int_equal(w->opened, 0);
	world_free(w);
}

static void it_grows_and_ends(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	share_out(w, 400, 2, S / 2);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->updated, 3); /* 64, 128, 256 */
	flush(w, 600 * S);
	assert_int_equal(w->closed, 1);
	assert_int_equal(w->ports, 400);
	assert_int_equal(w->originators, 200);
	world_free(w);
}

static void one_scanner_is_not_many(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint16_t port = 1; port <= 1000; port++)
		look(w, 1, port, port * S / 100);
	for (uint32_t i = 0; i < 40; i++) /* and innocents, at a service that is down */
		look(w, 2 + i, 443, i * S / 10);
	flush(w, 11 * S);
	assert_int_equal(w->opened, 0);
	assert_int_equal(w->single, 2); /* port-scan and basic-scanning, of the one */
	world_free(w);
}

static void what_was_served_is_a_service_that_is_down(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint16_t port = 1; port <= 60; port++) /* by others, an hour ago */
		look_as(w, 500, 20, port, 0, CONTACT_PAYLOAD, PROTO_TCP);
	for (uint32_t i = 0; i < 60; i++)
		look(w, 1 + i, (uint16_t)(1 + i), 3600 * S + i * S);
	flush(w, 3700 * S);
	assert_int_equal(w->opened, 0);
	world_free(w);
}

static const struct innocent_case {
	const char *name;
	uint32_t bits;
	uint8_t proto;
	uint16_t first_port;
} innocent_cases[] = {
	{ "open ports: passive FTP of many clients", CONTACT_OPEN | CONTACT_CONNECT | CONTACT_SPAN,
	  PROTO_TCP, 1 },
	{ "late segments of many servers", CONTACT_CLOSED | CONTACT_SPAN | CONTACT_ACK, PROTO_TCP,
	  1 },
	{ "late answers of many name servers", CONTACT_CLOSED | CONTACT_UDP, PROTO_UDP, 1 },
	{ "peers that try negotiated ports", CONTACT_CLOSED | CONTACT_SPAN, PROTO_TCP, 1024 },
};

static void test_innocent(void **state)
{
	const struct innocent_case *c = *state;
	struct world *w = world_new(NULL);

	for (uint32_t i = 0; i < 200; i++)
		look_as(w, 1 + i, 20, (uint16_t)(c->first_port + i), i * S, c->bits, c->proto);
	flush(w, 201 * S);
	assert_int_equal(w->opened, 0);
	world_free(w);
}

static void habits_of_many_are_none_of_it(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint64_t t = 0; t <= 1200; t += 10) { /* 40 checkers, whose services are down */
		for (uint32_t i = 0; i < 40; i++)
			look(w, 1 + i, (uint16_t)(1 + i), t * S);
		if (t >= 600)
			flush(w, t * S + 1);
	}
	assert_int_equal(w->opened, 0);
	world_free(w);
}

static void payload_takes_a_look_back(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint32_t i = 0; i < 32; i++)
		look_as(w, 1 + i / 2, 20, (uint16_t)(1 + i), i * S, CONTACT_NONE, PROTO_TCP);
	flush(w, 33 * S);
	assert_int_equal(w->opened, 1);
	look_as(w, 3, 20, 5, 34 * S, CONTACT_PAYLOAD, PROTO_TCP);
	flush(w, 35 * S);
	assert_int_equal(w->closed, 1);
	assert_int_equal(w->retracted, 1);
	world_free(w);
}

static void alerts_of_the_many_share_the_incident(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint32_t i = 0; i < 60; i++) /* four ports each, all within a drain */
		look(w, 1 + i / 4, (uint16_t)(1 + i), i * S / 100);
	flush(w, S);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->originators, 15);
	assert_int_equal(w->single, 15);
	for (uint32_t i = 0; i < 20; i++) /* and five more, later */
		look(w, 16 + i / 4, (uint16_t)(101 + i), 60 * S);
	flush(w, 61 * S);
	assert_int_equal(w->single, 20);
	assert_int_equal(w->strangers, 0);
	assert_string_equal(w->first_single, w->incident);
	world_free(w);
}

/* decoys - three originators at four ports each, from at_ns on, `apart_ns` after each other. */
static void decoys(struct world *w, uint32_t first, uint16_t port, uint64_t at_ns,
		   uint64_t apart_ns)
{
	for (uint32_t o = 0; o < 3; o++)
		for (uint16_t p = 0; p < 4; p++)
			look(w, first + o, (uint16_t)(port + p),
			     at_ns + p * S / 100 + o * apart_ns);
}

static void decoys_are_one_incident(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	decoys(w, 1, 20, 0, 1000);
	flush(w, S);
	assert_int_equal(w->single, 3);
	assert_int_equal(w->strangers, 0);
	world_free(w);
}

static void so_they_are_if_one_was_said_before(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint16_t p = 0; p < 4; p++)
		look(w, 9, (uint16_t)(20 + p), 0);
	flush(w, 1000);
	decoys(w, 1, 20, 2000, S / 3);
	flush(w, S);
	assert_int_equal(w->single, 4);
	assert_int_equal(w->strangers, 0);
	world_free(w);
}

static void scanners_of_other_moments_are_none(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	decoys(w, 1, 20, 0, 3 * S);
	flush(w, 10 * S);
	assert_int_equal(w->single, 3);
	assert_int_equal(w->strangers, 2);
	world_free(w);
}

static void nor_are_those_of_other_ports(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	decoys(w, 1, 20, 0, 0);
	decoys(w, 4, 23, 0, 0); /* 23 is in both */
	flush(w, S);
	assert_int_equal(w->single, 6);
	assert_true(w->strangers > 0);
	world_free(w);
}

static void an_alert_said_before_gives_its_incident(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		look(w, 1, (uint16_t)(1 + i), i * S);
	flush(w, 5 * S);
	assert_int_equal(w->single, 1);
	for (uint32_t i = 4; i < 40; i++)
		look(w, 1 + i / 2, (uint16_t)(1 + i), (4 + i) * S);
	flush(w, 60 * S);
	assert_int_equal(w->opened, 1);
	assert_string_equal(w->first_single, w->incident);
	world_free(w);
}

static void forged_addresses_in_a_flood_are_no_scan(void **state)
{
	struct world *w = world_new(NULL);
	struct engine_stats stats;

	(void)state;
	for (uint32_t i = 0; i < 60000; i++) /* within one drain */
		look(w, i, (uint16_t)(1 + i * 7919 % 1023), i);
	flush(w, S);
	engine_stats_get(w->engine, &stats);
	assert_int_equal(w->opened, 0);
	assert_int_equal(stats.crowded, 1);
	/* It is over, and a scan comes. */
	for (uint32_t i = 0; i < 40; i++)
		look(w, 70000 + i / 2, (uint16_t)(1 + i), 700 * S + i * S);
	flush(w, 741 * S);
	assert_int_equal(w->opened, 1);
	world_free(w);
}

static void every_responder_is_its_own_group(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint32_t i = 0; i < 60; i++)
		look_as(w, 1 + i / 2, 20 + i % 2, (uint16_t)(1 + i), i * S, CONTACT_CLOSED,
			PROTO_TCP);
	flush(w, 61 * S);
	assert_int_equal(w->opened, 0);
	world_free(w);
}

/* Five hosts are scanned by many in one drain; two are judged at a time, the rest by the flush. */
static void judged_some_at_a_time_it_comes_to_the_same(void **state)
{
	struct world *w = world_new(NULL);

	(void)state;
	for (uint32_t host = 0; host < 5; host++)
		for (uint32_t i = 0; i < 32; i++)
			look_as(w, 1 + i / 2, 20 + host, (uint16_t)(1 + i), S, CONTACT_CLOSED,
				PROTO_TCP);
	assert_true(engine_judge_some(w->engine, 2));
	assert_true(engine_judge_some(w->engine, 2));
	assert_false(engine_judge_some(w->engine, 2));
	assert_false(engine_judge_some(w->engine, 2));
	assert_int_equal(w->opened, 0); /* an alert speaks when it is flushed */
	look_as(w, 99, 20, 99, 2 * S, CONTACT_CLOSED, PROTO_TCP);
	flush(w, 2 * S);
	assert_int_equal(w->opened, 5);
	world_free(w);
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
		cmocka_unit_test(the_threshold_is_exact),
		cmocka_unit_test(so_is_the_number_of_originators),
		cmocka_unit_test(a_window_has_an_end),
		cmocka_unit_test(it_grows_and_ends),
		cmocka_unit_test(one_scanner_is_not_many),
		cmocka_unit_test(what_was_served_is_a_service_that_is_down),
		cmocka_unit_test(habits_of_many_are_none_of_it),
		cmocka_unit_test(payload_takes_a_look_back),
		cmocka_unit_test(alerts_of_the_many_share_the_incident),
		cmocka_unit_test(decoys_are_one_incident),
		cmocka_unit_test(so_they_are_if_one_was_said_before),
		cmocka_unit_test(scanners_of_other_moments_are_none),
		cmocka_unit_test(nor_are_those_of_other_ports),
		cmocka_unit_test(an_alert_said_before_gives_its_incident),
		cmocka_unit_test(forged_addresses_in_a_flood_are_no_scan),
		cmocka_unit_test(every_responder_is_its_own_group),
		cmocka_unit_test(judged_some_at_a_time_it_comes_to_the_same),
	};
	int failed;

	ROW_TESTS(choose, choose_cases, test_choose);
	ROW_TESTS(innocent, innocent_cases, test_innocent);
	failed = cmocka_run_group_tests_name("joint_choose", choose, NULL, NULL);
	failed += cmocka_run_group_tests_name("innocent crowds", innocent, NULL, NULL);
	failed += cmocka_run_group_tests_name("many originators", tests, NULL, NULL);
	return failed != 0;
}
