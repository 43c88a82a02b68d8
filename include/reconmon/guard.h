/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The flood guard: is this packet's attempt worth a place in the tables, and how well is its
 * originator known? Asked by what opens an attempt, never by other packets.
 *
 * A flood at one service (responder, port, protocol) adds at most one distinct port to anybody's
 * count. So of each service only the first guard_rate attempts of a second are followed, and a
 * sixteenth of that in a second that comes after one which had more; those beyond take no space and
 * are counted. A cell of 64 bits per service says whose it is, when its second began and how many
 * there were; a second that is over is forgotten with the next attempt.
 *
 *	service: [63:44] fingerprint | [43:21] second began, in ticks | [20] over in the one before
 *| [19:0] count source:  [63:40] fingerprint | [39:32] seen | [31:16] second began | [15:0] count
 *
 * A collision hides nothing: only the service whose fingerprint is in the cell is ever held back.
 * Another that hashes there passes uncounted while the cell's owner is busy (GUARD_HELD), and takes
 * the cell otherwise. So the worst is a second flood that goes unguarded beside a first, by a seed
 * that nobody can know. Two services share cell and fingerprint once in 2^36.
 *
 * What a flood must not do is hide a scan. A flood's addresses are mostly forged: each comes once.
 * A scanner comes again. So a cell per originator tells who was seen before: such attempts are
 * followed at a flooded service too (as many again as guard_rate, for all of them together), and
 * they give way last when tables are full (nursery.h, bpf/contact.h). Who opens more than
 * GUARD_SOURCE_RATE a second is counted and followed as a stranger is: no single originator pushes
 * out others.
 *
 * Cells are read and written whole, without atomics. CPUs that write one at once lose counts, so a
 * few attempts more than guard_rate are followed; what was not followed is counted per CPU,
 *exactly. Once a service is over its rate its cell is only read, so a flood that comes in on all
 *CPUs does not make them fight for a cache line. */
#ifndef RECONMON_GUARD_H
#define RECONMON_GUARD_H

#include "nursery.h"

enum {
	GUARD_HOT_SHIFT = 4,	  /* of guard_rate, while a flood goes on */
	GUARD_HELD = 16,	  /* a cell with this count is not given up within its second */
	GUARD_AGAIN = 16,	  /* strangers that it takes to wear down one coming again */
	GUARD_SOURCE_RATE = 1024, /* a second; nmap and friends, not masscan at full speed */
	GUARD_PROBES = 4,	  /* places that a flood may take in guard.flood */
};

/* What attempt_admit() answers. */
enum admission {
	ADMIT_NOT = 0,	/* it is counted, and not followed */
	ADMIT_STRANGER, /* followed; its originator was not seen lately */
	ADMIT_KNOWN,	/* followed; it was, and is no flood by itself */
};

#define CELL_COUNT(cell)       ((__u32)(cell)&0xfffff)
#define CELL_HOT	       (1ull << 20)
#define CELL_START(cell)       ((__u32)((cell) >> 21) & 0x7fffff)
#define CELL_IS_OF(cell, hash) (!(((cell) ^ (hash)) >> 44))

#define SOURCE_COUNT(cell)	 ((__u32)(cell)&0xffff)
#define SOURCE_START(cell)	 ((__u32)((cell) >> 16) & 0xffff)
#define SOURCE_SEEN(cell)	 ((__u32)((cell) >> 32) & 0xff)
#define SOURCE_SEEN_ONE		 (1ull << 32)
#define SOURCE_IS_OF(cell, hash) (!(((cell) ^ (hash)) >> 40))

/* guard_hash - of an address and what is `with` it: the low bits choose a cell, the high ones tell
 * whose it is. Seeded, as nursery_hash() is. */
static __always_inline __u64 guard_hash(struct store *st, const struct ip_addr *addr, __u64 with)
{
	const volatile __u64 *seed = store_seed(st);
	__u64 x = (addr->w[1] ^ seed[0]) + (addr->w[0] ^ with) * (seed[2] | 1);

	x ^= x >> 32;
	x *= seed[1] | 1;
	x ^= x >> 32;
	x *= HASH_PRIME;
	return x ^ x >> 32;
}

static __always_inline __u64 service_hash(struct store *st, const struct ip_addr *addr, __be16 port,
					  __u8 proto)
{
	return guard_hash(st, addr, 1u << 24 | (__u32)proto << 16 | port);
}

