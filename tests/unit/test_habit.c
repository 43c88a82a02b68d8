// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* user/habit.c, user/habit_file.c, and what the engine makes of habits: the cases of the field, by
 * a clock that the tests drive. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define S	      1000000000ull
#define M	      (60 * S)
#define H	      (60 * M)
#define BASE	      (900000 * S)

#define HANDSHAKE (CONTACT_OPEN | CONTACT_SPAN | CONTACT_CONNECT)
#define HALF_OPEN (CONTACT_OPEN | CONTACT_SPAN | CONTACT_SYN)
#define REFUSED	  (CONTACT_CLOSED | CONTACT_SPAN)

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct contact_key key_of(const char *orig, const char *resp, uint16_t port)
{
	return (struct contact_key){
		.orig = addr(orig), .resp = addr(resp), .resp_port = htons(port), .proto = PROTO_TCP
	};
}

/* --- what has been learnt after so many contacts --- */

static const struct steady_case {
	const char *name;
	uint64_t every_ns;
	unsigned int times; /* the contact that makes it a habit; 0: none of a hundred does */
} steady_cases[] = {
	{ "every second: a minute", S, 61 },
	{ "every 4 s", 4 * S, 17 },
	{ "every 10 s", 10 * S, 7 },
	{ "every 30 s: six rounds", 30 * S, 7 },
	{ "every minute", M, 7 },
	{ "just below 3 minutes", 3 * M - S, 7 },
	{ "every 3 minutes: three rounds", 3 * M, 4 },
	{ "every 5 minutes", 5 * M, 4 },
	{ "every 15 minutes", 15 * M, 4 },
	{ "every hour", H, 4 },
	{ "every 75 minutes", 75 * M, 4 },
	{ "just above that never", 75 * M + 1, 0 },
	{ "once a day never", 24 * H, 0 },
};

static uint64_t live(struct habits *h)
{
	struct habits_stats s;

	habits_stats_get(h, &s);
	return s.live;
}

static void test_steady(void **state)
{
	const struct steady_case *c = *state;
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22);
	struct habits *h = habits_new(16);
	unsigned int times = 0;

	for (unsigned int i = 1; i <= 100 && !times; i++) {
		uint64_t t = BASE + (i - 1) * c->every_ns;

		habits_see(h, &key, NULL, t, t);
		times = live(h) ? i : 0;
	}
	assert_int_equal(times, c->times);
	assert_int_equal(live(h), times ? 2 : 0); /* the contact, and the service */
	habits_free(h);
}

static void a_burst_is_one_sighting(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22);
	struct habits *h = habits_new(16);
	struct habits_stats s;

	(void)state;
	for (unsigned int i = 0; i < 1000; i++)
		habits_see(h, &key, NULL, BASE + i * (S / 300), BASE + i * (S / 300));
	habits_stats_get(h, &s);
	assert_int_equal(s.live, 0);
	assert_int_equal(s.candidates, 0);
	habits_free(h);
}

static void irregular_looks_are_none(void **state)
{
	static const unsigned int at_s[] = { 0, 30, 150, 3750, 4050, 4100, 4800, 8000, 8100, 8700 };
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22);
	struct habits *h = habits_new(16);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(at_s); i++)
		habits_see(h, &key, NULL, BASE + at_s[i] * S, BASE + at_s[i] * S);
	assert_int_equal(live(h), 0);
	habits_free(h);
}

static void late_evidence_changes_nothing(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22);
	struct habits *h = habits_new(16);

	(void)state;
	habits_see(h, &key, NULL, BASE + H, BASE + H);
	for (unsigned int i = 0; i < 20; i++)
		habits_see(h, &key, NULL, BASE + i * M, BASE + i * M);
	assert_int_equal(live(h), 0);
	habits_free(h);
}

