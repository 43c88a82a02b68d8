/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Millions of SYNs with forged addresses, on every CPU at once, and a scan in the middle of them:
 * nothing of the scan is lost, everything is counted, and when the flood is over all is as before.
 * No daemon comes by: what the kernel's tables hold at the end is what it would find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <frame.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "flood_plan.h"

#include "bpf_store.h"

enum {
	BUCKETS = 8192, /* as it ships */
	RATE = 5000,
	CHUNK = 20000, /* of a test run */
	CPUS_MAX = 8,
	FLOODED = 80,
};

static const __u8 target[4] = { 10, 0, 0, 1 }, scanner[4] = { 10, 0, 0, 99 };

static const struct row {
	const char *name;
	__u16 port;	    /* flooded; 0: any */
	__u16 refused;	    /* the target refuses what it gets, flood and scan */
	__u16 scan, probes; /* the scan's first port, and how many */
	__u32 found;	    /* of them, at least */
	__u32 flood;	    /* SYNs */
} rows[] = {
	{ "at one port: all of ten, the flooded one among them", FLOODED, 0, 75, 10, 10, 5000000 },
	{ "at one port, refused: all of ten", FLOODED, 1, 75, 10, 10, 500000 },
	{ "at any port: 90 of a hundred at least", 0, 0, 1000, 100, 90, 2000000 },
	{ "at any port, refused: 90 of a hundred at least", 0, 1, 1000, 100, 90, 500000 },
};

struct worker {
	struct bpf_store *s;
	int cpu, failed;
	__u64 sent, quota;
};

static void syn_build(struct frame *f, __u16 port, __u8 flags)
{
	struct ends ends = { .port = { 40000, port } };
	int answer = !!(flags & TCP_RST);
	struct layer l[] = { ETH(),
			     IPV4(.reversed = (__u8)answer),
			     TCP(.flags = flags, .seq = answer ? 0 : 1000, .ack = answer ? 1001 : 0,
				 .reversed = (__u8)answer),
			     { 0 } };

	memcpy(ends.v4[0], scanner, 4);
	memcpy(ends.v4[1], target, 4);
	frame_build(f, l, &ends);
}

static int frame_run(const struct bpf_program *prog, const struct frame *f, int repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b, .data_size_in = f->len,
		    .repeat = repeat);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct frame f;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	w->failed = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	syn_build(&f, FLOODED, TCP_SYN);
	for (; !w->failed && w->sent < w->quota; w->sent += CHUNK)
		w->failed = frame_run(w->s->skel->progs.flood_tc, &f, CHUNK);
	return NULL;
}

/* Keeps pace with the flood: a probe whenever its share has gone out. */
static void scan(struct bpf_store *s, const struct row *row, const struct worker *w, int cpus)
{
	for (__u16 i = 0; i < row->probes; i++) {
		__u64 due = (__u64)row->flood / row->probes * i;
		struct frame f;

		for (__u64 sent = 0; sent < due;) {
			struct timespec ms = { .tv_nsec = 200000 };

			nanosleep(&ms, NULL);
			sent = 0;
			for (int cpu = 0; cpu < cpus; cpu++)
				sent += *(const volatile __u64 *)&w[cpu].sent;
		}
		syn_build(&f, (__u16)(row->scan + i), TCP_SYN);
		assert_int_equal(frame_run(s->skel->progs.tc_ingress, &f, 1), 0);
		if (!row->refused)
			continue;
		syn_build(&f, (__u16)(row->scan + i), TCP_RST | TCP_ACK);
		assert_int_equal(frame_run(s->skel->progs.tc_egress, &f, 1), 0);
	}
}

static int is_scanner(const struct ip_addr *a)
{
	return !memcmp((const __u8 *)a + 12, scanner, 4);
}

static __u32 count_undecided(const struct bpf_store *s)
{
	__u32 n = 0;

	for (__u32 i = 0; i < s->buckets * NURSERY_WAYS; i++)
		n += TAG_STATE(s->tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS]) & STATE_LIVE &&
		     is_scanner(&s->vals[i / NURSERY_WAYS].v[i % NURSERY_WAYS].orig);
	return n;
}

static __u32 count_contacts(const struct bpf_map *map)
{
	struct contact_key key, *prev = NULL;
	__u32 n = 0;

	while (!bpf_map_get_next_key(bpf_map__fd(map), prev, &key)) {
		n += is_scanner(&key.orig);
		prev = &key;
	}
	return n;
}

