/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How long does a drain take, by how much there is to take? The daemon's own drain, engine and
 * rules over the kernel's map `contacts`, filled from here: so many probes, each at a contact of
 * its own, a hundred ports to a pair of hosts. Prints milliseconds and nanoseconds a contact,
 * medians of rounds, and how the time grows. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drain.h"
#include "store_maps.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ROUNDS	      7

static const uint32_t fills[] = { 0, 600, 6000, 60000 };

static void no_alert(void *ctx, struct alert *a, enum alert_state state)
{
	(void)state;
	++*(uint64_t *)ctx;
	a->unopened = 0;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* fill - n refused probes: the i-th looks at port i % 100 of the i / 100-th pair of this round. */
static void fill(const struct bpf_side *b, uint32_t n, uint32_t round)
{
	int fd = bpf_map__fd(b->skel->maps.contacts);

	for (uint32_t i = 0; i < n; i++) {
		struct contact_key key = { .resp_port = htons((uint16_t)(1 + i % 100)),
					   .proto = PROTO_TCP };
		struct contact c = { .silent = 1 };
		uint32_t pair = htonl(10u << 24 | (round << 16) | (i / 100));

		memcpy((uint8_t *)&key.orig + 10, "\xff\xff", 2);
		memcpy((uint8_t *)&key.resp + 10, "\xff\xff", 2);
		memcpy((uint8_t *)&key.orig + 12, &pair, 4);
		pair ^= htonl(1u << 23);
		memcpy((uint8_t *)&key.resp + 12, &pair, 4);
		c.word = (__u64)(CONTACT_SILENT | CONTACT_CLOSED | CONTACT_SYN);
		c.silent_first_ns = c.silent_last_ns = clock_boot_ns();
		if (bpf_map_update_elem(fd, &key, &c, BPF_ANY)) {
			perror("contacts");
			exit(1);
		}
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	static struct config cfg;
	struct bpf_side b = { 0 };
	struct error err = { 0 };
	struct sweep *sweep = NULL;
	struct drain *drain = NULL;
	struct engine *engine;
	struct drain_stats stats;
	uint64_t alerts = 0, put = 0;
	double took[ARRAY_SIZE(fills)][ROUNDS];

	config_defaults(&cfg);
	rules_builtin(PROFILE_DEFAULT, &cfg.rules);
	engine = engine_new(&cfg, no_alert, &alerts);
	if (!engine || bpf_side_load(&cfg, 0, NULL, &b, &err) < 0 ||
	    sweep_open(&b, &cfg, &sweep, &err) < 0 ||
	    drain_open(&b, sweep, engine, &drain, &err) < 0) {
		fprintf(stderr, "bench_drain: %s\n", err.text);
		return 77;
	}
	for (uint32_t round = 0; round < ROUNDS; round++)
		for (size_t f = 0; f < ARRAY_SIZE(fills); f++) {
			double begun;
			uint64_t now;

			fill(&b, fills[f], round * (uint32_t)ARRAY_SIZE(fills) + (uint32_t)f);
			put += fills[f];
			now = clock_boot_ns();
			begun = now_ms();
			drain_tick(drain, now, clock_wall_offset_ns(now), put, false);
			took[f][round] = now_ms() - begun;
		}
	drain_stats_get(drain, &stats);
	printf("%8s %10s %12s\n", "contacts", "ms", "ns a contact");
	for (size_t f = 0; f < ARRAY_SIZE(fills); f++) {
		qsort(took[f], ROUNDS, sizeof(double), by_value);
		printf("%8u %10.3f", fills[f], took[f][ROUNDS / 2]);
		if (fills[f])
			printf(" %12.0f", took[f][ROUNDS / 2] * 1e6 / fills[f]);
		printf("\n");
		printf("{\"name\": \"drain_of_%u_contacts\", \"value\": %.4g, \"unit\": \"ms\", "
		       "\"target\": null, \"met\": null}\n",
		       fills[f], took[f][ROUNDS / 2]);
	}
	printf("{\"name\": \"drain_growth_600_to_60000\", \"value\": %.3g, \"unit\": \"exponent\", "
	       "\"target\": \"<= 1.1\", \"met\": %s}\n",
	       log(took[3][ROUNDS / 2] / took[1][ROUNDS / 2]) / log(100),
	       log(took[3][ROUNDS / 2] / took[1][ROUNDS / 2]) / log(100) <= 1.1 ? "true" : "false");
	printf("%llu contacts drained of %llu, %llu evicted, %llu times an alert spoke\n",
	       (unsigned long long)stats.contacts, (unsigned long long)put,
	       (unsigned long long)stats.evicted, (unsigned long long)alerts);
	drain_close(drain);
	sweep_close(sweep);
	bpf_side_unload(&b);
	engine_free(engine);
	return 0;
}