static void memory_is_bounded_and_what_leaves_is_counted(void **state)
{
	struct habits *h = habits_new(10);
	struct habits_stats s;

	(void)state;
	for (uint64_t round = 0; round < 8; round++)
		for (uint16_t port = 1; port <= 5; port++) {
			struct contact_key key = key_of("10.0.0.5", "10.0.0.9", port);
			uint64_t t = BASE + round * 10 * S;

			habits_see(h, &key, NULL, t, t);
		}
	habits_stats_get(h, &s);
	assert_int_equal(s.live, 10);
	assert_int_equal(s.learnt, 10);
	assert_int_equal(s.candidates, 0);
	for (uint64_t round = 0; round < 8; round++) {
		struct contact_key key = key_of("10.0.0.6", "10.0.0.9", 1);
		uint64_t t = BASE + 10 * M + round * 10 * S;

		habits_see(h, &key, NULL, t, t);
	}
	for (uint16_t port = 1; port <= 100; port++) {
		struct contact_key key = key_of("10.0.0.7", "10.0.0.9", port);

		habits_see(h, &key, NULL, BASE + H, BASE + H + M);
	}
	habits_stats_get(h, &s);
	assert_int_equal(s.live, 10);
	assert_int_equal(s.evicted, 2);
	assert_int_equal(s.candidates, 10);
	/* 200 came, ten stay; and some that had been seen once met in the filter. */
	assert_in_range(s.overlooked, 190, 230);
	habits_free(h);
}

static void a_week_unseen_is_forgotten(void **state)
{
	struct contact_key key = key_of("10.0.0.5", "10.0.0.9", 22);
	struct habits *h = habits_new(16);

	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		habits_see(h, &key, NULL, BASE + i * M, BASE + i * M);
	habits_expire(h, BASE + 7 * M + 7 * 24 * H);
	assert_int_equal(live(h), 2);
	habits_expire(h, BASE + 7 * M + 7 * 24 * H + 1);
	assert_int_equal(live(h), 0);
	habits_free(h);
}

/* --- a world with an engine --- */

struct world {
	struct config cfg;
	struct engine *engine;
	uint64_t now, flushed; /* since BASE */
	unsigned int opened, updates, closed;
	unsigned int of_rule[8]; /* opened, by index of the rule */
	struct ip_addr orig[16]; /* of whom, in the order of opening */
	char ports[64];		 /* of the last that opened */
	const char *technique;	 /* its */
	uint64_t last_open;
	uint32_t last_count; /* of the last that closed */
	uint64_t last_span;
	const char *program[4]; /* whose port 5432, 6379, 9092 is, by the originator's last digit */
	struct owners *owners;
	uint32_t jitter;
};

enum {
	PORT_SCAN,
	BASIC_SCANNING,
	SWEEP,
	SLOW_SCAN
};

static void on_alert(void *ctx, struct alert *a, enum alert_state state)
{
	const char *technique[ALERT_TECHNIQUES_MAX];
	struct world *w = ctx;

	w->updates += state == ALERT_UPDATE;
	if (state == ALERT_CLOSE) {
		w->closed++;
		w->last_count = a->count;
		w->last_span = alert_span_ns(a);
	}
	if (state != ALERT_OPEN)
		return;
	if (w->opened < ARRAY_SIZE(w->orig))
		w->orig[w->opened] = a->orig;
	w->opened++;
	w->of_rule[rules_find(&w->cfg.rules, a->rule->name) - w->cfg.rules.rule]++;
	w->last_open = w->now;
	w->ports[0] = '\0';
	assert_int_equal(alert_techniques(a, technique), 1);
	w->technique = technique[0];
	if (a->ports)
		portset_format(a->ports, ANSWER_MAX, w->ports, sizeof(w->ports));
}

static struct world *world_new(bool habits)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	config_defaults(&w->cfg);
	w->cfg.habits = habits;
	w->engine = engine_new(&w->cfg, on_alert, w);
	assert_non_null(w->engine);
	return w;
}

static void world_free(struct world *w)
{
	engine_free(w->engine);
	owners_free(w->owners);
	free(w);
}

/* pass - the clock goes on to t since BASE, with a drain every second on the way. */
static void pass(struct world *w, uint64_t t)
{
	while (w->flushed + S <= t) {
		w->flushed += S;
		w->now = w->flushed;
		engine_flush(w->engine, BASE + w->flushed, false);
	}
	w->now = t;
}

/* look - somebody is silent at a port, at t since BASE (or now, if that is past). */
static void look(struct world *w, uint64_t t, const char *orig, const char *resp, uint16_t port,
		 uint32_t bits)
{
	struct contact_key key = key_of(orig, resp, port);
	struct contact c = { .word = bits, .silent = 1, .dir = DIR_EGRESS };

	pass(w, t > w->now ? t : w->now);
	c.silent_first_ns = c.silent_last_ns = BASE + t;
	engine_contact(w->engine, &key, &c);
}