static __always_inline __u64 source_hash(struct store *st, const struct ip_addr *addr)
{
	return guard_hash(st, addr, 0);
}

/* Where a hash has its place. The verifier of 6.1 must see the mask right before the access. */
static __always_inline __u64 *service_at(struct guard *g, __u64 h)
{
	OPAQUE(h);
	return &g->service[h & (GUARD_SERVICES - 1)];
}

static __always_inline __u64 *source_at(struct guard *g, __u64 h)
{
	OPAQUE(h);
	return &g->source[h & (GUARD_SOURCES - 1)];
}

static __always_inline struct flood *flood_at(struct guard *g, __u64 h)
{
	OPAQUE(h);
	return &g->flood[h & (GUARD_FLOODS - 1)];
}

/* ticks_since - from `start`, of which only the bits of mask are known. */
static __always_inline __u32 ticks_since(struct store *st, __u32 start, __u32 mask)
{
	return (store_ticks(st) - start) & mask;
}

/* service_is_over - have attempts at this service been left out within the last second or two? */
static __always_inline int service_is_over(struct store *st, const struct ip_addr *addr,
					   __be16 port, __u8 proto)
{
	__u32 rate = store_guard_rate(st), second = store_second(st), age;
	struct guard *g = store_guard(st);
	__u64 h, cell;

	if (!g || !rate)
		return 0;
	h = service_hash(st, addr, port, proto);
	cell = LOAD(service_at(g, h));
	if (!CELL_IS_OF(cell, h))
		return 0;
	age = ticks_since(st, CELL_START(cell), 0x7fffff);
	return (CELL_COUNT(cell) >= rate && age < 2 * second) || (cell & CELL_HOT && age < second);
}

enum service_says {
	SERVICE_FOLLOW,
	SERVICE_OVER,	  /* beyond what is followed: whom we know may still pass */
	SERVICE_FAR_OVER, /* beyond twice the rate: nobody may */
};

/* service_take - counts one more attempt at the service of *cell, up to the rate. */
static __always_inline enum service_says service_take(struct store *st, __u64 *cell, __u64 h,
						      __u32 rate)
{
	__u64 was = LOAD(cell), hot = 0;
	__u32 age = ticks_since(st, CELL_START(was), 0x7fffff), n = CELL_COUNT(was);
	__u32 second = store_second(st);

	if (CELL_IS_OF(was, h)) {
		if (age < second && n >= rate)
			return n >= 2 * rate ? SERVICE_FAR_OVER : SERVICE_OVER;
		if (age < second) {
			STORE(cell, was + 1);
			return was & CELL_HOT && n >= rate >> GUARD_HOT_SHIFT ? SERVICE_OVER
									      : SERVICE_FOLLOW;
		}
		if (age < 2 * second && n >= rate)
			hot = CELL_HOT;
	} else if (age < second && n >= GUARD_HELD) {
		return SERVICE_FOLLOW; /* the owner's count is none of ours */
	}
	STORE(cell, (h >> 44 << 44) | (__u64)(store_ticks(st) & 0x7fffff) << 21 | hot | 1);
	return SERVICE_FOLLOW;
}

/* source_take - counts one more attempt of an originator. Others that hash to its cell wear down
 * what it was seen, one by one, so that forged addresses, each of which comes once, do not get the
 * better of who comes again: among a million a second, a cell meets eight. */
static __always_inline enum admission source_take(struct store *st, __u64 *cell, __u64 h)
{
	__u64 was = LOAD(cell), now = store_ticks(st) & 0xffff;
	__u32 n;

	if (!SOURCE_IS_OF(was, h)) {
		if (SOURCE_SEEN(was) > 1)
			STORE(cell, was - SOURCE_SEEN_ONE);
		else
			STORE(cell, (h >> 40 << 40) | SOURCE_SEEN_ONE | now << 16 | 1);
		return ADMIT_STRANGER;
	}
	if (ticks_since(st, SOURCE_START(was), 0xffff) >= store_second(st))
		was = (was & ~0xffffffffull) | now << 16;
	n = SOURCE_COUNT(was);
	STORE(cell,
	      was + (n < 0xffff) +
		      (SOURCE_SEEN(was) < 0xff - GUARD_AGAIN ? GUARD_AGAIN * SOURCE_SEEN_ONE : 0));
	if (n < GUARD_SOURCE_RATE)
		return ADMIT_KNOWN;
	store_count(st, STAT_SOURCE_FAST);
	return ADMIT_STRANGER;
}