/* want_sums - each SYN was followed, left out, or refused for want of room; and of those left out
 * each is counted at its service. */
static void want_sums(struct bpf_store *s, const struct row *row, __u64 sent)
{
	static struct stats per_cpu[1024];
	__u64 n[STAT_MAX], named = 0;
	__u32 zero = 0;

	bpf_store_stats(s, n);
	print_message("%llu SYNs: followed %llu, left out %llu, no room %llu, lost %llu\n", sent,
		      n[STAT_ATTEMPTS], n[STAT_GUARD], n[STAT_NURSERY_NO_ROOM],
		      n[STAT_NURSERY_EVICTED_UNSEEN]);
	/* A forged address that comes again with the same ports renews its attempt or is known. */
	assert_in_range(n[STAT_ATTEMPTS] + n[STAT_GUARD] + n[STAT_NURSERY_NO_ROOM] +
				n[STAT_NURSERY_GAVE_UP] + n[STAT_NURSERY_EXISTS] +
				n[STAT_NURSERY_COLLISION] + n[STAT_NURSERY_BUSY],
			sent - 8, sent);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.stats), &zero, per_cpu), 0);
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		for (int i = 0; i < GUARD_FLOODS; i++)
			named += per_cpu[cpu].unfollowed[i];
	assert_int_equal(named + n[STAT_GUARD_UNNAMED], n[STAT_GUARD]);
	assert_int_equal(n[STAT_GUARD_ENGAGED], row->port != 0);
	assert_true(!row->port || n[STAT_GUARD] > row->flood - 20 * RATE);
}

/* What is normal: whoever comes to the flooded port is followed again, two seconds later. */
static void want_normal(struct bpf_store *s)
{
	struct timespec second = { .tv_sec = 1 };
	__u64 before[STAT_MAX], after[STAT_MAX];
	struct frame f;

	for (int i = 0; i < 2; i++)
		nanosleep(&second, NULL);
	bpf_store_stats(s, before);
	syn_build(&f, FLOODED, TCP_SYN);
	s->skel->bss->flood_plan = (struct flood_plan){ .port = htons(FLOODED) };
	memcpy(&s->skel->bss->flood_plan.dst, target, 4);
	assert_int_equal(frame_run(s->skel->progs.flood_tc, &f, 100), 0);
	bpf_store_stats(s, after);
	assert_int_equal(after[STAT_ATTEMPTS] - before[STAT_ATTEMPTS], 100);
}

static __u32 jiffies_a_second(void)
{
	struct timespec t;

	clock_getres(CLOCK_MONOTONIC_COARSE, &t);
	return (__u32)(1000000000 / t.tv_nsec);
}

static void test_flood(void **state)
{
	const struct row *row = *state;
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct worker w[CPUS_MAX] = { 0 };
	pthread_t thread[CPUS_MAX];
	struct bpf_store s;
	__u64 sent = row->probes;
	__u32 found;

	cpus = cpus < CPUS_MAX ? cpus : CPUS_MAX;
	assert_int_equal(bpf_store_open_guarded(&s, BUCKETS, 1, RATE, jiffies_a_second()), 0);
	s.skel->bss->flood_plan =
		(struct flood_plan){ .port = htons(row->port), .refused = row->refused };
	memcpy(&s.skel->bss->flood_plan.dst, target, 4);
	for (int i = 0; i < cpus; i++) {
		w[i] = (struct worker){ .s = &s, .cpu = i, .quota = row->flood / (__u32)cpus };
		assert_int_equal(pthread_create(&thread[i], NULL, worker_main, &w[i]), 0);
	}
	scan(&s, row, w, cpus);
	for (int i = 0; i < cpus; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
		sent += w[i].sent;
	}
	found = count_undecided(&s) + count_contacts(s.skel->maps.contacts) +
		count_contacts(s.skel->maps.contacts_known);
	print_message("%u of %u probes\n", found, row->probes);
	assert_in_range(found, row->found, row->probes);
	want_sums(&s, row, sent);
	if (row->port)
		want_normal(&s);
	bpf_store_close(&s);
}

int main(void)
{
	struct CMUnitTest tests[sizeof(rows) / sizeof(rows[0])];

	if (bpf_store_skip())
		return 77;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name,
						.test_func = test_flood,
						.initial_state = (void *)&rows[i] };
	return cmocka_run_group_tests_name("a scan in a flood", tests, NULL, NULL);
}