static uint32_t below(struct world *w, uint32_t n)
{
	w->jitter = w->jitter * 1664525u + 1013904223u;
	return (w->jitter >> 8) % n;
}

static struct engine_stats stats_of(const struct world *w)
{
	struct engine_stats s;

	engine_stats_get(w->engine, &s);
	return s;
}

/* --- FP-01: kubelet probes on pods that come and go --- */

static void kubelet_round(struct world *w, uint64_t t, unsigned int generation)
{
	static const uint16_t ports[] = { 5432, 8080, 9187 };
	char pod[32];

	for (unsigned int p = 0; p < 3; p++)
		for (size_t i = 0; i < 3; i++) {
			snprintf(pod, sizeof(pod), "10.244.1.%u", 20 + 3 * generation + p);
			/* Its FIN and its RST after the handshake are the same to us. */
			look(w, t + p * S + i * 100, "10.244.1.1", pod, ports[i], HANDSHAKE);
		}
}

static void fp_01_pods_that_live_ten_minutes(void **state)
{
	struct world *w = world_new(true);
	unsigned int at_start;

	(void)state;
	for (uint64_t t = 0; t < H; t += 10 * S)
		kubelet_round(w, t, (unsigned int)(t / (10 * M)));
	pass(w, H + 10 * M);
	at_start = w->opened;
	/* Those of the first minute, before it is learnt; none of the fifteen pods that follow. */
	assert_in_range(at_start, 1, 3);
	assert_true(w->last_open < 10 * S);
	assert_int_equal(w->updates, 0);
	assert_true(stats_of(w).excused > 2500);
	/* The same originator looks at other ports of a pod. */
	for (uint16_t port = 20; port < 30; port++)
		look(w, H + 10 * M + port * 1000, "10.244.1.1", "10.244.1.36", port, REFUSED);
	pass(w, H + 11 * M);
	assert_int_equal(w->opened, at_start + 1);
	assert_int_equal(w->of_rule[PORT_SCAN], at_start + 1);
	assert_string_equal(w->ports, "20-29");
	world_free(w);
}

/* --- FP-02: load balancers --- */

static const struct balancer_case {
	const char *name;
	uint32_t bits;
	const char *technique;
} balancer_cases[] = {
	{ "FP-02 a: SYN, SYN-ACK, RST", HALF_OPEN, "syn" },
	{ "FP-02 b, c: handshake, then RST or FIN", HANDSHAKE, "connect" },
};

static void test_balancer(void **state)
{
	const struct balancer_case *c = *state;
	static const uint16_t ports[] = { 30080, 30443, 31883 };
	struct world *w = world_new(true);

	for (uint64_t t = 0; t < 2 * H; t += 5 * S)
		for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
			look(w, t + i * S / 10, "10.0.0.5", "10.0.9.10", ports[i], c->bits);
			look(w, t + i * S / 10, "10.0.1.5", "10.0.9.10", ports[i], c->bits);
		}
	assert_int_equal(w->opened, 2); /* one each */
	assert_string_equal(w->technique, c->technique);
	assert_int_equal(w->of_rule[PORT_SCAN], 2);
	assert_int_equal(w->updates, 0);
	assert_int_equal(w->closed, 2);
	assert_int_equal(stats_of(w).habits.live, 2 * 2 * 3);
	assert_int_equal(stats_of(w).habits.learnt, 2 * 2 * 3);
	world_free(w);
}

/* --- FP-03: monitoring that only knocks --- */

static const struct monitor_case {
	const char *name;
	uint64_t every_ns;
	bool habits;
	unsigned int alerts;	/* at the most */
	uint64_t quiet_from_ns; /* no alert opens later */
} monitor_cases[] = {
	{ "FP-03: every minute, with 20 s of jitter: one alert", M, true, 1, M },
	{ "FP-03: every 5 minutes: a quarter of an hour", 5 * M, true, 4, 20 * M },
	{ "FP-03: every 15 minutes: three quarters of an hour", 15 * M, true, 4, 50 * M },
	{ "FP-03: every hour, which is the longest: three hours", H, true, 4, 3 * H + 5 * M },
	{ "FP-03: every 15 minutes without habits: for ever", 15 * M, false, 96, 24 * H },
};

