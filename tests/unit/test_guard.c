/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* include/reconmon/guard.h: how many attempts at one service are followed, whose are all the same,
 * and that a flood hides nobody else's. tests/bpf/test_flood.c does this in the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <flows.h>

enum {
	RATE = 200,
	HTTP = 80,
};

#define SECOND 1000000000ull

static const __be32 target = 0x0100000a; /* 10.0.0.1 */

struct rig {
	struct store st;
	__u64 judged;
};

static void on_judged(void *ctx, const struct attempt *a, __u32 bits)
{
	struct rig *r = ctx;

	(void)a;
	(void)bits;
	r->judged++;
}

static int rig_open(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r || host_store_init(&r->st, 1 << 16, on_judged, r) < 0 ||
	    host_store_guard(&r->st, RATE) < 0)
		return -1;
	r->st.now_ns = 1000 * SECOND;
	*state = r;
	return 0;
}

static int rig_close(void **state)
{
	struct rig *r = *state;

	host_store_done(&r->st);
	free(r);
	return 0;
}

static struct packet syn(__u32 from, __u16 port)
{
	return (struct packet){ .src = ip_addr_from_v4(htonl(from)),
				.dst = ip_addr_from_v4(target),
				.src_port = htons(40000),
				.dst_port = htons(port),
				.seq = from,
				.proto = PROTO_TCP,
				.tcp_flags = TCP_SYN };
}

static void pass(struct rig *r, struct packet pkt)
{
	const struct parsed p = { .pkt = pkt, .hash = store_hash(&r->st, &pkt) };

	host_store_track(&r->st, &p);
}

static struct packet answer_to(const struct packet *pkt, __u8 flags)
{
	struct packet back = *pkt;

	back.src = pkt->dst;
	back.dst = pkt->src;
	back.src_port = pkt->dst_port;
	back.dst_port = pkt->src_port;
	back.tcp_flags = flags;
	back.ack = pkt->seq + 1;
	return back;
}

/* flood - n attempts at a port, each from an address that never comes again. */
static void flood(struct rig *r, __u32 n, __u16 port)
{
	static __u32 from = 0x30000000;

	while (n--)
		pass(r, syn(from++, port));
}

static __u64 count(const struct rig *r, enum stat which)
{
	return r->st.stats.n[which];
}

static void want_followed(struct rig *r, __u64 followed, __u64 left_out)
{
	assert_int_equal(count(r, STAT_ATTEMPTS), followed);
	assert_int_equal(count(r, STAT_GUARD), left_out);
}

static void test_rate(void **state)
{
	struct rig *r = *state;

	flood(r, RATE, HTTP);
	want_followed(r, RATE, 0);
	flood(r, 1, HTTP);
	want_followed(r, RATE, 1);
	flood(r, 1000000, HTTP);
	want_followed(r, RATE, 1000001);
	assert_int_equal(count(r, STAT_GUARD_ENGAGED), 1);
}

static void test_next_second(void **state)
{
	struct rig *r = *state;

	flood(r, RATE + 7, HTTP);
	r->st.now_ns += SECOND - (2 << HOST_TICK_SHIFT);
	flood(r, 1, HTTP);
	want_followed(r, RATE, 8);
	r->st.now_ns += 2 << HOST_TICK_SHIFT;
	flood(r, RATE + 5, HTTP); /* while it goes on, a sixteenth */
	want_followed(r, RATE + RATE / 16, 13 + RATE - RATE / 16);
	r->st.now_ns += SECOND;
	flood(r, RATE - 1, HTTP); /* it is less than the rate now... */
	want_followed(r, RATE + 2 * (RATE / 16), 12 + 2 * (RATE - RATE / 16));
	r->st.now_ns += SECOND;
	flood(r, RATE, HTTP); /* ... so all are followed again */
	want_followed(r, 2 * RATE + 2 * (RATE / 16), 12 + 2 * (RATE - RATE / 16));
}

