// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* What do windows and rules cost, and what does one piece of work hold up? With the default rules,
 * over 1,000 to 1,000,000 live groups:
 *
 *	fill	every probe is another originator's: forged addresses, groups of one, until the
 *		windows are full. Memory that is fresh to the host of a virtual machine costs it
 *		milliseconds a huge page
 *	flood	the same from then on: they push each other out
 *	steady	the same originators probe again, at random, one of two ports
 *	expire	all of these fall silent, and their windows pass
 *
 * Prints probes a second of processor time, bytes a group, and the longest stretch without a return
 * to the caller, who has other work waiting (the fastest of ROUNDS: what a busy machine adds is not
 * ours). Growth is the exponent of the time a probe between two sizes, 0 where it does not depend
 *on them. Rows that begin with `{` are for programs. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <reconmon/parse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "pieces.h"

#define NS_PER_S      1000000000ull
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum {
	ROUNDS = 3,
	TICK = 65536, /* probes in one: as many as the map `contacts` holds */
	SLICE = 256,  /* pieces at once, as drain.c feeds them */
	PROBES = 1 << 20,
	FLOOD_GROUPS = 4,  /* that a probe is in: one of each rule */
	STEADY_GROUPS = 5, /* of an originator: sweep has one a port */
};

static const uint32_t sizes[] = { 1000, 10000, 100000, 1000000 };

enum phase {
	FILL,
	FLOOD,
	STEADY,
	EXPIRE,
	PHASES
};

static const char *const phase_names[PHASES] = { "fill", "flood", "steady", "expire" };

/* What one size came to, the best of the rounds. */
struct result {
	double ns[PHASES];    /* processor time a probe; expire: a group */
	double pause[PHASES]; /* ns */
	double bytes;	      /* a group, by the engine's own account */
	double resident;      /* a group, by the kernel's */
	uint64_t groups;
};

struct bench {
	struct engine *engine;
	struct pieces pieces;
	uint64_t now_ns, random;
	double cpu, pause; /* ns so far */
};

static double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t draw(struct bench *b, uint32_t below)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return (uint32_t)((b->random * 0x2545F4914F6CDD1Dull >> 32) * below >> 32);
}

static void say_nothing(void *ctx, struct alert *a, enum alert_state state)
{
	(void)ctx;
	(void)a;
	(void)state;
}

/* probe - originator n has been silent at a port of one of 4,096 hosts, which is always the same.
 */
static void probe(struct bench *b, uint32_t n, uint16_t port)
{
	const struct contact_key key = {
		.orig = ip_addr_from_v4(htonl(0xc6000000 + n)),
		.resp = ip_addr_from_v4(htonl(0x0a000000 + n % 4096)),
		.resp_port = htons(port),
		.proto = PROTO_TCP,
	};
	struct contact c = {
		.word = CONTACT_NONE,
		.silent = 1,
		.silent_first_ns = b->now_ns,
		.silent_last_ns = b->now_ns,
	};

	pieces_add_contact(&b->pieces, &key, &c);
}

/* Work between two returns to the caller. */
static void note(struct bench *b, double cpu)
{
	double took = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu;

	b->cpu += took;
	if (took > b->pause)
		b->pause = took;
}

static void tick(struct bench *b)
{
	double begun = clock_of(CLOCK_THREAD_CPUTIME_ID);
	bool more;

	pieces_sort(&b->pieces);
	note(b, begun);
	do {
		begun = clock_of(CLOCK_THREAD_CPUTIME_ID);
		more = pieces_feed_some(&b->pieces, b->engine, SLICE) ||
		       engine_judge_some(b->engine, SLICE);
		note(b, begun);
	} while (more);
	pieces_clear(&b->pieces);
	begun = clock_of(CLOCK_THREAD_CPUTIME_ID);
	engine_flush(b->engine, b->now_ns, false);
	note(b, begun);
}

/* Probes of one second, then its tick. `from` numbers forged originators. */
static void feed(struct bench *b, enum phase phase, uint32_t sources, uint32_t from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		b->now_ns += NS_PER_S / TICK;
		if (phase <= FLOOD)
			probe(b, from + i, 80);
		else
			probe(b, draw(b, sources), 80 + (uint16_t)draw(b, 2));
	}
	tick(b);
}

static void phase_end(struct bench *b, struct result *ret, enum phase phase, double n)
{
	if (!ret->ns[phase] || b->cpu / n < ret->ns[phase])
		ret->ns[phase] = b->cpu / n;
	if (!ret->pause[phase] || b->pause < ret->pause[phase])
		ret->pause[phase] = b->pause;
	b->cpu = 0;
	b->pause = 0;
}

