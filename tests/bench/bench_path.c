/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What does the packet path add to each packet? By BPF test runs, in one process: every case and
 * its base (an empty program, or one that only writes the case's packets) take turns for ROUNDS
 * rounds, so that a machine that changes speed changes it for both. Prints, in nanoseconds, for
 * what the case names (one packet, or a conversation): the lowest of the path less the lowest of
 * the base, which is the cost on a machine that does nothing else, and the median of the
 * differences. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <frame.h>
#include <reconmon/flood.h>
#include <reconmon/owner.h>
#include <reconmon/tag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "path.h"

#include "path_lru.skel.h"
#include "path_nursery.skel.h"

#define ROUNDS	41
#define REPEAT	50000 /* short: whoever else is at work here spoils a few rounds, not all */
#define SETTLED 5000  /* runs before those that count */

struct bench_case {
	const char *name;
	struct layer packet[PLAN_STEPS][5];
	int is_data;	 /* 1: packet[0] as it is, every time; else the conversation of `packet` */
	int decided;	 /* is_data: ... and its connection has just carried its first payload */
	__u32 flows;	 /* of the conversation; a power of two */
	__u32 unswept;	 /* 1: nothing empties the slots of ended conversations */
	__u32 vary_addr; /* 1: each flow is a contact of its own */
	__u32 flood;	 /* 1: far above the guard's rate; the others never reach it */
	double target;	 /* nanoseconds over the nursery; 0: none was set */
};

#define SYN_STEP                                                                                   \
	{                                                                                          \
		ETH(), IPV4(), TCP(.flags = TCP_SYN, .seq = 1000), PAD(10)                         \
	}
#define PAYLOAD_STEP(...)                                                                          \
	{                                                                                          \
		ETH(), IPV4(), TCP(.flags = TCP_ACK, __VA_ARGS__), DATA(10)                        \
	}
#define ANSWER_STEP(...)                                                                           \
	{                                                                                          \
		ETH(), IPV4(.reversed = 1), TCP(.reversed = 1, .seq = 5000, __VA_ARGS__), PAD(10)  \
	}

static const struct bench_case cases[] = {
	{ "data, IPv4, innocent connection",
	  { { ETH(), IPV4(), TCP(.flags = TCP_ACK), DATA(100) } },
	  .is_data = 1,
	  .target = 11 },
	{ "data, IPv6, innocent connection",
	  { { ETH(), IPV6(), TCP(.flags = TCP_ACK), DATA(100) } },
	  .is_data = 1,
	  .target = 14 },
	{ "data, IPv4, payload not yet swept",
	  { PAYLOAD_STEP(.seq = 1001, .ack = 5001), SYN_STEP,
	    ANSWER_STEP(.flags = TCP_ACK, .ack = 1011) },
	  .is_data = 1,
	  .decided = 1 },
	{ "ACK, IPv4, innocent connection",
	  { { ETH(), IPV4(), TCP(.flags = TCP_ACK), PAD(10) } },
	  .is_data = 1,
	  .target = 11 },
	{ "data, IPv4, 65,536 connections in turn",
	  { { ETH(), IPV4(), TCP(.flags = TCP_ACK), DATA(10) } },
	  .flows = 65536 },
	{ "data, IPv4, with a VLAN tag",
	  { { ETH(), VLAN(), IPV4(), TCP(.flags = TCP_ACK), DATA(100) } },
	  .is_data = 1 },
	{ "UDP with payload, one flow", { { ETH(), IPV4(), UDP(), DATA(100) } }, .is_data = 1 },
	{ "UDP with payload, each a flow of its own",
	  { { ETH(), IPV4(), UDP(), DATA(18) } },
	  .flows = 65536 },
	{ "SYN + acknowledged payload, 64 flows",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_ACK, .ack = 1011) },
	  .flows = 64,
	  .target = 120 },
	{ "SYN + acknowledged payload, 65,536 flows",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_ACK, .ack = 1011) },
	  .flows = 65536 },
	{ "SYN + acknowledged payload, full of decided",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_ACK, .ack = 1011) },
	  .flows = 1u << 31,
	  .unswept = 1 },
	{ "SYN + SYN-ACK + payload, 64 flows",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_SYN | TCP_ACK, .ack = 1001),
	    PAYLOAD_STEP(.seq = 1001, .ack = 5001) },
	  .flows = 64 },
	{ "SYN + RST, contact known",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_RST | TCP_ACK, .ack = 1001) },
	  .flows = 64 },
	{ "SYN + RST, contact new",
	  { SYN_STEP, ANSWER_STEP(.flags = TCP_RST | TCP_ACK, .ack = 1001) },
	  .flows = 65536,
	  .vary_addr = 1 },
	{ "SYN of a flood, 65,536 forged addresses",
	  { SYN_STEP },
	  .flows = 65536,
	  .vary_addr = 1,
	  .flood = 1 },
};

