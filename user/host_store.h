/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The packet path outside the kernel: the same parser, state machine and nursery that the BPF
 * programs are made of, over ordinary memory. For `replay`, unit tests and fuzzers.
 *
 * Input: frames, one at a time, with the time and direction that the caller sets before each.
 * Output: calls of `judged` for attempts that ended, counters, and the nursery itself, where
 * attempts that nothing has ended yet and those that carried payload wait to be swept (same layout
 * as the mapped arrays of the kernel; owed_bits() and tag_swept() say what a sweep takes).
 *
 * A store belongs to one thread. Several stores may share one nursery (copy the struct, give each
 * copy stats of its own): then they meet by the rules of nursery.h, as CPUs do. Everything is
 * inlined into the including file; include it in one file of a program. */
#ifndef RECONMON_HOST_STORE_H
#define RECONMON_HOST_STORE_H

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <reconmon/nursery.h>
#include <reconmon/parse.h>

enum {
	HOST_HUGE_PAGE = 2 * 1024 * 1024, /* of x86-64 and arm64 (4 KiB granule) */
};

/* A judged attempt: bits are CONTACT_*, exactly one of CONTACT_SILENT or CONTACT_CARRIED among
 * them. *a is the caller's until it returns. */
typedef void (*judged_fn)(void *ctx, const struct attempt *a, __u32 bits);

/* An attempt that has left the table; *e is the caller's until it returns. */
typedef void (*ended_fn)(void *ctx, const struct ended *e);

#define HOST_NOTES 8192 /* as bpf/maps.h */

struct store {
	struct nursery_tags *tags;
	struct nursery_vals *vals;
	__u64 bucket_mask; /* buckets - 1 */
	__u64 seed[4]; /* set by host_store_init(); fill with random odd words for hostile input */
	__u64 now_ns;  /* the clock: set by the caller before each packet */
	__u32 ifindex; /* as struct attempt takes it over: likewise */
	__u8 dir;      /* enum attempt_dir: likewise */
	__u8 exempt_transfers; /* 1: bulk from the responder is a transfer; set by init */
	judged_fn judged;      /* required */
	ended_fn ended;	       /* NULL: nobody keeps a log */
	void *ctx;	       /* their first argument */
	struct guard *guard;   /* host_store_guard(); NULL: everybody is admitted */
	__u32 guard_rate;      /* likewise */
	__u32 notes[HOST_NOTES];
	struct stats stats;
};

#define HOST_TICK_SHIFT 20 /* of now_ns: the guard's ticks, 1.05 ms */

static __always_inline void store_count(struct store *st, enum stat which)
{
	st->stats.n[which]++;
}

static __always_inline __u8 store_age(struct store *st)
{
	return (__u8)(st->now_ns >> NURSERY_AGE_SHIFT);
}

static __always_inline int store_exempts_transfers(struct store *st)
{
	return st->exempt_transfers;
}

static __always_inline void store_stamp(struct store *st, struct attempt *a)
{
	a->first_ns = st->now_ns;
	a->ifindex = st->ifindex;
	a->dir = st->dir;
}

static __always_inline struct guard *store_guard(struct store *st)
{
	return st->guard;
}

static __always_inline __u32 store_guard_rate(struct store *st)
{
	return st->guard_rate;
}

static __always_inline __u32 store_ticks(struct store *st)
{
	return (__u32)(st->now_ns >> HOST_TICK_SHIFT);
}

static __always_inline __u32 store_second(struct store *st)
{
	(void)st;
	return 1000000000 >> HOST_TICK_SHIFT;
}

static __always_inline const volatile __u64 *store_seed(struct store *st)
{
	return st->seed;
}

static __always_inline struct attempt_origin store_origin(struct store *st)
{
	return (struct attempt_origin){ .ifindex = st->ifindex, .dir = st->dir };
}

static __always_inline void store_count_unfollowed(struct store *st, __u32 i)
{
	st->stats.unfollowed[i]++;
}