static void test_monitor(void **state)
{
	static const uint16_t ports[] = { 22, 80, 443, 3306, 5432 };
	const struct monitor_case *c = *state;
	struct world *w = world_new(c->habits);

	for (uint64_t t = 0; t < 24 * H; t += c->every_ns) {
		uint64_t at[ARRAY_SIZE(ports)];

		at[0] = t + below(w, 20000) * (S / 1000);
		for (size_t i = 0; i < ARRAY_SIZE(ports); i++) { /* they begin within 20 s */
			uint64_t left = t + 20 * S - at[i];

			look(w, at[i], "10.0.0.30", "10.0.0.40", ports[i], HANDSHAKE);
			if (i + 1 < ARRAY_SIZE(ports))
				at[i + 1] =
					at[i] + below(w, (uint32_t)(left / (S / 1000) / 4 + 1)) *
							(S / 1000);
		}
	}
	pass(w, 24 * H);
	assert_in_range(w->opened, c->habits ? 1 : 90, c->alerts);
	assert_true(w->last_open <= c->quiet_from_ns);
	assert_int_equal(w->of_rule[PORT_SCAN], w->opened); /* none of slow-scan: all was said */
	world_free(w);
}

/* --- FP-08: a browser that connects ahead --- */

static void fp_08_preconnects_that_are_used_are_none(void **state)
{
	static const uint16_t ports[] = { 3000, 9090, 9093 };
	struct world *w = world_new(true);

	(void)state;
	for (uint64_t t = 0; t < 2 * H; t += M)
		for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
			struct contact_key key = key_of("10.0.0.100", "10.0.0.101", ports[i]);
			struct contact c = { .word = CONTACT_PAYLOAD, .carried = 1 };

			pass(w, t + 6 * S);
			c.carried_first_ns = c.carried_last_ns = BASE + t;
			engine_contact(w->engine, &key, &c);
			look(w, t + 6 * S, "10.0.0.100", "10.0.0.101", ports[i], HANDSHAKE);
		}
	assert_int_equal(w->opened, 0);
	assert_int_equal(stats_of(w).habits.live,
			 0); /* payload outweighs: there is nothing to excuse */
	world_free(w);
}

/* --- FP-10: one checker, one port, forty backends --- */

static void check_backends(struct world *w, uint64_t t, unsigned int first, unsigned int n)
{
	char backend[32];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(backend, sizeof(backend), "10.0.2.%u", first + i);
		look(w, t + i * S / 8, "10.0.0.5", backend, 443, HANDSHAKE);
	}
}

static void fp_10_forty_backends(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (uint64_t t = 0; t < 30 * M; t += 10 * S)
		check_backends(w, t, 1, 40);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->of_rule[SWEEP], 1);
	assert_int_equal(w->closed, 1);
	for (uint64_t t = 30 * M; t < H; t += 10 * S) /* two are exchanged */
		check_backends(w, t, 3, 40);
	assert_int_equal(w->opened, 1);
	/* Somebody else sweeps; then the checker itself, at its own port, over strangers. */
	for (unsigned int i = 1; i <= 40; i++) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.2.%u", i);
		look(w, H + i * S / 100, "10.0.0.6", host, 445, REFUSED);
	}
	pass(w, H + 2 * S);
	assert_int_equal(w->of_rule[SWEEP], 2);
	check_backends(w, H + 10 * S, 100, 24);
	pass(w, H + 20 * S);
	assert_int_equal(w->of_rule[SWEEP], 2);
	check_backends(w, H + 20 * S, 124, 1);
	pass(w, H + 30 * S);
	assert_int_equal(w->of_rule[SWEEP], 3);
	assert_int_equal(w->opened, 3);
	world_free(w);
}

/* --- FP-11: scripts that wait for what they need --- */

static bool who_opened(const void *ctx, const struct contact_key *key, struct socket_owner *ret)
{
	const struct world *w = ctx;
	uint8_t digit = ((const uint8_t *)&key->orig)[15] % 4;

	*ret = (struct socket_owner){ .source = OWNER_COOKIE, .pid = 1u + digit, .start_ns = 1 };
	if (!w->program[digit])
		return false;
	strcpy(ret->comm, w->program[digit]);
	return true;
}

