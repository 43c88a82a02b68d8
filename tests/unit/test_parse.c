/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* include/reconmon/parse.h over the frames of tests/packets.h: whole, and cut at every byte. */
#include <host_store.h>
#include <packets.h>
#include <parse_both.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The page before one that cannot be read: frames are put at its end, so that a read beyond them
 * ends the test, in every build. */
static __u8 *page_end;

static int parse_at_page_end(const struct frame_case *c, const __u8 *bytes, __u32 have,
			     __u32 wire_len, struct packet *ret)
{
	struct cursor cur = { .pos = page_end - have, .end = page_end, .wire_left = wire_len };

	const char *why;

	memcpy(page_end - have, bytes, have);
	parse_both_family(&cur, !c->l3, &why);
	if (why)
		fail_msg("%s", why);
	return parse_packet(&cur, !c->l3, ret);
}

/* want_packet - what the row says must be read. Ports, addresses and numbers are those of test_ends
 * and TCP_SYN_HDR. */
static void want_packet(const struct frame_case *c, const struct packet *pkt)
{
	const __u8 *src = c->is_v6 ? test_ends.v6[0] : test_ends.v4[0];
	const __u8 *dst = c->is_v6 ? test_ends.v6[1] : test_ends.v4[1];
	size_t at = c->is_v6 ? 0 : 12;

	assert_int_equal(pkt->proto, c->proto);
	assert_int_equal(pkt->tcp_flags, c->flags);
	assert_int_equal(pkt->kind, c->kind);
	assert_int_equal(pkt->headless, c->headless);
	assert_int_equal(pkt->payload_len, c->payload_len);
	assert_memory_equal((const __u8 *)&pkt->src + at, src, 16 - at);
	assert_memory_equal((const __u8 *)&pkt->dst + at, dst, 16 - at);
	if (!c->is_v6) {
		static const __u8 prefix[12] = { [10] = 0xff, [11] = 0xff };

		assert_memory_equal(&pkt->src, prefix, 12);
		assert_memory_equal(&pkt->dst, prefix, 12);
	}
	assert_int_equal(ntohs(pkt->src_port), test_ends.port[0]);
	assert_int_equal(ntohs(pkt->dst_port), test_ends.port[1]);
}

/* want_numbers - TCP's numbers, where the row's header has any. */
static void want_numbers(const struct frame_case *c, const struct packet *pkt)
{
	const struct layer *l = c->layers;

	while (l->kind && l->kind != LAYER_TCP)
		l++;
	if (!l->kind || c->proto != PROTO_TCP)
		return;
	assert_int_equal(pkt->seq, l->seq);
	if (!c->headless && c->kind == PACKET_PLAIN)
		assert_int_equal(pkt->ack, l->ack);
}

static void test_whole(void **state)
{
	const struct frame_case *c = *state;
	struct packet pkt;
	struct frame f;
	int r;

	frame_build(&f, c->layers, &test_ends);
	r = parse_at_page_end(c, f.b, f.len, c->wire_len ? c->wire_len : f.len, &pkt);
	if (r < 0 || c->want) {
		assert_string_equal(stat_names[-r], stat_names[c->want]);
		return;
	}
	assert_int_equal(r, 0);
	want_packet(c, &pkt);
	want_numbers(c, &pkt);
}

/* ip_bytes - where the IP packet ends in the row's frame: padding may be missing. */
static __u32 ip_bytes(const struct frame_case *c)
{
	__u32 n = 0;

	for (const struct layer *l = c->layers; l->kind; l++)
		if (l->kind != LAYER_PAD)
			n += layer_size(l);
	return n;
}

/* A frame that ends early says so by name; nothing is read that is not there. */
static void test_cut_on_the_wire(void **state)
{
	const struct frame_case *c = *state;
	struct frame f;

	frame_build(&f, c->layers, &test_ends);
	for (__u32 n = 0; n < f.len; n++) {
		struct packet pkt;
		int r = parse_at_page_end(c, f.b, n, n, &pkt);

		assert_true(r <= 0 && -r < STAT_MAX);
		if (r == 0 && !c->open_ended && !c->want && n < ip_bytes(c))
			fail_msg("read though only %u of %u bytes were there", n, f.len);
		if (r < 0)
			assert_true(-r >= STAT_PARSE_ETH_TRUNCATED && -r <= STAT_PARSE_PROTO_OTHER);
	}
}

/* A capture that kept the frame's beginning only: what is read is what the whole frame says. */
static void test_cut_by_snap_length(void **state)
{
	const struct frame_case *c = *state;
	struct frame f;

	frame_build(&f, c->layers, &test_ends);
	for (__u32 n = 0; n < f.len; n++) {
		struct packet pkt;
		int r = parse_at_page_end(c, f.b, n, c->wire_len ? c->wire_len : f.len, &pkt);

		if (r == 0) {
			assert_int_equal(c->want, 0);
			if (c->partial && !pkt.payload_len)
				pkt.payload_len = c->payload_len;
			want_packet(c, &pkt);
			want_numbers(c, &pkt);
		}
	}
}

