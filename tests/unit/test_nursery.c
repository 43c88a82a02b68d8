/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* include/reconmon/nursery.h: the table alone, and under threads. tests/bpf/test_stress.c does the
 * latter on CPUs in the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <flows.h>
#include <pthread.h>
#include <time.h>

/* Under ThreadSanitizer (Makefile, test_nursery_tsan): a value is written whole while its tag is
 * BUSY, and whoever copies it proves by the tag that nobody wrote meanwhile. That is a race by the
 * letter, and the only one that is allowed: whatever else two threads do to a word must be atomic.
 */
#ifdef __SANITIZE_THREAD__
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:attempt_fill\nrace:nursery_take\nrace:nursery_settle\n";
}
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void on_judged_nothing(void *ctx, const struct attempt *a, __u32 bits)
{
	(void)ctx;
	(void)a;
	(void)bits;
}

static struct packet turned(struct packet pkt)
{
	struct packet back = pkt;

	back.src = pkt.dst;
	back.dst = pkt.src;
	back.src_port = pkt.dst_port;
	back.dst_port = pkt.src_port;
	return back;
}

static __u64 flow_hash(struct store *st, __u32 n)
{
	struct packet pkt = flow_packet(n);

	return store_hash(st, &pkt);
}

/* open_as - stores an attempt, as attempt_make() does one that it makes. Returns whether it is. */
static int open_as(struct store *st, __u64 h, const struct attempt *a, __u8 state)
{
	struct nursery_claim c;
	struct attempt *v = nursery_claim_value(st, h, a->acct & ACCT_KNOWN ? TAG_KNOWN : 0, &c);

	if (!v)
		return 0;
	*v = *a;
	v->acct |= (__u64)TAG_GEN(c.tag) << ACCT_GEN_SHIFT;
	nursery_publish(&c, state);
	return 1;
}

static int look_and_find(struct store *st, const struct packet *pkt, struct slot *ret)
{
	__u64 h = store_hash(st, pkt);

	return nursery_find(st, h, store_look(st, h), pkt, ret);
}

static void one_bucket(struct store *st)
{
	assert_int_equal(host_store_init(st, 1, on_judged_nothing, NULL), 0);
}

static void test_hash_of_both_directions(void **state)
{
	struct store st;

	(void)state;
	one_bucket(&st);
	for (__u32 n = 0; n < 1000; n++) {
		struct packet pkt = flow_packet(n), back;
		__u64 v4, v6;

		back = turned(pkt);
		v4 = store_hash(&st, &pkt);
		assert_true(v4 == store_hash(&st, &back));
		pkt.src.w[0] = n + 1;
		pkt.dst.w[0] = n + 2;
		back = turned(pkt);
		v6 = store_hash(&st, &pkt);
		assert_true(v6 == store_hash(&st, &back));
		assert_true(v4 != v6 && v4 >> 63 && v6 >> 63);
	}
	host_store_done(&st);
}