static const struct hook {
	const char *name, *path, *empty, *cycle, *write;
} hooks[] = {
	{ "tc", "tc_ingress", "empty_tc", "cycle_tc", "write_tc" },
	{ "XDP", "xdp_ingress", "empty_xdp", "cycle_xdp", "write_xdp" },
};

struct subject {
	const char *name;
	struct bpf_object *obj;
	struct plan *plan;
	int flood; /* its guard has engaged: the cases of a flood are measured with it */
};

struct measured {
	double base[ROUNDS], path[ROUNDS], added[ROUNDS];
};

static __u32 case_steps(const struct bench_case *c)
{
	__u32 n = 0;

	while (n < PLAN_STEPS && c->packet[n][0].kind)
		n++;
	return n;
}

static void plan_set(struct plan *plan, const struct bench_case *c)
{
	__u32 flow = plan->flow; /* goes on, so that endless flows do not come again */
	struct frame f;

	memset(plan, 0, sizeof(*plan));
	plan->flow = flow;
	plan->swept = !c->unswept && case_steps(c) > 1;
	plan->steps = case_steps(c);
	plan->flow_mask = c->flows - 1;
	plan->vary_addr = c->vary_addr;
	for (__u32 i = 0; i < plan->steps; i++) {
		frame_build(&f, c->packet[i], &test_ends);
		memcpy(plan->packet[i], f.b, sizeof(plan->packet[i]));
		plan->from_resp[i] = c->packet[i][1].reversed;
	}
}

/* run_ns - whole nanoseconds a run of one program, by the kernel's clock around the runs alone; the
 * runs' own fixed cost is inside. */
static double run_ns(const struct subject *s, const char *program, const struct frame *f)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(s->obj, program);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b, .data_size_in = f->len);

	for (int i = 0; i < 2; i++) {
		opts.repeat = i ? REPEAT : SETTLED;
		if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts)) {
			perror(program);
			exit(1);
		}
	}
	return opts.duration;
}

/* packet_pass - one packet of the case through the path. */
static void packet_pass(const struct subject *s, const struct hook *h, const struct layer *packet)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(s->obj, h->path);
	struct frame f;

	frame_build(&f, packet, &test_ends);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f.b, .data_size_in = f.len);

	if (bpf_prog_test_run_opts(bpf_program__fd(prog), &opts)) {
		perror(h->path);
		exit(1);
	}
}

static void measure(const struct subject *s, const struct hook *h, const struct bench_case *c,
		    int round, struct measured *m)
{
	double base, path;
	struct frame f;

	frame_build(&f, c->packet[0], &test_ends);
	if (c->is_data) {
		for (__u32 i = 1; c->decided && i < case_steps(c); i++)
			packet_pass(s, h, c->packet[i]);
		base = run_ns(s, h->empty, &f);
		path = run_ns(s, h->path, &f);
	} else {
		plan_set(s->plan, c);
		base = run_ns(s, h->write, &f) * case_steps(c);
		plan_set(s->plan, c);
		path = run_ns(s, h->cycle, &f) * case_steps(c);
	}
	m->base[round] = base;
	m->path[round] = path;
	m->added[round] = path - base;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* print_json - for programs: "path_tc_data_IPv4_innocent_connection". */
static void print_json(const struct subject *s, const struct hook *h, const struct bench_case *c,
		       double median, double target)
{
	char name[128];
	int n = snprintf(name, sizeof(name), "path_%s_%s_", s->name, h->name);

	for (const char *p = c->name; *p && n < (int)sizeof(name) - 1; p++)
		if (isalnum((unsigned char)*p) || (*p == '-' && p[1]))
			name[n++] = *p;
		else if (name[n - 1] != '_')
			name[n++] = '_';
	name[n] = '\0';
	printf("{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"ns added\", \"target\": ", name,
	       median);
	if (target > 0)
		printf("\"<= %.0f\", \"met\": %s}\n", target, median <= target ? "true" : "false");
	else
		printf("null, \"met\": null}\n");
}

/* Where the time of an innocent data packet goes at tc: the path cut off after each stage. */
static const struct {
	const char *name, *program;
} stages[] = {
	{ "counters", "stage_count" },
	{ "parse", "stage_parse" },
	{ "hash", "stage_hash" },
	{ "table look-up, decision", "tc_ingress" },
};

static void stages_measure(const struct subject *s, const struct bench_case *c, int round,
			   double (*took)[ROUNDS])
{
	double before;
	struct frame f;

	frame_build(&f, c->packet[0], &test_ends);
	before = run_ns(s, "empty_tc", &f);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		double now = run_ns(s, stages[i].program, &f);

		took[i][round] = now - before;
		before = now;
	}
}