/* Every single byte of every frame set to 0x00, 0x7f, 0x80 and 0xff: whatever comes of it, nothing
 * beyond the frame is read and the result has a name. */
static void test_one_byte_wrong(void **state)
{
	static const __u8 wrong[] = { 0x00, 0x05, 0x45, 0x60, 0x7f, 0x80, 0xff };
	const struct frame_case *c = *state;
	struct frame f;

	frame_build(&f, c->layers, &test_ends);
	for (__u32 n = 0; n < f.len * ARRAY_SIZE(wrong); n++) {
		__u32 at = n / ARRAY_SIZE(wrong);
		__u8 right = f.b[at];
		struct packet pkt;
		int r;

		f.b[at] = wrong[n % ARRAY_SIZE(wrong)];
		r = parse_at_page_end(c, f.b, f.len, f.len, &pkt);
		f.b[at] = right;
		assert_true(r == 0 ||
			    (-r >= STAT_PARSE_ETH_TRUNCATED && -r <= STAT_PARSE_PROTO_OTHER));
		if (r == 0)
			assert_true(pkt.payload_len <= 0xffff);
	}
}

/* What the short way is for takes it, with the frame's length known or not; a frame that ends
 * early, or of which the rest is not at hand, does not. */
static void test_quick(void **state)
{
	static const struct {
		struct layer layers[5];
		enum quick_family wire, at_hand;
		__u32 wire_len, l3;
	} rows[] = {
		{ { ETH(), IPV4(), TCP(.flags = TCP_ACK), DATA(9) }, QUICK_IPV4, QUICK_IPV4, 0, 0 },
		{ { ETH(), IPV4(), TCP(.n = 12), PAD(6) }, QUICK_IPV4, QUICK_IPV4, 0, 0 },
		{ { ETH(), IPV6(), TCP(.flags = TCP_SYN) }, QUICK_IPV6, QUICK_IPV6, 0, 0 },
		{ { IPV4(), TCP(), DATA(9) }, QUICK_IPV4, QUICK_IPV4, 0, 1 },
		{ { IPV6(), TCP(), DATA(9) }, QUICK_IPV6, QUICK_IPV6, 0, 1 },
		{ { ETH(), IPV4(.len = GIVEN(1500)), TCP() }, QUICK_IPV4, QUICK_NOT, 1514, 0 },
		{ { ETH(), IPV6(.len = GIVEN(1460)), TCP() }, QUICK_IPV6, QUICK_NOT, 1514, 0 },
		{ { ETH(), IPV4(.len = GIVEN(1500)), TCP() }, QUICK_NOT, QUICK_NOT, 1513, 0 },
		{ { ETH(), IPV4(.len = GIVEN(0)), TCP() }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), IPV4(), TCP(.hdr = GIVEN(16)) }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), IPV4(), TCP(.hdr = GIVEN(24)) }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), IPV4(.n = 4), TCP() }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), IPV4(.frag = 0x2000), TCP() }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), IPV4(), UDP() }, QUICK_NOT, QUICK_NOT, 0, 0 },
		{ { ETH(), VLAN(), IPV4(), TCP() }, QUICK_NOT, QUICK_NOT, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cursor cur = { .end = page_end };
		struct quick q;
		struct frame f;

		frame_build(&f, rows[i].layers, &test_ends);
		cur.pos = page_end - f.len;
		cur.wire_left = rows[i].wire_len ? rows[i].wire_len : f.len;
		memcpy(page_end - f.len, f.b, f.len);
		assert_int_equal(parse_quick(&cur, QUICK_WIRE, !rows[i].l3, &q), rows[i].wire);
		assert_int_equal(parse_quick(&cur, QUICK_AT_HAND, !rows[i].l3, &q),
				 rows[i].at_hand);
	}
}

static int page_setup(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	__u8 *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (p == MAP_FAILED)
		return -1;
	page_end = p + page;
	return mprotect(page_end, page, PROT_NONE);
}

int main(void)
{
	static struct CMUnitTest tests[4][ARRAY_SIZE(frame_cases)];
	static const struct {
		const char *name;
		CMUnitTestFunction fn;
	} groups[4] = {
		{ "parse: whole", test_whole },
		{ "parse: cut on the wire", test_cut_on_the_wire },
		{ "parse: cut by snap length", test_cut_by_snap_length },
		{ "parse: one byte wrong", test_one_byte_wrong },
	};
	const struct CMUnitTest quick[] = { cmocka_unit_test(test_quick) };
	int failed = cmocka_run_group_tests_name("parse: the short way", quick, page_setup, NULL);

	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		for (size_t i = 0; i < ARRAY_SIZE(frame_cases); i++)
			tests[g][i] =
				(struct CMUnitTest){ .name = frame_cases[i].name,
						     .test_func = groups[g].fn,
						     .initial_state = (void *)&frame_cases[i] };
		failed += cmocka_run_group_tests_name(groups[g].name, tests[g], page_setup, NULL);
	}
	return failed;
}