static int compare_hashes(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

/* A hundred by a hundred flows that differ in two places alone, each in steps of its own: regular,
 * as what scans and what balances load is. None may share a hash, whatever seed, and no bucket of
 * 1,024 has many times its share. */
struct grid {
	const char *name;
	unsigned src_shift, dst_shift; /* of the address' word in memory order; 64: the port */
	__u32 step;
	int is_v6;
};

static void grid_set(struct ip_addr *addr, __be16 *port, unsigned shift, __u32 n)
{
	if (shift == 64)
		*port = htons((__u16)(9001 + n));
	else if (shift > 64)
		addr->w[0] += (__u64)n << (shift - 65);
	else
		addr->w[1] += (__u64)n << shift;
}

static void grid_hashes(const struct grid *g, const __u64 *seed, __u64 *h)
{
	const struct packet base = { .src = ip_addr_from_v4(htonl(0x0a4d0200)),
				     .dst = ip_addr_from_v4(htonl(0x0a4d0200)),
				     .src_port = htons(9001),
				     .dst_port = htons(9001),
				     .proto = PROTO_TCP };

	for (__u32 i = 0; i < 10000; i++) {
		struct packet p = base;

		if (g->is_v6) {
			p.src.w[0] = p.dst.w[0] = 0x1000b80d0120;
			p.src.w[1] = p.dst.w[1] = 0;
		}
		/* The first counts from 101 on: else a flow and its own answer were both there. */
		grid_set(&p.src, &p.src_port, g->src_shift, (i / 100 + 101) * g->step);
		grid_set(&p.dst, &p.dst_port, g->dst_shift, i % 100 * g->step);
		h[i] = nursery_hash(&p, seed);
	}
}

static void test_hash_of_grids(void **state)
{
	/* An IPv4 address is the upper half of its word: its first octet begins at bit 32. */
	static const struct grid grids[] = {
		{ "last octets", 56, 56, 1, 0 },
		{ "third octets", 48, 48, 1, 0 },
		{ "first octets", 32, 32, 1, 0 },
		{ "ports", 64, 64, 1, 0 },
		{ "host and port", 56, 64, 1, 0 },
		{ "port and host", 64, 56, 1, 0 },
		{ "ports of 256", 64, 64, 256, 0 },
		{ "octets, crossed", 56, 32, 1, 0 },
		{ "IPv6 last octets", 56, 56, 1, 1 },
		{ "IPv6 middle octets", 0, 0, 1, 1 },
		{ "IPv6 networks", 65 + 56, 65 + 56, 1, 1 },
		{ "IPv6 ports", 64, 64, 1, 1 },
		{ "IPv6 host and port", 56, 64, 1, 1 },
		{ "IPv6 prefixes", 65, 65, 1, 1 },
	};
	static __u64 h[10000];
	__u64 seed[4] = { 0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1,
			  0x082EFA98EC4E6C89 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t g = 0; g < ARRAY_SIZE(grids); g++) {
			static __u32 load[1024];

			memset(load, 0, sizeof(load));
			grid_hashes(&grids[g], seed, h);
			for (int i = 0; i < 10000; i++)
				load[h[i] & 1023]++;
			for (int i = 0; i < 1024; i++)
				if (load[i] > 50) /* 10 expected; 50 is 12 standard deviations */
					fail_msg("%s: %u in a bucket", grids[g].name, load[i]);
			qsort(h, 10000, sizeof(h[0]), compare_hashes);
			for (int i = 1; i < 10000; i++)
				if (h[i] == h[i - 1])
					fail_msg("%s: a hash twice", grids[g].name);
		}
		for (int i = 0; i < 4; i++)
			seed[i] = seed[i] * HASH_PRIME + 2 * (__u64)round;
	}
}

/* One value of one flow changed is another flow, and so is the same flow under another seed. */
static void test_hash_differs(void **state)
{
	struct packet pkt = flow_packet(5), other[7];
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = store_hash(&st, &pkt);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		other[i] = pkt;
	other[0].src.w[1] ^= 1ull << 63;
	other[1].dst.w[1] ^= 1ull << 32;
	other[2].src_port ^= htons(1);
	other[3].dst_port ^= htons(0x8000);
	other[4].proto = PROTO_UDP;
	other[5].src_port = pkt.dst_port; /* ports swapped, hosts not */
	other[5].dst_port = pkt.src_port;
	other[6].src.w[0] = 1;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_true(TAG_FP(store_hash(&st, &other[i]) ^ h));
	st.seed[0] += 2;
	assert_true(TAG_FP(store_hash(&st, &pkt) ^ h));
	host_store_done(&st);
}