static size_t no_args(const void *ctx, uint32_t pid, uint64_t start_ns, char *buf)
{
	(void)ctx;
	(void)pid;
	(void)start_ns;
	(void)buf;
	return 0;
}

static bool no_cgroup(const void *ctx, uint64_t id, char *buf, size_t len)
{
	(void)ctx;
	(void)id;
	(void)buf;
	(void)len;
	return false;
}

static bool no_far_end(const void *ctx, uint32_t ifindex, char *buf, size_t len)
{
	return no_cgroup(ctx, ifindex, buf, len);
}

static void know_owners(struct world *w)
{
	const struct owner_kernel kernel = { w, who_opened, no_args, no_cgroup, no_far_end };

	w->owners = owners_new(&kernel);
	assert_non_null(w->owners);
	engine_owners(w->engine, w->owners);
}

static void wait_for_three(struct world *w, const char *orig, uint64_t from, uint64_t to)
{
	static const uint16_t ports[] = { 5432, 6379, 9092 };

	for (uint64_t t = from; t < to; t += 2 * S) {
		size_t open = t - from < 30 * S ? 1 : t - from < M ? 2 : 3;

		for (size_t i = 0; i < 3 && i <= open; i++)
			look(w, t + i * 1000, orig, "10.0.0.120", ports[i],
			     i < open ? HANDSHAKE : REFUSED);
	}
}

static void fp_11_a_script_that_waits(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	w->program[0] = w->program[1] = "nc";
	know_owners(w);
	wait_for_three(w, "10.0.0.124", 0, 5 * M);
	pass(w, 20 * M);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->updates, 0);
	/* Started again as another container: the program is known. Another program is not. */
	wait_for_three(w, "10.0.0.125", 20 * M, 25 * M);
	assert_int_equal(w->opened, 1);
	w->program[2] = "nmap";
	wait_for_three(w, "10.0.0.126", 30 * M, 35 * M);
	assert_int_equal(w->opened, 2);
	world_free(w);
}

/* --- MS-01: a patient scanner --- */

static void ms_01_every_port_in_eight_windows_before_the_next(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned int i = 0; i < 12 * 8; i++)
		look(w, i * 5 * M, "10.0.1.10", "10.0.1.20", (uint16_t)(100 + i / 8), REFUSED);
	pass(w, 9 * H);
	assert_true(stats_of(w).habits.learnt > 2 * 10); /* each of them became one */
	assert_int_equal(w->of_rule[PORT_SCAN], 0);
	assert_int_equal(w->of_rule[SLOW_SCAN], 1);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->last_open, 4 * 8 * 5 * M + S); /* with its fifth port */
	world_free(w);
}

static void ms_01_old_habits_of_five_ports_are_no_slow_scan(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	/* A port more every other day: five habits in the end, none of them young at once. */
	for (uint64_t t = 0; t < 10 * 24 * H; t += 10 * M)
		for (unsigned int i = 0; i <= t / (48 * H); i++)
			look(w, t + i * M, "10.0.1.10", "10.0.1.20", (uint16_t)(100 + i),
			     HANDSHAKE);
	assert_int_equal(w->of_rule[SLOW_SCAN], 0);
	world_free(w);
}

/* --- MS-05: the second scan --- */

static void scan_100(struct world *w, uint64_t t, const char *resp)
{
	for (uint16_t port = 1; port <= 100; port++)
		look(w, t + port * (S / 100), "10.0.1.50", resp, port, REFUSED);
}

static void ms_05_another_host_and_the_same_again(void **state)
{
	struct world *w = world_new(true);
	unsigned int more = 0;

	(void)state;
	scan_100(w, 0, "10.0.1.51");
	scan_100(w, S, "10.0.1.52");
	for (uint64_t t = 2 * M; t < 3 * H; t += 2 * M) { /* a port more every two minutes */
		if (t == 12 * M) {
			assert_int_equal(w->closed,
					 1); /* the first is over before it comes again */
			scan_100(w, t, "10.0.1.51");
		}
		look(w, t + S, "10.0.1.50", "10.0.1.52", (uint16_t)(1000 + more++), REFUSED);
	}
	pass(w, 3 * H);
	assert_int_equal(w->of_rule[PORT_SCAN], 3);
	assert_int_equal(w->opened, 3);
	assert_int_equal(w->updates, 0); /* 100 ports and 89 */
	assert_int_equal(w->closed, 2);
	pass(w, 3 * H + 10 * M);
	assert_int_equal(w->closed, 3);
	assert_int_equal(w->last_count, 100 + more); /* the last word has it all */
	assert_true(w->last_span >= 3 * H - 3 * M);
	world_free(w);
}