/* A busy server's own clients are followed while it goes on. */
static void test_known_while_it_goes_on(void **state)
{
	struct ip_addr addr = ip_addr_from_v4(target);
	struct rig *r = *state;

	for (__u32 from = 0; from < RATE; from++)
		pass(r, syn(from, 22));
	flood(r, 2 * RATE, HTTP);
	r->st.now_ns += SECOND;
	memset(r->st.stats.n, 0, sizeof(r->st.stats.n));
	for (__u32 from = 0; from < RATE; from++)
		pass(r, syn(from, HTTP));
	assert_in_range(count(r, STAT_ATTEMPTS), RATE - 4, RATE);
	flood(r, 1, HTTP); /* what was counted is what there was: RATE, not twice that */
	assert_in_range(count(r, STAT_GUARD), 1, 5);
	assert_true(service_is_over(&r->st, &addr, htons(HTTP), PROTO_TCP));
}

static void test_other_services(void **state)
{
	struct rig *r = *state;
	struct packet udp = syn(7, HTTP), host = syn(8, HTTP);

	flood(r, 10 * RATE, HTTP);
	udp.proto = PROTO_UDP;
	host.dst = ip_addr_from_v4(htonl(0x0a000002));
	pass(r, udp);
	pass(r, host);
	flood(r, 1, HTTP + 1);
	want_followed(r, RATE + 3, 9 * RATE);
}

/* Every port of the flooded host but one: 65,535 services, some of which hash to its cell. */
static void test_collisions_hide_nothing(void **state)
{
	struct rig *r = *state;
	__u64 followed;

	flood(r, 10 * RATE, HTTP);
	followed = count(r, STAT_ATTEMPTS);
	for (__u32 host = 0; host < 4; host++)
		for (__u32 port = 0; port < 65536; port++) {
			struct packet p = syn(0x50000000 + host, (__u16)port);

			if (port == HTTP)
				continue;
			p.src_port = htons((__u16)(1000 + host));
			pass(r, p);
		}
	assert_int_equal(count(r, STAT_GUARD), 9 * RATE);
	assert_int_equal(count(r, STAT_ATTEMPTS) + count(r, STAT_NURSERY_COLLISION) - followed,
			 4 * 65535);
}

/* A busy service keeps its cell while others that hash there come by; an idle one loses it. */
static void test_cells_are_held(void **state)
{
	struct rig *r = *state;
	struct packet owner = syn(1, HTTP), other = syn(2, HTTP);
	__u64 mine, h;

	mine = service_hash(&r->st, &owner.dst, owner.dst_port, PROTO_TCP);
	do { /* about 65,536 of them */
		other.dst.w[1] += 1ull << 32;
		h = service_hash(&r->st, &other.dst, other.dst_port, PROTO_TCP);
	} while ((h ^ mine) & (GUARD_SERVICES - 1));
	pass(r, owner);
	pass(r, other);
	assert_true(CELL_IS_OF(r->st.guard->service[mine & (GUARD_SERVICES - 1)], h));
	flood(r, GUARD_HELD, HTTP);
	pass(r, other);
	assert_true(CELL_IS_OF(r->st.guard->service[mine & (GUARD_SERVICES - 1)], mine));
	assert_int_equal(count(r, STAT_GUARD), 0);
}

static void test_who_comes_again_is_followed(void **state)
{
	struct rig *r = *state;

	pass(r, syn(5, 22)); /* elsewhere */
	flood(r, 10 * RATE, HTTP);
	pass(r, syn(6, HTTP)); /* a stranger */
	want_followed(r, RATE + 1, 9 * RATE + 1);
	pass(r, syn(5, HTTP));
	want_followed(r, RATE + 2, 9 * RATE + 1);
}

/* What the known may add to a flooded service is bounded too. */
static void test_known_share_is_bounded(void **state)
{
	struct rig *r = *state;

	for (__u32 from = 0; from < 2 * RATE; from++)
		pass(r, syn(from, 22));
	memset(r->st.stats.n, 0, sizeof(r->st.stats.n));
	flood(r, RATE, HTTP);
	for (__u32 from = 0; from < 2 * RATE; from++)
		pass(r, syn(from, HTTP));
	assert_in_range(count(r, STAT_ATTEMPTS), 2 * RATE - 4, 2 * RATE); /* few share cells */
	assert_int_equal(count(r, STAT_ATTEMPTS) + count(r, STAT_GUARD), 3 * RATE);
}