/* resident - bytes of this process that are in memory. */
static double resident(void)
{
	unsigned long pages = 0;
	FILE *f;

	malloc_trim(0);
	f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		exit(1);
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void bench_begin(struct bench *b, uint32_t groups_max)
{
	static struct config cfg;

	config_defaults(&cfg);
	cfg.groups_max = groups_max;
	*b = (struct bench){ .now_ns = 1000 * NS_PER_S, .random = 0x9E3779B97F4A7C15 };
	b->engine = engine_new(&cfg, say_nothing, NULL);
	if (!b->engine)
		exit(1);
}

static void bench_end(struct bench *b)
{
	pieces_done(&b->pieces);
	engine_free(b->engine);
}

static uint64_t live_groups(const struct bench *b)
{
	struct engine_stats s;

	engine_stats_get(b->engine, &s);
	return s.groups;
}

static void run_flood(uint32_t groups, struct result *ret)
{
	uint32_t room = groups / FLOOD_GROUPS, n;
	struct bench b;

	bench_begin(&b, room);
	for (uint32_t i = 0; i < room; i += n) {
		n = room - i < TICK ? room - i : TICK;
		feed(&b, FILL, 0, i, n);
	}
	phase_end(&b, ret, FILL, room);
	for (uint32_t i = 0; i < PROBES; i += TICK)
		feed(&b, FLOOD, 0, room + i, TICK);
	phase_end(&b, ret, FLOOD, PROBES);
	bench_end(&b);
}

static void run_steady(uint32_t groups, struct result *ret)
{
	double before = resident();
	struct engine_stats s;
	struct bench b;

	bench_begin(&b, groups);
	for (int i = 0; i < 3; i++) { /* until nearly all have shown both ports */
		for (uint32_t n = 0; n < groups; n += TICK)
			feed(&b, STEADY, groups / STEADY_GROUPS, 0, TICK);
	}
	b.cpu = 0;
	for (uint32_t i = 0; i < PROBES; i += TICK)
		feed(&b, STEADY, groups / STEADY_GROUPS, 0, TICK);
	phase_end(&b, ret, STEADY, PROBES);
	pieces_done(&b.pieces);
	engine_stats_get(b.engine, &s);
	ret->groups = s.groups;
	ret->bytes = (double)s.bytes / (double)s.groups;
	ret->resident = (resident() - before) / (double)s.groups;
	b.now_ns += 25 * 3600 * NS_PER_S;
	do {
		tick(&b);
		b.now_ns += NS_PER_S;
	} while (live_groups(&b));
	phase_end(&b, ret, EXPIRE, (double)ret->groups);
	bench_end(&b);
}

static void print_target(const char *name, const char *at, double value, const char *unit,
			 const char *target, bool met)
{
	printf("{\"name\": \"engine_%s%s\", \"value\": %.4g, \"unit\": \"%s\", \"target\": \"%s\", "
	       "\"met\": %s}\n",
	       name, at, value, unit, target, met ? "true" : "false");
}

static double longest(const struct result *r)
{
	double max = 0;

	for (int p = 0; p < PHASES; p++)
		max = r->pause[p] > max ? r->pause[p] : max;
	return max;
}

/* growth - x in time = size^x, from 10,000 groups (which no cache of ours holds) to the most. */
static double growth(const struct result *r, enum phase phase)
{
	const size_t last = ARRAY_SIZE(sizes) - 1;

	return log(r[last].ns[phase] / r[1].ns[phase]) / log((double)sizes[last] / sizes[1]);
}

int main(void)
{
	static struct result results[ARRAY_SIZE(sizes)];
	const struct result *most = &results[ARRAY_SIZE(sizes) - 1];
	double mb;

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			run_flood(sizes[i], &results[i]);
			run_steady(sizes[i], &results[i]);
		}
	printf("%9s %8s %12s %12s %12s %14s %14s\n", "groups", "phase", "M probes/s", "ns a probe",
	       "longest ms", "bytes a group", "resident");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (enum phase p = 0; p < PHASES; p++)
			printf("%9" PRIu64 " %8s %12.2f %12.1f %12.3f %14.1f %14.1f\n",
			       results[i].groups, phase_names[p], 1e3 / results[i].ns[p],
			       results[i].ns[p], results[i].pause[p] / 1e6, results[i].bytes,
			       results[i].resident);
	for (enum phase p = FLOOD; p < EXPIRE; p++) {
		double rate = 1e3 / most->ns[p];

		print_target("probes_1M_groups_", phase_names[p], rate, "M probes/s a core", ">= 2",
			     rate >= 2);
		print_target("growth_", phase_names[p], growth(results, p), "exponent", "<= 0.2",
			     growth(results, p) <= 0.2);
	}
	mb = most->resident * (double)most->groups / 1e6;
	print_target("memory_1M_groups", "", mb, "MB", "<= 250", mb <= 250);
	print_target("longest_stretch_1M_groups", "", longest(most) / 1e6, "ms", "<= 10",
		     longest(most) <= 10e6);
	return 0;
}