/* source_is_known - the same question, and nothing changes. */
static __always_inline int source_is_known(struct store *st, __u64 cell, __u64 h)
{
	return SOURCE_IS_OF(cell, h) &&
	       (SOURCE_COUNT(cell) < GUARD_SOURCE_RATE ||
		ticks_since(st, SOURCE_START(cell), 0xffff) >= store_second(st));
}

/* source_admit - who is seen by other means than an attempt that opens. */
static __always_inline enum admission source_admit(struct store *st, const struct ip_addr *addr)
{
	struct guard *g = store_guard(st);
	__u64 h;

	if (!g)
		return ADMIT_STRANGER;
	h = source_hash(st, addr);
	return source_take(st, source_at(g, h), h);
}

/* flood_name - writes into *f, which is BUSY, which service it is. */
static __always_inline void flood_name(struct store *st, struct flood *f, __u64 h,
				       const struct packet *pkt)
{
	struct attempt_origin o = store_origin(st);

	f->resp = pkt->dst;
	f->port = pkt->dst_port;
	f->proto = pkt->proto;
	f->dir = o.dir;
	f->ifindex = o.ifindex;
	PUBLISH(&f->tag, FLOOD_TAG(h, FLOOD_LIVE));
	store_count(st, STAT_GUARD_ENGAGED);
	store_wake(st);
}

/* flood_claim - a place for a service that has just gone over its rate, unless all its places are
 * taken. Another CPU may claim the same for it. Returns its index, or GUARD_FLOODS. */
static __always_inline __u32 flood_claim(struct store *st, struct guard *g, __u64 h,
					 const struct packet *pkt)
{
	for (__u32 i = 0; i < GUARD_PROBES; i++) {
		struct flood *f = flood_at(g, h + i);
		__u64 was = CAS(&f->tag, 0, FLOOD_TAG(h, FLOOD_BUSY));

		if (was && !FLOOD_IS_OF(was, h))
			continue;
		if (!was)
			flood_name(st, f, h, pkt);
		return (__u32)(h + i) & (GUARD_FLOODS - 1);
	}
	return GUARD_FLOODS;
}

static __always_inline __u32 flood_find(struct guard *g, __u64 h)
{
	for (__u32 i = 0; i < GUARD_PROBES; i++)
		if (FLOOD_IS_OF(LOAD(&flood_at(g, h + i)->tag), h))
			return (__u32)(h + i) & (GUARD_FLOODS - 1);
	return GUARD_FLOODS;
}

/* attempt_leave_out - counts an attempt that is not followed, at its service if there is room to
 * name that. */
static __always_inline void attempt_leave_out(struct store *st, struct guard *g, __u64 h,
					      const struct packet *pkt)
{
	__u32 i = flood_find(g, h);

	if (i == GUARD_FLOODS)
		i = flood_claim(st, g, h, pkt);
	store_count(st, STAT_GUARD);
	if (i == GUARD_FLOODS)
		store_count(st, STAT_GUARD_UNNAMED);
	else
		store_count_unfollowed(st, i);
}

/* attempt_admit - may the attempt that pkt opens take a place? A datagram from a service under
 * guard is taken for a reply to one that was not followed, else its responder would become an
 * originator. */
static __always_inline int attempt_admit(struct store *st, const struct packet *pkt)
{
	struct guard *g = store_guard(st);
	__u32 rate = store_guard_rate(st);
	__u64 from, h, *service, *source;
	enum service_says says;

	if (!g)
		return ADMIT_STRANGER;
	if (rate && pkt->proto == PROTO_UDP &&
	    service_is_over(st, &pkt->src, pkt->src_port, PROTO_UDP)) {
		store_count(st, STAT_GUARD_REPLY);
		return ADMIT_NOT;
	}
	from = source_hash(st, &pkt->src);
	source = source_at(g, from);
	if (!rate)
		return source_take(st, source, from);
	h = service_hash(st, &pkt->dst, pkt->dst_port, pkt->proto);
	service = service_at(g, h);
	says = service_take(st, service, h, rate);
	if (says == SERVICE_FOLLOW)
		return source_take(st, source, from);
	if (says == SERVICE_OVER && source_is_known(st, LOAD(source), from)) {
		if (CELL_COUNT(LOAD(service)) >= rate)
			STORE(service, LOAD(service) + 1);
		return source_take(st, source, from);
	}
	attempt_leave_out(st, g, h, pkt);
	return ADMIT_NOT;
}

#endif