static void test_life_of_a_slot(void **state)
{
	struct attempt a = flow_attempt(1), taken = { 0 };
	struct packet pkt = flow_packet(1), back = turned(pkt), stranger = flow_packet(2);
	struct slot s, stale;
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = store_hash(&st, &pkt);
	st.now_ns = 7ull << NURSERY_AGE_SHIFT;

	assert_int_equal(store_look(&st, h), LOOK_NONE);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_NOT);
	assert_int_equal(open_as(&st, h, &a, STATE_FRAGMENT), 1);
	assert_int_not_equal(store_look(&st, h), LOOK_NONE);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_YES);
	assert_int_equal(s.from_orig, 1);
	assert_int_equal(TAG_STATE(s.tag), STATE_LIVE | STATE_FRAGMENT);
	assert_int_equal(TAG_AGE(s.tag), 7);
	assert_int_equal(s.a->acct >> ACCT_GEN_SHIFT, TAG_GEN(s.tag));
	assert_int_equal(look_and_find(&st, &back, &s), FOUND_YES);
	assert_int_equal(s.from_orig, 0);
	assert_int_equal(look_and_find(&st, &stranger, &s), FOUND_NOT);

	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_YES);
	stale = s;
	st.now_ns = 300ull << NURSERY_AGE_SHIFT; /* ages are bytes */
	assert_int_equal(nursery_mark(&st, &s, STATE_ANSWERED), 1);
	assert_int_equal(TAG_AGE(*s.tag_ptr), 300 - 256);
	assert_int_equal(TAG_STATE(*s.tag_ptr), STATE_LIVE | STATE_FRAGMENT | STATE_ANSWERED);
	assert_int_equal(nursery_mark(&st, &stale, STATE_AGAIN), 1); /* a late writer adds */
	assert_int_equal(TAG_STATE(*s.tag_ptr),
			 STATE_LIVE | STATE_FRAGMENT | STATE_ANSWERED | STATE_AGAIN);

	assert_int_equal(nursery_take(&s, &taken), 1);
	assert_int_equal(TAG_STATE(s.tag), /* what the judge must know */
			 STATE_LIVE | STATE_FRAGMENT | STATE_ANSWERED | STATE_AGAIN);
	taken.acct = 0;
	assert_memory_equal(&taken, &a, sizeof(a));
	assert_int_equal(store_look(&st, h), LOOK_NONE);
	assert_int_equal(nursery_take(&s, &taken), 0);
	assert_int_equal(nursery_mark(&st, &s, STATE_AGAIN), 0);
	host_store_done(&st);
}

/* The same flow in the same slot again, with state and age as before: only the generation tells. */
static void test_generation_keeps_late_hands_off(void **state)
{
	struct attempt a = flow_attempt(1), taken;
	struct packet pkt = flow_packet(1);
	struct slot late, s;
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = store_hash(&st, &pkt);
	open_as(&st, h, &a, 0);
	assert_int_equal(look_and_find(&st, &pkt, &late), FOUND_YES);
	s = late;
	assert_int_equal(nursery_take(&s, &taken), 1);
	open_as(&st, h, &a, 0);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_YES);
	assert_ptr_equal(s.tag_ptr, late.tag_ptr);
	assert_int_equal(nursery_take(&late, &taken), 0);
	assert_int_equal(nursery_mark(&st, &late, STATE_AGAIN), 0);
	resp_isn_set(&late, 1, 0);
	assert_false(late.a->acct & ACCT_SEEN);
	assert_int_not_equal(store_look(&st, h), LOOK_NONE);
	host_store_done(&st);
}

/* Payload is marked once, the daemon has yet to hear of it, and nobody ends the attempt who has not
 * seen the mark. */
static void test_decide(void **state)
{
	struct attempt a = flow_attempt(1), taken = { 0 };
	struct packet pkt = flow_packet(1);
	struct slot s, stale;
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = store_hash(&st, &pkt);
	open_as(&st, h, &a, STATE_REPORTED);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_YES);
	assert_int_equal(owed_bits(s.a, TAG_STATE(s.tag)), 0);
	stale = s;
	assert_int_equal(nursery_decide(&st, &s), 1);
	assert_int_equal(TAG_STATE(*s.tag_ptr), STATE_LIVE | STATE_DECIDED | STATE_AGAIN);
	assert_int_equal(owed_bits(s.a, TAG_STATE(s.tag)), CONTACT_PAYLOAD);
	assert_int_equal(store_look(&st, h) & (LOOK_NONE | LOOK_DECIDED), LOOK_DECIDED);
	assert_int_equal(nursery_decide(&st, &s), 0);

	s = stale;
	assert_int_equal(nursery_decide(&st, &s), 0);
	s = stale;
	assert_int_equal(nursery_take(&s, &taken), 0);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_YES);
	assert_int_equal(nursery_take(&s, &taken), 1);
	assert_int_equal(owed_bits(&taken, TAG_STATE(s.tag)), CONTACT_PAYLOAD);
	assert_int_equal(store_look(&st, h), LOOK_NONE);
	host_store_done(&st);
}

