/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Several CPUs and the daemon's sweep at one nursery: each CPU is a pinned thread that runs packets
 * of flows they all share through tc_ingress; the sweep takes and marks through the mapping, as
 * user/sweep.c does, and now and then a daemon dies and another maps the tables anew; a thread
 * drains the contacts, as user/drain.c does. Afterwards every attempt that was stored must be
 * accounted for once, and every one that was judged told: a second time only where that is
 * counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <flows.h>
#include <frame.h>
#include <pthread.h>
#include <reconmon/drain_seq.h>
#include <sched.h>
#include <time.h>

#include "bpf_store.h"

enum {
	FLOWS = 96,
	OPS = 6,
	CPUS_MAX = 8,
	RUN_MS = 2500,
	REPEAT_MAX = 64,
	RESTART_MS = 50,
	BATCH = 4096,
};

static struct frame frames[FLOWS][OPS];

struct worker {
	int prog_fd, cpu, failed;
	__u32 random;
	volatile int *stop;
};

/* frames_build - of each flow: SYN, SYN with another number, SYN-ACK, RST, payload, FIN. */
static void frames_build(void)
{
	for (__u32 n = 0; n < FLOWS; n++) {
		struct packet syn = flow_packet(n);
		struct ends ends = { .port = { ntohs(syn.src_port), ntohs(syn.dst_port) } };
		struct layer l4[OPS] = {
			TCP(.flags = TCP_SYN, .seq = syn.seq),
			TCP(.flags = TCP_SYN, .seq = syn.seq + 1),
			TCP(.flags = TCP_SYN | TCP_ACK, .ack = syn.seq + 1, .reversed = 1),
			TCP(.flags = TCP_RST | TCP_ACK, .ack = syn.seq + 1, .reversed = 1),
			TCP(.flags = TCP_ACK, .seq = syn.seq + 2),
			TCP(.flags = TCP_FIN | TCP_ACK, .seq = syn.seq + 1),
		};

		memcpy(ends.v4[0], (__u8 *)&syn.src + 12, 4);
		memcpy(ends.v4[1], (__u8 *)&syn.dst + 12, 4);
		for (int op = 0; op < OPS; op++) {
			struct layer l[] = { ETH(),
					     IPV4(.reversed = l4[op].reversed),
					     l4[op],
					     DATA(op == 4 ? 10 : 0),
					     { 0 } };

			frame_build(&frames[n][op], l, &ends);
		}
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	w->failed = pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!*w->stop && !w->failed) {
		__u32 r = random_next(&w->random);
		const struct frame *f = &frames[r % FLOWS][(r >> 16) % OPS];
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f->b, .data_size_in = f->len,
			    .repeat = (int)(r >> 24) % REPEAT_MAX + 1);

		w->failed = bpf_prog_test_run_opts(w->prog_fd, &opts);
	}
	return NULL;
}

/* What contacts tell. */
struct told {
	__u64 silent, carried;
};

struct drainer {
	struct bpf_store *s;
	volatile int *stop;
	struct told told;
	__u64 batches, failed;
};

static void told_add(struct told *t, const struct contact_key *key, const struct contact *c)
{
	__u32 flow = ntohl((__u32)(key->orig.w[1] >> 32)) - 0x0a000000;
	struct attempt a = flow_attempt(flow);
	struct contact_key want = contact_key_of(&a);

	assert_true(flow < FLOWS);
	assert_memory_equal(key, &want, sizeof(*key));
	if (!CONTACT_BITS(c->word))
		return; /* made, and not written yet */
	assert_true(c->word >> CONTACT_HASH_SHIFT == contact_hash(key));
	t->silent += c->silent;
	t->carried += c->carried;
}

/* drain_map - empties a map of contacts, as take_contacts() of user/drain.c. */
static void drain_map(struct drainer *d, const struct bpf_map *map)
{
	static struct contact_key key[BATCH];
	static struct contact c[BATCH];
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	__u32 n = BATCH, cursor;
	int r = bpf_map_lookup_and_delete_batch(bpf_map__fd(map), NULL, &cursor, key, c, &n, &opts);

	if (r && r != -ENOENT) {
		d->failed++;
		return;
	}
	for (__u32 i = 0; i < n; i++)
		told_add(&d->told, &key[i], &c[i]);
	d->batches++;
}

static void *drainer_main(void *arg)
{
	struct timespec pause = { .tv_nsec = 300000 };
	struct drainer *d = arg;
	int last;

	do {
		last = *d->stop; /* once more after all have stopped */
		drain_enter(&d->s->skel->bss->drain_seq);
		drain_map(d, d->s->skel->maps.contacts);
		drain_map(d, d->s->skel->maps.contacts_known);
		drain_leave(&d->s->skel->bss->drain_seq);
		nanosleep(&pause, NULL);
	} while (!last);
	return NULL;
}