static void test_fast_source_is_a_stranger(void **state)
{
	struct rig *r = *state;

	for (__u32 i = 0; i < 3 * GUARD_SOURCE_RATE; i++) {
		struct packet p = syn(9, (__u16)(1000 + i));
		int want = i && i < GUARD_SOURCE_RATE ? ADMIT_KNOWN : ADMIT_STRANGER;

		assert_int_equal(attempt_admit(&r->st, &p), want);
	}
	assert_int_equal(count(r, STAT_SOURCE_FAST), 2 * GUARD_SOURCE_RATE);
	r->st.now_ns += 2 * SECOND;
	assert_int_equal(attempt_admit(&r->st, &(struct packet){ .src = syn(9, 1).src }),
			 ADMIT_KNOWN);
}

/* Forged addresses that hash to a scanner's cell wear it down by one each, and no faster. */
static void test_forged_addresses_wear_down(void **state)
{
	struct rig *r = *state;
	struct packet scanner = syn(10, 1), forged = syn(0x60000000, 1);
	__u64 h = source_hash(&r->st, &scanner.src);

	for (int i = 0; i < 5; i++)
		attempt_admit(&r->st, &scanner);
	for (int worn = 0; worn < 4 * GUARD_AGAIN; forged.src.w[1] += 1ull << 40) {
		if ((source_hash(&r->st, &forged.src) ^ h) & (GUARD_SOURCES - 1))
			continue;
		attempt_admit(&r->st, &forged);
		worn++;
	}
	assert_int_equal(SOURCE_SEEN(r->st.guard->source[h & (GUARD_SOURCES - 1)]), 1);
	assert_int_equal(attempt_admit(&r->st, &scanner), ADMIT_KNOWN);
}

/* A service that answers from its port must not become an originator because what it answers was
 * not followed. */
static void test_datagrams_that_answer(void **state)
{
	struct rig *r = *state;
	struct packet query = syn(0, 5353), reply;

	query.proto = PROTO_UDP;
	query.tcp_flags = 0;
	query.payload_len = 40;
	query.src_port = htons(2000);
	for (__u32 i = 0; i < 3 * RATE; i++) {
		query.src = ip_addr_from_v4(htonl(0x70000000 + i));
		pass(r, query);
		reply = answer_to(&query, 0);
		pass(r, reply);
	}
	want_followed(r, RATE, 2 * RATE);
	assert_int_equal(count(r, STAT_GUARD_REPLY), 2 * RATE);
	r->st.now_ns += 3 * SECOND; /* let go: what it sends now is its own again */
	pass(r, reply);
	want_followed(r, RATE + 1, 2 * RATE);
}

/* The answers to what was not followed are no evidence against those who give them: neither the
 * RST to a flood's ACK, nor the RST of a forged address to the service's SYN-ACK. */
static void test_refusals_that_answer(void **state)
{
	static const __u8 flags[][2] = { { TCP_ACK, 0 }, { TCP_SYN | TCP_ACK, 1 } };
	struct rig *r = *state;

	for (int guarded = 0; guarded < 2; guarded++) {
		r->judged = 0;
		if (guarded)
			flood(r, 2 * RATE, 8080);
		for (size_t i = 0; i < 2; i++) {
			struct packet one = syn(0x71000000 + (__u32)(i + 2 * guarded), 8080);
			struct packet a, rst;

			one.src_port = htons(400); /* neither order of ports is a late packet's */
			if (!flags[i][1])
				one.src_port = htons(40000);
			a = flags[i][1] ? answer_to(&one, flags[i][0]) : one;
			a.tcp_flags = flags[i][0];
			rst = answer_to(&a, TCP_RST);
			pass(r, a);
			pass(r, rst);
		}
		assert_int_equal(r->judged, guarded ? 0 : 2);
	}
}