static void stages_print(const struct bench_case *c, double (*took)[ROUNDS])
{
	printf("%s, tc, by stage:", c->name);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		qsort(took[i], ROUNDS, sizeof(double), by_value);
		printf(" %s %.1f ns%s", stages[i].name, took[i][ROUNDS / 2],
		       i + 1 < ARRAY_SIZE(stages) ? "," : "\n");
	}
}

static void print_row(const struct subject *s, const struct hook *h, const struct bench_case *c,
		      struct measured *m)
{
	double target = strcmp(s->name, "nursery") ? 0 : c->target;
	double median;

	qsort(m->base, ROUNDS, sizeof(double), by_value);
	qsort(m->path, ROUNDS, sizeof(double), by_value);
	qsort(m->added, ROUNDS, sizeof(double), by_value);
	median = m->added[ROUNDS / 2];
	printf("%-8s %-4s %-42s %8.1f %8.1f %8.1f", s->name, h->name, c->name, m->base[ROUNDS / 2],
	       m->path[0] - m->base[0], median);
	if (target > 0)
		printf(" %7.0f %6.2f", target, median / target);
	printf("\n");
	print_json(s, h, c, median, target);
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The guard as it ships; a second without a jiffy begins anew with each attempt, so that the rate
 * is never reached. */
#define OPEN_PATH(store, rate, second)                                                             \
	({                                                                                         \
		struct path_##store *p = path_##store##__open();                                   \
		if (p) {                                                                           \
			p->rodata->guard_rate = (rate);                                            \
			p->rodata->guard_second = (second);                                        \
		}                                                                                  \
		if (p && path_##store##__load(p)) {                                                \
			path_##store##__destroy(p);                                                \
			p = NULL;                                                                  \
		}                                                                                  \
		p;                                                                                 \
	})

static int is_of(const struct subject *s, const struct bench_case *c)
{
	return (s->flood != 0) == (c->flood != 0);
}

int main(void)
{
	static double stage[2][ARRAY_SIZE(stages)][ROUNDS];
	static struct measured m[3][ARRAY_SIZE(hooks)][ARRAY_SIZE(cases)];
	struct path_nursery *nursery = OPEN_PATH(nursery, 5000, 0);
	struct path_nursery *flooded = OPEN_PATH(nursery, 100, 100);
	struct path_lru *lru = OPEN_PATH(lru, 5000, 0);
	struct subject subjects[3];

	if (!nursery || !lru || !flooded) {
		fprintf(stderr, "bench_path: loading: %s; needs CAP_BPF, CAP_NET_ADMIN\n",
			strerror(errno));
		return 77;
	}
	subjects[0] = (struct subject){ "nursery", nursery->obj, &nursery->bss->plan, 0 };
	subjects[1] = (struct subject){ "nursery", flooded->obj, &flooded->bss->plan, 1 };
	subjects[2] = (struct subject){ "lru", lru->obj, &lru->bss->plan, 0 };
	pin();

	for (int round = 0; round < ROUNDS; round++) {
		for (size_t c = 0; c < 2; c++) /* the first two cases are the data packets */
			stages_measure(&subjects[0], &cases[c], round, stage[c]);
		for (size_t s = 0; s < 3; s++)
			for (size_t h = 0; h < ARRAY_SIZE(hooks); h++)
				for (size_t c = 0; c < ARRAY_SIZE(cases); c++)
					if (is_of(&subjects[s], &cases[c]))
						measure(&subjects[s], &hooks[h], &cases[c], round,
							&m[s][h][c]);
	}

	printf("%-8s %-4s %-42s %8s %8s %8s %7s %6s\n", "store", "hook", "ns added by", "base",
	       "lowest", "median", "target", "ratio");
	for (size_t s = 0; s < 3; s++)
		for (size_t h = 0; h < ARRAY_SIZE(hooks); h++)
			for (size_t c = 0; c < ARRAY_SIZE(cases); c++)
				if (is_of(&subjects[s], &cases[c]))
					print_row(&subjects[s], &hooks[h], &cases[c], &m[s][h][c]);
	for (size_t c = 0; c < 2; c++)
		stages_print(&cases[c], stage[c]);
	path_nursery__destroy(nursery);
	path_nursery__destroy(flooded);
	path_lru__destroy(lru);
	return 0;
}