/* --- one stranger among habits --- */

static void check_four(struct world *w, uint64_t from, uint64_t to)
{
	for (uint64_t t = from; t < to; t += M)
		for (uint16_t port = 1; port <= 4; port++)
			look(w, t + port, "10.0.0.30", "10.0.0.40", port, HANDSHAKE);
}

static void one_new_port_counts_with_the_habits_as_context(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	check_four(w, 0, H);
	pass(w, H);
	assert_int_equal(w->opened, 1);
	assert_int_equal(w->closed, 1);
	look(w, H, "10.0.0.30", "10.0.0.40", 8080, HANDSHAKE);
	pass(w, H + 5 * S);
	assert_int_equal(w->opened, 2);
	assert_string_equal(w->ports, "1-4,8080");
	check_four(w, H + M, H + 20 * M); /* which do not keep it open */
	assert_int_equal(w->closed, 2);
	assert_int_equal(w->opened, 2);
	world_free(w);
}

static void the_stranger_may_come_before_the_habits(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	check_four(w, 0, H);
	pass(w, H + 20 * M);
	look(w, H + 20 * M, "10.0.0.30", "10.0.0.40", 8080, HANDSHAKE);
	pass(w, H + 21 * M);
	assert_int_equal(w->opened, 1);
	check_four(w, H + 21 * M, H + 22 * M);
	pass(w, H + 22 * M);
	assert_int_equal(w->opened, 2);
	assert_string_equal(w->ports, "1,2,8080"); /* with the second of them: three */
	world_free(w);
}

static void what_no_program_sends_is_never_a_habit(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (uint64_t t = 0; t < 3 * H; t += 10 * M)
		for (uint16_t port = 1; port <= 3; port++)
			look(w, t, "10.0.0.30", "10.0.0.40", port, REFUSED | CONTACT_XMAS);
	pass(w, 3 * H);
	assert_int_equal(stats_of(w).habits.candidates, 0);
	assert_int_equal(w->opened, 18);
	world_free(w);
}

static void a_large_scan_leaves_candidates_alone(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (uint32_t port = 1; port <= 65535; port++)
		look(w, port * (S / 1000), "10.0.0.30", "10.0.0.40", (uint16_t)port, REFUSED);
	assert_int_equal(w->of_rule[PORT_SCAN], 1);
	assert_int_equal(stats_of(w).habits.candidates, 0);
	world_free(w);
}

static void without_habits_none_are_learnt(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	assert_null(engine_habits(w->engine));
	check_four(w, 0, H);
	assert_int_equal(w->closed, 0); /* open, and kept open */
	assert_int_equal(stats_of(w).excused, 0);
	world_free(w);
}

static void by_the_letter_none_are_learnt(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	(void)state;
	assert_non_null(w);
	config_defaults(&w->cfg);
	w->cfg.profile = PROFILE_SPLUNK;
	rules_builtin(w->cfg.profile, &w->cfg.rules);
	w->engine = engine_new(&w->cfg, on_alert, w);
	assert_null(engine_habits(w->engine));
	world_free(w);
}

/* --- the state file --- */

struct place {
	char dir[64], path[96], aside[112], temp[112];
};

static void place_make(struct place *p)
{
	strcpy(p->dir, "/tmp/reconmon-habit-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/habits.json", p->dir);
	snprintf(p->aside, sizeof(p->aside), "%s.damaged", p->path);
	snprintf(p->temp, sizeof(p->temp), "%s.new", p->path);
}

static void place_remove(const struct place *p)
{
	unlink(p->path);
	unlink(p->aside);
	assert_int_equal(access(p->temp, F_OK), -1);
	assert_int_equal(rmdir(p->dir), 0);
}