static void test_flood_is_named(void **state)
{
	struct rig *r = *state;
	struct ip_addr addr = ip_addr_from_v4(target);
	struct flood *f = NULL;
	__u32 at = 0;

	r->st.ifindex = 7;
	r->st.dir = DIR_EGRESS;
	flood(r, RATE + 3, HTTP);
	for (__u32 i = 0; i < GUARD_FLOODS; i++)
		if (r->st.guard->flood[i].tag) {
			assert_null(f);
			f = &r->st.guard->flood[i];
			at = i;
		}
	assert_non_null(f);
	assert_true(f->tag & FLOOD_LIVE && !(f->tag & FLOOD_BUSY));
	assert_true(addr_same(&f->resp, &addr));
	assert_int_equal(ntohs(f->port), HTTP);
	assert_int_equal(f->proto, PROTO_TCP);
	assert_int_equal(f->ifindex, 7);
	assert_int_equal(f->dir, DIR_EGRESS);
	assert_int_equal(r->st.stats.unfollowed[at], 3);
}

/* More floods than can be named: each is guarded and counted all the same, but for the few that
 * share a cell. */
static void test_more_floods_than_names(void **state)
{
	struct rig *r = *state;
	__u64 named = 0;

	for (__u16 port = 1; port <= 2 * GUARD_FLOODS; port++)
		flood(r, RATE + 2, port);
	for (__u32 i = 0; i < GUARD_FLOODS; i++)
		named += r->st.stats.unfollowed[i];
	assert_in_range(count(r, STAT_GUARD), 4 * GUARD_FLOODS - 16, 4 * GUARD_FLOODS);
	assert_int_equal(count(r, STAT_GUARD_UNNAMED) + named, count(r, STAT_GUARD));
	assert_true(named > GUARD_FLOODS);
}

static void test_off(void **state)
{
	struct rig *r = *state;

	r->st.guard_rate = 0;
	flood(r, 10 * RATE, HTTP);
	want_followed(r, 10 * RATE, 0);
	assert_int_equal(attempt_admit(&r->st, &(struct packet){ .src = syn(9, 1).src }),
			 ADMIT_STRANGER);
	assert_int_equal(attempt_admit(&r->st, &(struct packet){ .src = syn(9, 1).src }),
			 ADMIT_KNOWN);
}

/* A cell's clock is short: what was over a quarter of an hour or an hour ago is over. */
static void test_old_cells(void **state)
{
	static const __u64 later_s[] = { 2, 10, 67, 69, 600, 3600, 86400 };
	struct rig *r = *state;
	struct packet service = syn(1, HTTP);

	for (size_t i = 0; i < sizeof(later_s) / sizeof(later_s[0]); i++) {
		flood(r, 2 * RATE, HTTP);
		assert_true(service_is_over(&r->st, &service.dst, service.dst_port, PROTO_TCP));
		r->st.now_ns += later_s[i] * SECOND;
		assert_false(service_is_over(&r->st, &service.dst, service.dst_port, PROTO_TCP));
	}
}

#define GUARD_TEST(sentence, fn)                                                                   \
	{                                                                                          \
		sentence, fn, rig_open, rig_close, NULL                                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARD_TEST("the rate is followed, and what is beyond counted", test_rate),
		GUARD_TEST("a second later it begins anew", test_next_second),
		GUARD_TEST("whom we know is followed while it goes on",
			   test_known_while_it_goes_on),
		GUARD_TEST("other services, protocols and hosts are followed", test_other_services),
		GUARD_TEST("no collision hides a scan", test_collisions_hide_nothing),
		GUARD_TEST("a busy service keeps its cell", test_cells_are_held),
		GUARD_TEST("who comes again is followed amid a flood",
			   test_who_comes_again_is_followed),
		GUARD_TEST("... all of them together as often as the rate",
			   test_known_share_is_bounded),
		GUARD_TEST("who is a flood by himself is a stranger",
			   test_fast_source_is_a_stranger),
		GUARD_TEST("forged addresses wear down who was seen one by one",
			   test_forged_addresses_wear_down),
		GUARD_TEST("UDP: replies to what was not followed open nothing",
			   test_datagrams_that_answer),
		GUARD_TEST("TCP: refusals of what was not followed are no probes",
			   test_refusals_that_answer),
		GUARD_TEST("a flood has a name and a count", test_flood_is_named),
		GUARD_TEST("more floods than names", test_more_floods_than_names),
		GUARD_TEST("off", test_off),
		GUARD_TEST("what was over long ago is over", test_old_cells),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