static __always_inline void store_wake(struct store *st)
{
	(void)st; /* who feeds it looks by the packets' clock */
}

static __always_inline struct nursery_tags *nursery_tags_at(struct store *st, __u64 hash)
{
	return &st->tags[hash & st->bucket_mask];
}

static __always_inline struct nursery_vals *nursery_vals_at(struct store *st, __u64 hash)
{
	return &st->vals[hash & st->bucket_mask];
}

static __always_inline __u64 store_hash(struct store *st, const struct packet *pkt)
{
	return nursery_hash(pkt, st->seed);
}

#include <reconmon/nursery_store.h>

static __always_inline void store_judged(struct store *st, const struct attempt *a, __u32 bits)
{
	st->judged(st->ctx, a, bits);
}

static __always_inline void store_ended(struct store *st, const struct attempt *a, __u8 state,
					__u32 bits)
{
	struct ended e = { .end_ns = st->now_ns, .bits = bits, .state = state };

	if (!st->ended)
		return;
	e.a = *a;
	st->ended(st->ctx, &e);
}

static __always_inline __u32 *store_note_at(struct store *st, __u64 hash)
{
	return &st->notes[hash % HOST_NOTES];
}

#include <reconmon/track.h>

/* host_store_memory - len bytes for free(), aligned to a cache line: a bucket of tags is one. What
 * is large is asked for in huge pages: buckets are visited at random, and with small pages most
 * visits miss the TLB too. NULL: no memory. */
static inline void *host_store_memory(size_t len)
{
	size_t align = len < HOST_HUGE_PAGE ? 64 : HOST_HUGE_PAGE;
	void *p = aligned_alloc(align, (len + align - 1) / align * align);

	if (p && align == HOST_HUGE_PAGE)
		(void)madvise(p, len, MADV_HUGEPAGE); /* may be refused: slower, no more */
	return p;
}

/* host_store_init - makes an empty nursery of `buckets` (a power of two from 1 to 2^24, eight
 * attempts each; the kernel's default is 8,192) and a store over it. Returns 0, and the caller ends
 * it with host_store_done(); or -EINVAL, -ENOMEM, with *st unchanged. */
static inline int host_store_init(struct store *st, __u32 buckets, judged_fn judged, void *ctx)
{
	struct nursery_tags *tags;
	struct nursery_vals *vals;

	if (!buckets || buckets > 1u << 24 || buckets & (buckets - 1))
		return -EINVAL;
	tags = host_store_memory(buckets * (sizeof(*tags) + sizeof(*vals)));
	if (!tags)
		return -ENOMEM;
	vals = (struct nursery_vals *)(tags + buckets);
	memset(tags, 0, buckets * sizeof(*tags));
	memset(vals, 0, buckets * sizeof(*vals));
	*st = (struct store){
		.tags = tags,
		.vals = vals,
		.bucket_mask = buckets - 1,
		.seed = { 0x243F6A8885A308D3, 0x13198A2E03707345, 0xA4093822299F31D1,
			  0x082EFA98EC4E6C89 }, /* digits of pi: the same run twice gives the same
						 */
		.exempt_transfers = 1,
		.judged = judged,
		.ctx = ctx,
	};
	return 0;
}

/* host_store_guard - from now on a service is guarded beyond `rate` attempts a second (0: none is),
 * and who was seen before is known. Returns 0, or -ENOMEM. */
static inline int host_store_guard(struct store *st, __u32 rate)
{
	st->guard_rate = rate;
	st->guard = (struct guard *)calloc(1, sizeof(*st->guard));
	return st->guard ? 0 : -ENOMEM;
}

/* host_store_done - frees nursery and guard. A store that was never made (all zero) is fine. */
static inline void host_store_done(struct store *st)
{
	free(st->guard);
	st->guard = NULL;
	free(st->tags); /* and the values, which lie behind them */
	st->tags = NULL;
	st->vals = NULL;
}

