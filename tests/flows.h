/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Flows that can be told from any of their parts, and the daemon's side of a nursery, for the tests
 * that let several hands at it: threads (tests/unit/test_nursery.c), CPUs
 * (tests/bpf/test_stress.c). */
#ifndef RECONMON_TESTS_FLOWS_H
#define RECONMON_TESTS_FLOWS_H

#include <host_store.h>

/* flow_packet - a SYN of flow n: everything in it follows from n, so that a copy that mixes two
 * flows shows. */
static inline struct packet flow_packet(__u32 n)
{
	struct packet pkt = {
		.src = ip_addr_from_v4(htonl(0x0a000000 + n)),
		.dst = ip_addr_from_v4(htonl(0xc0000200 + n * 7)),
		.src_port = htons((__u16)(1024 + n)),
		.dst_port = htons((__u16)(n * 13)),
		.seq = n * 1000003,
		.proto = PROTO_TCP,
		.tcp_flags = TCP_SYN,
	};

	return pkt;
}

static inline struct attempt flow_attempt(__u32 n)
{
	struct packet pkt = flow_packet(n);

	return (struct attempt){ .orig = pkt.src,
				 .resp = pkt.dst,
				 .orig_port = pkt.src_port,
				 .resp_port = pkt.dst_port,
				 .isn = pkt.seq,
				 .proto = pkt.proto };
}

/* is_whole - does everything in *a belong to one flow? */
static inline int is_whole(const struct attempt *a)
{
	struct attempt want = flow_attempt((__u32)ntohs(a->orig_port) - 1024);

	return addr_same(&a->orig, &want.orig) && addr_same(&a->resp, &want.resp) &&
	       a->resp_port == want.resp_port && a->proto == want.proto &&
	       (a->isn == want.isn || a->isn == want.isn + 1);
}

static inline __u32 random_next(__u32 *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* What a sweep took; `random` is its dice, not 0. */
struct swept {
	__u64 taken;
	__u32 torn; /* copies that mix two flows: none may */
	__u32 random;
};

/* sweep_once - what the daemon does: takes a quarter of what it sees and marks a quarter; what is
 * decided it takes, as TCP is. */
static inline void sweep_once(struct store *st, struct swept *ret)
{
	for (__u64 i = 0; i < (st->bucket_mask + 1) * NURSERY_WAYS; i++) {
		struct slot s = { .tag_ptr = &st->tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS],
				  .a = &st->vals[i / NURSERY_WAYS].v[i % NURSERY_WAYS] };
		struct attempt a;
		__u32 r = random_next(&ret->random) & 3;

		s.tag = LOAD(s.tag_ptr);
		if (!(TAG_STATE(s.tag) & STATE_LIVE))
			continue;
		if (r == 1 && TAG_STATE(s.tag) & STATE_DECIDED)
			r = 0;
		if (r == 0 && nursery_take(&s, &a)) {
			ret->taken++;
			ret->torn += !is_whole(&a);
		}
		if (r == 1) /* once: if it fails, the attempt may have been decided meanwhile */
			(void)CAS(s.tag_ptr, s.tag, s.tag | STATE_REPORTED);
	}
}

static inline __u64 count_live(const struct store *st)
{
	__u64 n = 0;

	for (__u64 i = 0; i < (st->bucket_mask + 1) * NURSERY_WAYS; i++)
		n += !!(TAG_STATE(st->tags[i / NURSERY_WAYS].t[i % NURSERY_WAYS]) & STATE_LIVE);
	return n;
}

#endif