/* A tag with another flow's fingerprint cannot be had by search; it is written. */
static void test_other_flow_with_this_fingerprint(void **state)
{
	struct attempt a = flow_attempt(1);
	struct packet pkt = flow_packet(2);
	struct slot s;
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = store_hash(&st, &pkt);
	st.vals[0].v[3] = a;
	st.tags[0].t[3] = TAG_MAKE(h, 0, 0, STATE_LIVE);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_OTHER);
	track_packet(&st, h, store_look(&st, h), &pkt);
	assert_int_equal(st.stats.n[STAT_NURSERY_COLLISION], 1);
	assert_int_equal(st.stats.n[STAT_ATTEMPTS], 0);

	st.tags[0].t[3] = TAG_MAKE(h, 0, 0, STATE_BUSY);
	assert_int_equal(look_and_find(&st, &pkt, &s), FOUND_BUSY);
	assert_int_equal(st.stats.n[STAT_NURSERY_BUSY], 1);
	host_store_done(&st);
}

/* Two CPUs claim for one attempt: this one looks again and finds the other's tag. */
static void test_twins(void **state)
{
	struct attempt a = flow_attempt(2);
	struct store st;
	__u64 h;

	(void)state;
	one_bucket(&st);
	h = flow_hash(&st, 2);
	st.tags[0].t[0] = TAG_MAKE(h, 0, 0, STATE_BUSY); /* lower than the way that is claimed */
	assert_int_equal(open_as(&st, h, &a, 0), 0);
	assert_int_equal(st.stats.n[STAT_NURSERY_EXISTS], 1);
	assert_int_equal(TAG_STATE(st.tags[0].t[1]), 0);

	st.tags[0].t[0] = 0;
	st.tags[0].t[7] = TAG_MAKE(h, 0, 0, STATE_LIVE); /* higher, and published */
	assert_int_equal(open_as(&st, h, &a, 0), 0);
	assert_int_equal(st.stats.n[STAT_NURSERY_EXISTS], 2);

	st.tags[0].t[7] = TAG_MAKE(h, 0, 0, STATE_BUSY); /* higher, and it never publishes */
	assert_int_equal(open_as(&st, h, &a, 0), 1);
	assert_int_equal(st.stats.n[STAT_NURSERY_UNSURE], 1);
	host_store_done(&st);
}

/* --- who gives way -----------------------------------------------------------------------------
 */

#define ANSWERED (STATE_LIVE | STATE_ANSWERED)
#define LIVE	 STATE_LIVE

static const struct victim_case {
	const char *name;
	__u8 now;
	__u8 state[NURSERY_WAYS], age[NURSERY_WAYS];
	int want;    /* the way that gives way; -1: none does */
	int counter; /* that moves; 0: none */
} victim_cases[] = {
	{ "an empty slot before all",
	  100,
	  { LIVE, LIVE | STATE_DECIDED, LIVE, 0, LIVE, LIVE, LIVE, LIVE },
	  { 1, 1, 1, 100, 1, 1, 1, 1 },
	  3,
	  0 },
	{ "what is decided before what is older and unanswered",
	  100,
	  { LIVE, LIVE, ANSWERED | STATE_DECIDED, LIVE, LIVE, LIVE, LIVE, LIVE },
	  { 1, 1, 99, 1, 1, 1, 1, 1 },
	  2,
	  STAT_NURSERY_EVICTED_SEEN },
	{ "what is reported and unanswered before what is unanswered",
	  100,
	  { LIVE, LIVE, LIVE, LIVE, LIVE, LIVE | STATE_REPORTED, LIVE, LIVE },
	  { 1, 1, 1, 1, 1, 99, 1, 1 },
	  5,
	  STAT_NURSERY_EVICTED_SEEN },
	{ "what is unanswered before what is reported and answered",
	  100,
	  { ANSWERED | STATE_REPORTED, ANSWERED, ANSWERED, ANSWERED, LIVE, ANSWERED, ANSWERED,
	    ANSWERED },
	  { 1, 1, 1, 1, 99, 1, 1, 1 },
	  4,
	  STAT_NURSERY_EVICTED_UNSEEN },
	{ "the oldest of equals",
	  100,
	  { LIVE, LIVE, LIVE, LIVE, LIVE, LIVE, LIVE, LIVE },
	  { 50, 51, 52, 49, 50, 51, 52, 53 },
	  3,
	  STAT_NURSERY_EVICTED_UNSEEN },
	{ "the oldest of equals where ages have wrapped",
	  3,
	  { LIVE, LIVE, LIVE, LIVE, LIVE, LIVE, LIVE, LIVE },
	  { 1, 2, 3, 254, 253, 255, 0, 1 },
	  4,
	  STAT_NURSERY_EVICTED_UNSEEN },
	{ "the oldest of the answered, if all are",
	  9,
	  { ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED },
	  { 5, 4, 5, 6, 7, 8, 9, 5 },
	  1,
	  STAT_NURSERY_EVICTED_UNSEEN },
	{ "never what is being written",
	  100,
	  { STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, ANSWERED,
	    STATE_BUSY },
	  { 0, 0, 0, 0, 0, 0, 100, 0 },
	  6,
	  STAT_NURSERY_EVICTED_UNSEEN },
	{ "nobody, if all are being written",
	  100,
	  { STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY, STATE_BUSY,
	    STATE_BUSY },
	  { 0 },
	  -1,
	  STAT_NURSERY_NO_ROOM },
};