/* A packet of a frame, parsed and not yet followed. */
struct parsed {
	struct packet pkt;
	__u64 hash; /* its store_hash() */
};

/* host_store_parse - the first half of host_store_frame(): counts and reads the frame, and asks for
 * the nursery's bucket. With some frames parsed ahead of the one that host_store_track() is at, the
 * bucket is in the cache by then: a miss costs as much as everything else about a packet. Returns 0
 * with *ret, or the negative enum stat. */
static inline int host_store_parse(struct store *st, const void *data, __u32 have, __u32 wire_len,
				   int ethernet, struct parsed *ret)
{
	struct cursor cur = {
		.pos = data,
		.end = (const char *)data + have,
		.wire_left = wire_len,
	};
	int r;

	store_count(st, st->dir == DIR_INGRESS ? STAT_INGRESS : STAT_EGRESS);
	r = parse_packet(&cur, ethernet, &ret->pkt);
	if (r < 0) {
		store_count(st, (enum stat) - r);
		return r;
	}
	ret->hash = store_hash(st, &ret->pkt);
	__builtin_prefetch(nursery_tags_at(st, ret->hash));
	return 0;
}

/* host_store_expect_service - asks for the guard's cell of a service. */
static inline void host_store_expect_service(struct store *st, struct guard *g,
					     const struct ip_addr *addr, __be16 port, __u8 proto)
{
	__builtin_prefetch(service_at(g, service_hash(st, addr, port, proto)), 1);
}

/* host_store_expect_guard - asks for the cells that attempt_admit() looks at, if the packet opens
 * an attempt. */
static inline void host_store_expect_guard(struct store *st, const struct packet *pkt)
{
	struct guard *g = store_guard(st);

	if (!g || !opens(pkt))
		return;
	__builtin_prefetch(source_at(g, source_hash(st, &pkt->src)), 1);
	if (!store_guard_rate(st))
		return;
	host_store_expect_service(st, g, &pkt->dst, pkt->dst_port, pkt->proto);
	if (pkt->proto == PROTO_UDP)
		host_store_expect_service(st, g, &pkt->src, pkt->src_port, PROTO_UDP);
}

/* host_store_expect - between the halves, for packets whose buckets have arrived: asks for the slot
 * behind the tag that this packet will most likely need. Changes nothing. */
static inline void host_store_expect(struct store *st, const struct parsed *p)
{
	__u32 look;

	if (is_midstream(&p->pkt))
		return;
	look = store_look(st, p->hash);
	if (look & LOOK_NONE) {
		look = (__u32)nursery_victim(st, nursery_tags_at(st, p->hash), TAG_KNOWN);
		host_store_expect_guard(st, &p->pkt);
	}
	__builtin_prefetch(&nursery_vals_at(st, p->hash)->v[look & (NURSERY_WAYS - 1)], 1);
}

/* host_store_track - the second half: in the order of the frames, with the clock and direction of
 * each set in *st again. */
static inline void host_store_track(struct store *st, const struct parsed *p)
{
	__u32 look = store_look(st, p->hash);

	if (track_concerns(&p->pkt, look))
		track_packet(st, p->hash, look, &p->pkt);
	else
		track_passing(st, p->hash, &p->pkt);
}

/* host_store_frame - what bpf/reconmon.bpf.c does with a packet. `have` bytes of the frame are at
 * `data`; `wire_len` is its full length, more than `have` beyond a capture's snap length.
 * `ethernet` is 0 where frames begin with the IP header. Returns 0, or the negative enum stat by
 * which the frame was set aside (and which has been counted). */
static inline int host_store_frame(struct store *st, const void *data, __u32 have, __u32 wire_len,
				   int ethernet)
{
	struct parsed p;
	int r = host_store_parse(st, data, have, wire_len, ethernet, &p);

	if (!r)
		host_store_track(st, &p);
	return r;
}

#endif