static void habits_outlive_daemon_and_boot(void **state)
{
	const int64_t offset = 1795574000ll * (int64_t)S;
	struct world *w = world_new(true), *again = world_new(true);
	struct place p;
	struct error err;
	uint32_t n;

	(void)state;
	w->program[0] = w->program[2] = "nc";
	know_owners(w);
	place_make(&p);
	check_four(w, 0, 2 * H);
	assert_int_equal(w->opened, 1);
	assert_int_equal(habits_save(engine_habits(w->engine), p.path, offset, &err), 0);
	/* Ten minutes later and after a boot: the evidence's clock has begun anew, at BASE. */
	assert_int_equal(habits_load(engine_habits(again->engine), p.path, BASE,
				     offset + (int64_t)(2 * H + 10 * M), &n, &err),
			 0);
	assert_int_equal(n, 3 * 4);
	check_four(again, 0, H);
	assert_int_equal(again->opened, 0);
	look(again, H, "10.0.0.30", "10.0.0.40", 8080, HANDSHAKE);
	pass(again, H + 5 * S);
	assert_int_equal(again->opened, 1);
	assert_string_equal(again->ports, "1-4,8080");
	place_remove(&p);
	world_free(w);
	world_free(again);
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

#define ENTRY(whose, port)                                                                         \
	"{\"version\":1,\"habits\":[{" whose ",\"port\":" port ",\"protocol\":6,\"since_ms\":1,"   \
	"\"ready_ms\":2,\"last_ms\":3,\"pause_ms\":1,\"seen\":9,\"excused\":0,\"said\":true}]}"
#define SERVICE "\"kind\":\"service\",\"originator\":\"10.0.0.5\""

static const struct file_case {
	const char *name, *text;
	int want; /* habits, or a negative errno */
} file_cases[] = {
	{ "a habit", ENTRY(SERVICE, "22"), 1 },
	{ "none", "{\"version\":1,\"habits\":[]}", 0 },
	{ "what a later version may add", "{\"version\":1,\"habits\":[],\"x\":1}", 0 },
	{ "an empty file", "", -EINVAL },
	{ "half a file", "{\"version\":1,\"habits\":[", -EINVAL },
	{ "another version", "{\"version\":2,\"habits\":[]}", -EINVAL },
	{ "no version", "{\"habits\":[]}", -EINVAL },
	{ "a list", "[]", -EINVAL },
	{ "habits that are no list", "{\"version\":1,\"habits\":{}}", -EINVAL },
	{ "a habit that is none", "{\"version\":1,\"habits\":[7]}", -EINVAL },
	{ "a kind that is none", ENTRY("\"kind\":\"x\",\"originator\":\"10.0.0.5\"", "22"),
	  -EINVAL },
	{ "an address that is none", ENTRY("\"kind\":\"service\",\"originator\":\"10.0.0\"", "22"),
	  -EINVAL },
	{ "a contact with nobody", ENTRY("\"kind\":\"contact\",\"originator\":\"10.0.0.5\"", "22"),
	  -EINVAL },
	{ "a program without a name", ENTRY("\"kind\":\"program\",\"program\":\"\"", "22"),
	  -EINVAL },
	{ "a program with a long name",
	  ENTRY("\"kind\":\"program\",\"program\":\"0123456789abcdef0\"", "22"), -EINVAL },
	{ "a program", ENTRY("\"kind\":\"program\",\"program\":\"nc\",\"uid\":7", "22"), 1 },
	{ "a port too high", ENTRY(SERVICE, "65536"), -EINVAL },
	{ "a port below zero", ENTRY(SERVICE, "-1"), -EINVAL },
	{ "a port that is text", ENTRY(SERVICE, "\"22\""), -EINVAL },
};

static void test_file(void **state)
{
	const struct file_case *c = *state;
	struct habits *h = habits_new(16);
	struct error err = { .exit_code = 0 };
	struct place p;
	uint32_t n = 99;
	int r;

	place_make(&p);
	write_file(p.path, c->text, strlen(c->text));
	r = habits_load(h, p.path, BASE, 0, &n, &err);
	assert_int_equal(r, c->want < 0 ? c->want : 0);
	assert_int_equal(n, c->want < 0 ? 0 : c->want);
	assert_int_equal(live(h), n);
	/* What is damaged is set aside, what is not stays. */
	assert_int_equal(access(p.aside, F_OK), c->want < 0 ? 0 : -1);
	assert_int_equal(access(p.path, F_OK), c->want < 0 ? -1 : 0);
	if (c->want < 0) {
		assert_non_null(strstr(err.text, p.path));
		assert_non_null(strstr(err.text, "damaged"));
	}
	place_remove(&p);
	habits_free(h);
}

/* Wherever the file was cut off, nothing of it counts, or all of it. */
static void a_file_cut_at_every_byte(void **state)
{
	const char *text = ENTRY(SERVICE, "22");
	struct place p;

	(void)state;
	place_make(&p);
	for (size_t len = 0; len < strlen(text); len++) {
		struct habits *h = habits_new(16);
		struct error err;
		uint32_t n;

		write_file(p.path, text, len);
		assert_int_equal(habits_load(h, p.path, BASE, 0, &n, &err), -EINVAL);
		assert_int_equal(live(h), 0);
		habits_free(h);
	}
	place_remove(&p);
}

static void a_file_that_cannot_be_written_is_said(void **state)
{
	struct habits *h = habits_new(16);
	struct error err;
	struct place p;
	uint32_t n;

	(void)state;
	place_make(&p);
	assert_int_equal(habits_load(h, p.path, BASE, 0, &n, &err), 0); /* none is there: fine */
	assert_int_equal(n, 0);
	assert_int_equal(habits_save(h, "/nowhere/at/all.json", 0, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all.json.new"));
	assert_int_equal(mkdir(p.path, 0700), 0);
	assert_true(habits_load(h, p.path, BASE, 0, &n, &err) < 0);
	assert_true(habits_save(h, p.path, 0, &err) < 0);
	assert_int_equal(rmdir(p.path), 0);
	place_remove(&p);
	habits_free(h);
}

#define ROWS(rows, fn)                                                                             \
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)                                              \
		tests[n++] = (struct CMUnitTest)                                                   \
		{                                                                                  \
			.name = (rows)[i].name, .test_func = (fn),                                 \
			.initial_state = (void *)&(rows)[i]                                        \
		}

int main(void)
{
	static const struct CMUnitTest single[] = {
		cmocka_unit_test(a_burst_is_one_sighting),
		cmocka_unit_test(irregular_looks_are_none),
		cmocka_unit_test(late_evidence_changes_nothing),
		cmocka_unit_test(memory_is_bounded_and_what_leaves_is_counted),
		cmocka_unit_test(a_week_unseen_is_forgotten),
		cmocka_unit_test(fp_01_pods_that_live_ten_minutes),
		cmocka_unit_test(fp_08_preconnects_that_are_used_are_none),
		cmocka_unit_test(fp_10_forty_backends),
		cmocka_unit_test(fp_11_a_script_that_waits),
		cmocka_unit_test(ms_01_every_port_in_eight_windows_before_the_next),
		cmocka_unit_test(ms_01_old_habits_of_five_ports_are_no_slow_scan),
		cmocka_unit_test(ms_05_another_host_and_the_same_again),
		cmocka_unit_test(one_new_port_counts_with_the_habits_as_context),
		cmocka_unit_test(the_stranger_may_come_before_the_habits),
		cmocka_unit_test(what_no_program_sends_is_never_a_habit),
		cmocka_unit_test(a_large_scan_leaves_candidates_alone),
		cmocka_unit_test(without_habits_none_are_learnt),
		cmocka_unit_test(by_the_letter_none_are_learnt),
		cmocka_unit_test(habits_outlive_daemon_and_boot),
		cmocka_unit_test(a_file_cut_at_every_byte),
		cmocka_unit_test(a_file_that_cannot_be_written_is_said),
	};
	struct CMUnitTest tests[ARRAY_SIZE(steady_cases) + ARRAY_SIZE(balancer_cases) +
				ARRAY_SIZE(monitor_cases) + ARRAY_SIZE(file_cases) +
				ARRAY_SIZE(single)];
	size_t n = 0;

	ROWS(steady_cases, test_steady);
	ROWS(balancer_cases, test_balancer);
	ROWS(monitor_cases, test_monitor);
	ROWS(file_cases, test_file);
	memcpy(&tests[n], single, sizeof(single));
	return cmocka_run_group_tests_name("habit", tests, NULL, NULL);
}