static void test_victim(void **state)
{
	const struct victim_case *c = *state;
	struct attempt a = flow_attempt(99);
	struct store st;
	__u64 h;

	one_bucket(&st);
	st.now_ns = (__u64)c->now << NURSERY_AGE_SHIFT;
	for (__u32 i = 0; i < NURSERY_WAYS; i++)
		if (c->state[i])
			st.tags[0].t[i] = TAG_MAKE(flow_hash(&st, i), 5, c->age[i], c->state[i]);
	h = flow_hash(&st, 99);
	assert_int_equal(open_as(&st, h, &a, 0), c->want >= 0);
	for (int i = 0; i < NURSERY_WAYS; i++)
		assert_int_equal(!TAG_FP(st.tags[0].t[i] ^ h), i == c->want);
	for (int i = STAT_NURSERY_EXISTS; i <= STAT_NURSERY_RETRY; i++)
		assert_int_equal(st.stats.n[i], i == c->counter);
	if (c->want >= 0)
		assert_int_equal(TAG_GEN(st.tags[0].t[c->want]), c->state[c->want] ? 6 : 1);
	host_store_done(&st);
}

/* --- threads -----------------------------------------------------------------------------------
 */

enum {
	FLOWS = 96,
	THREADS = 3,
	RUN_MS = 1500
};

struct worker {
	struct store st; /* a copy: table shared, counters its own */
	__u64 judged, ended;
	__u32 torn;
	__u32 random;
	int *stop;
};

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	struct worker *w = ctx;

	(void)bits;
	w->judged++;
	w->torn += !is_whole(a);
}

static void on_ended(void *ctx, const struct ended *e)
{
	struct worker *w = ctx;

	w->ended++;
	w->torn += !is_whole(&e->a);
}

/* One random packet of one random flow: SYN, SYN with another number, SYN-ACK, RST, payload,
 * FIN. */
static void worker_step(struct worker *w)
{
	__u32 r = random_next(&w->random);
	struct packet pkt = flow_packet(r % FLOWS);
	__u32 isn = pkt.seq;
	__u64 h;

	switch (r >> 16 & 7) {
	case 0:
		pkt.seq++;
		break;
	case 1:
	case 2:
		pkt = turned(pkt);
		pkt.tcp_flags = TCP_SYN | TCP_ACK;
		pkt.ack = isn + 1;
		break;
	case 3:
		pkt = turned(pkt);
		pkt.tcp_flags = TCP_RST | TCP_ACK;
		pkt.ack = isn + 1;
		break;
	case 4:
		pkt.tcp_flags = TCP_ACK;
		pkt.seq += 2;
		pkt.payload_len = 10;
		break;
	case 5:
		pkt.tcp_flags = TCP_FIN | TCP_ACK;
		pkt.seq++;
		break;
	default:
		break;
	}
	w->st.now_ns += 1ull << (NURSERY_AGE_SHIFT - 4);
	h = store_hash(&w->st, &pkt);
	track_packet(&w->st, h, store_look(&w->st, h), &pkt);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(w->stop, __ATOMIC_RELAXED))
		for (int i = 0; i < 256; i++)
			worker_step(w);
	return NULL;
}