static void want_sums(struct bpf_store *s, const struct store *st, const struct swept *swept,
		      const struct drainer *d)
{
	__u64 n[STAT_MAX], ended;

	bpf_store_stats(s, n);
	ended = bpf_store_ended(s) + n[STAT_ENDED_FAILED];
	print_message(
		"inserted %llu: ended %llu, evicted unseen %llu, taken %llu, left %llu; twins "
		"%llu, unsure %llu, busy %llu, retries %llu, gave up %llu\n",
		n[STAT_ATTEMPTS], ended, n[STAT_NURSERY_EVICTED_UNSEEN], swept->taken,
		count_live(st), n[STAT_NURSERY_TWIN], n[STAT_NURSERY_UNSURE], n[STAT_NURSERY_BUSY],
		n[STAT_NURSERY_RETRY], n[STAT_NURSERY_GAVE_UP]);
	assert_int_equal(swept->torn, 0);
	assert_true(n[STAT_ATTEMPTS] > 1000 && swept->taken > 0);
	assert_int_equal(n[STAT_ATTEMPTS],
			 ended + n[STAT_NURSERY_EVICTED_UNSEEN] + swept->taken + count_live(st));
	assert_int_equal(n[STAT_NURSERY_COLLISION], 0);
	print_message("silent %llu, told %llu in %llu batches, again %llu, failed %llu\n",
		      n[STAT_SILENT], d->told.silent, d->batches, n[STAT_CONTACT_AGAIN],
		      n[STAT_CONTACT_FAILED]);
	assert_int_equal(d->failed, 0);
	assert_in_range(d->told.silent + n[STAT_CONTACT_FAILED], n[STAT_SILENT],
			n[STAT_SILENT] + n[STAT_CONTACT_AGAIN]);
	/* A renewal and an eviction hand over the payload of the attempt that they end. */
	assert_in_range(d->told.carried, 0, n[STAT_ATTEMPT_RENEWED] + n[STAT_NURSERY_EVICTED_SEEN]);
}

/* The kernel's hash is the host's under the seed that the programs were loaded with. */
static void test_seed(void **state)
{
	struct packet pkt = flow_packet(0);
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frames[0][0].b,
		    .data_size_in = frames[0][0].len);
	struct bpf_store s;
	struct store st = { 0 };
	__u64 h, found = 0;

	(void)state;
	assert_int_equal(bpf_store_open(&s, 8, 1), 0);
	memcpy(st.seed, s.skel->rodata->hash_seed, sizeof(st.seed));
	h = store_hash(&st, &pkt);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(s.skel->progs.tc_ingress), &opts),
			 0);
	for (int i = 0; i < NURSERY_WAYS; i++)
		found |= s.tags[h & 7].t[i];
	assert_int_equal(TAG_FP(found), TAG_FP(h));
	bpf_store_close(&s);
}

/* While a drain is under way, or after one was broken off, what is judged goes to its contact once
 * all the same. */
static void test_draining(void **state)
{
	volatile int stopped = 1;
	struct bpf_store s;
	struct drainer d = { .s = &s, .stop = &stopped };
	__u64 n[STAT_MAX];

	(void)state;
	assert_int_equal(bpf_store_open(&s, 8, 1), 0);
	drain_enter(&s.skel->bss->drain_seq);
	for (int op = 0; op < 4; op += 3) { /* SYN, RST */
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frames[0][op].b,
			    .data_size_in = frames[0][op].len);

		assert_int_equal(
			bpf_prog_test_run_opts(bpf_program__fd(s.skel->progs.tc_ingress), &opts),
			0);
	}
	drainer_main(&d);
	bpf_store_stats(&s, n);
	assert_int_equal(n[STAT_SILENT], 1);
	assert_int_equal(d.told.silent, 1);
	assert_int_equal(n[STAT_CONTACT_NEW], 1);
	assert_int_equal(n[STAT_CONTACT_AGAIN], 0);
	assert_int_equal(s.skel->bss->drain_seq, 2);
	bpf_store_close(&s);
}

/* The row's buckets decide how much the flows collide. */
static void test_stress(void **state)
{
	__u32 buckets = *(const __u32 *)*state;
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	struct timespec ms = { .tv_nsec = 1000000 };
	struct worker w[CPUS_MAX] = { 0 };
	struct swept swept = { .random = 1 };
	struct drainer d = { 0 };
	pthread_t thread[CPUS_MAX], draining;
	volatile int stop = 0, stopped = 0;
	struct store st = { 0 };
	struct bpf_store s;

	assert_int_equal(bpf_store_open(&s, buckets, 1), 0);
	st.bucket_mask = buckets - 1;
	d.s = &s;
	d.stop = &stopped;
	assert_int_equal(pthread_create(&draining, NULL, drainer_main, &d), 0);
	cpus = cpus < CPUS_MAX ? cpus : CPUS_MAX;
	for (int i = 0; i < cpus; i++) {
		w[i] = (struct worker){ .prog_fd = bpf_program__fd(s.skel->progs.tc_ingress),
					.cpu = i,
					.random = 2463534242u + (__u32)i * 7919,
					.stop = &stop };
		assert_int_equal(pthread_create(&thread[i], NULL, worker_main, &w[i]), 0);
	}
	for (int i = 0; i < RUN_MS; i++) {
		s.skel->bss->age_clock = (__u32)i / 16;
		st.now_ns = (__u64)(i / 16) << NURSERY_AGE_SHIFT;
		if (!(i % RESTART_MS))
			assert_int_equal(bpf_store_map(&s), 0);
		st.tags = s.tags;
		st.vals = s.vals;
		sweep_once(&st, &swept);
		nanosleep(&ms, NULL);
	}
	stop = 1;
	for (int i = 0; i < cpus; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(w[i].failed, 0);
	}
	stopped = 1;
	pthread_join(draining, NULL);
	want_sums(&s, &st, &swept, &d);
	bpf_store_close(&s);
}

int main(void)
{
	static __u32 one = 1, few = 8, many = 512;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_draining),
		{ "one bucket", test_stress, NULL, NULL, &one },
		{ "eight buckets", test_stress, NULL, NULL, &few },
		{ "room for all", test_stress, NULL, NULL, &many },
	};

	if (bpf_store_skip())
		return 77;
	frames_build();
	return cmocka_run_group_tests_name("nursery on several CPUs", tests, NULL, NULL);
}