/* Whatever the threads do to each other: what was stored was judged, swept or evicted, or is there,
 * once; and no copy mixes two flows. The row's buckets decide how much they collide. */
static void test_threads(void **state)
{
	__u32 buckets = *(const __u32 *)*state;
	struct worker w[THREADS] = { 0 };
	struct swept swept = { .random = 1 };
	struct timespec ms = { .tv_nsec = 1000000 };
	pthread_t thread[THREADS];
	__u64 inserted = 0, ended = 0, evicted = 0;
	int stop = 0;
	struct store st;

	assert_int_equal(host_store_init(&st, buckets, on_judged, NULL), 0);
	for (__u32 i = 0; i < THREADS; i++) {
		w[i].st = st;
		w[i].st.ended = on_ended;
		w[i].st.ctx = &w[i];
		w[i].random = 2463534242u + i * 7919;
		w[i].stop = &stop;
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, worker_main, &w[i]), 0);
	for (int i = 0; i < RUN_MS; i++) {
		sweep_once(&st, &swept);
		nanosleep(&ms, NULL);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);

	for (int i = 0; i < THREADS; i++) {
		const unsigned long long *n = w[i].st.stats.n;

		inserted += n[STAT_ATTEMPTS];
		evicted += n[STAT_NURSERY_EVICTED_UNSEEN]; /* the others have a last word */
		ended += w[i].ended;
		assert_int_equal(w[i].torn, 0);
		/* A renewal and an eviction hand over the payload of the attempt that they end. */
		assert_in_range(w[i].judged, n[STAT_SILENT],
				n[STAT_SILENT] + n[STAT_ATTEMPT_RENEWED] +
					n[STAT_NURSERY_EVICTED_SEEN]);
	}
	assert_int_equal(swept.torn, 0);
	assert_true(inserted > 1000 && swept.taken > 100);
	assert_int_equal(inserted, ended + swept.taken + evicted + count_live(&st));
	host_store_done(&st);
}

static void test_init_refuses(void **state)
{
	struct store st = { 0 };

	(void)state;
	assert_int_equal(host_store_init(&st, 0, on_judged_nothing, NULL), -EINVAL);
	assert_int_equal(host_store_init(&st, 3, on_judged_nothing, NULL), -EINVAL);
	assert_int_equal(host_store_init(&st, 1u << 25, on_judged_nothing, NULL), -EINVAL);
	host_store_done(&st);
}

int main(void)
{
	static __u32 one = 1, two = 2, many = 64;
	static struct CMUnitTest victims[ARRAY_SIZE(victim_cases)];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_refuses),
		cmocka_unit_test(test_hash_of_both_directions),
		cmocka_unit_test(test_hash_of_grids),
		cmocka_unit_test(test_hash_differs),
		cmocka_unit_test(test_life_of_a_slot),
		cmocka_unit_test(test_generation_keeps_late_hands_off),
		cmocka_unit_test(test_decide),
		cmocka_unit_test(test_other_flow_with_this_fingerprint),
		cmocka_unit_test(test_twins),
		{ "threads over one bucket", test_threads, NULL, NULL, &one },
		{ "threads over two buckets", test_threads, NULL, NULL, &two },
		{ "threads with room for all", test_threads, NULL, NULL, &many },
	};
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(victim_cases); i++)
		victims[i] = (struct CMUnitTest){ .name = victim_cases[i].name,
						  .test_func = test_victim,
						  .initial_state = (void *)&victim_cases[i] };
	failed = cmocka_run_group_tests_name("nursery: who gives way", victims, NULL, NULL);
	return failed + cmocka_run_group_tests_name("nursery", tests, NULL, NULL);
}
