/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The nursery: where attempts live until it is known whether their originator sends payload.
 *
 * An 8-way set-associative table in two memory-mapped arrays. A bucket of eight 64-bit tags is one
 * cache line, so the packet of an innocent connection costs one look at it and is done:
 *
 *	tag: [63:25] fingerprint, bit 63 set | [24] known | [23:16] generation | [15:8] age |
 *	     [7:0] state
 *
 * Everything that decides is in the tag and changes by one compare-and-exchange. Claim: CAS(empty
 * or victim -> BUSY, generation + 1), look again for the same fingerprint in the bucket, write the
 * value, publish LIVE. Take: read tag, copy value, CAS(tag -> empty); success proves the copy
 * whole, because the generation makes a recycled slot a different word. User space takes and marks
 * by the same rules through its mapping, without a system call. Nobody but an inserting program
 * ever holds BUSY.
 *
 * A bucket that is full gives up what is decided, then what the daemon has counted and nobody
 * answers, then strangers' attempts, then those of originators that were seen before (guard.h), of
 * each the unanswered first and the oldest first. A stranger never pushes out one of the last kind:
 * a flood of forged addresses turns over strangers only.
 *
 * Two CPUs that claim two ways for one attempt: the higher way gives in at once, the lower gives in
 * to a LIVE one and waits, a bounded while, for a BUSY one. Waiting goes upwards only: no cycle.
 * The memory and the clock come from the including side: store.h. */
#ifndef RECONMON_NURSERY_H
#define RECONMON_NURSERY_H

#include "parse.h"
#include "store.h"
#include "tag.h"

#define HASH_PRIME 0xD6E8FEB86659FD93ull /* odd, and good at avalanche: rrmxmx's constant */

/* hash_end4, hash_end6 - one end of a flow in at most 63 bits. Of IPv4 nothing is lost, and what
 * differs at all differs in the low 24 bits, where a multiplication carries it up. Of IPv6 it is a
 * hash already: each 32 bits of it meet a random factor. */
static __always_inline __u64 hash_end4(__be32 addr, __be16 port)
{
	__u64 x = (__u64)addr << 16 | port;

	return x ^ x >> 24;
}

static __always_inline __u64 hash_end6(__u64 w0, __u64 w1, __be16 port, __u64 seed2, __u64 seed3)
{
	__u64 x = (w0 ^ w0 >> 32) * seed2 + (w1 ^ w1 >> 32) * seed3;

	return (x + ((__u64)port << 16)) >> 1;
}

/* hash_ends - the same whichever end comes first. Ends are sorted (without a branch: which comes
 * first is a coin toss) and each is multiplied with a random factor, which for two different flows
 * comes to the same sum with a probability of 2^-40 at most (IPv6: 2^-30), whatever they are: that
 * of multiply-shift hashing. The rest spreads the sum over all bits. */
static __always_inline __u64 hash_ends(__u64 a, __u64 b, __u8 proto, const volatile __u64 *seed)
{
	__u64 swap = a - b, x;

	OPAQUE(swap);
	swap = (__u64)((__s64)swap >> 63) & (a ^ b);
	x = (a ^ swap) * seed[0] + (b ^ swap) * seed[1] + proto;
	x = (x ^ x >> 32) * HASH_PRIME;
	return (x ^ x >> 32) | 1ull << 63;
}

static __always_inline __u64 hash_end(const struct ip_addr *addr, __be16 port,
				      const volatile __u64 *seed)
{
	if (!addr->w[0] && (__u32)addr->w[1] == IP_ADDR_V4_PREFIX)
		return hash_end4((__be32)(addr->w[1] >> 32), port);
	return hash_end6(addr->w[0], addr->w[1], port, seed[2], seed[3]);
}

/* nursery_hash - the same for both directions of a connection. Bit 63 is always set; bits 0 to 23
 * choose the bucket, 25 to 63 are the fingerprint. Seeded: a stranger cannot aim at a bucket.
 * Volatile, because the BPF side's seed is written between compilation and load; through any other
 * pointer clang takes the initialisers for its value. */
static __always_inline __u64 nursery_hash(const struct packet *pkt, const volatile __u64 *seed)
{
	return hash_ends(hash_end(&pkt->src, pkt->src_port, seed),
			 hash_end(&pkt->dst, pkt->dst_port, seed), pkt->proto, seed);
}

/* quick_hash - nursery_hash() of the packet that *q is of. */
static __always_inline __u64 quick_hash(const struct quick *q, enum quick_family family,
					const volatile __u64 *seed)
{
	const struct wire_ipv4 *ip4 = q->ip;
	const struct wire_ipv6 *ip6 = q->ip;
	__u64 seed2, seed3;

	if (family == QUICK_IPV4)
		return hash_ends(hash_end4(ip4->src, q->tcp->src), hash_end4(ip4->dst, q->tcp->dst),
				 PROTO_TCP, seed);
	seed2 = seed[2];
	seed3 = seed[3];
	return hash_ends(hash_end6(ip6->src[0], ip6->src[1], q->tcp->src, seed2, seed3),
			 hash_end6(ip6->dst[0], ip6->dst[1], q->tcp->dst, seed2, seed3), PROTO_TCP,
			 seed);
}

/* ways_of - the ways whose fingerprint is h's, one bit each. Without a branch: one a way would make
 * the verifier walk everything that follows once per way. */
static __always_inline __u32 ways_of(const struct nursery_tags *b, __u64 h)
{
	__u64 m = 0;

#pragma GCC unroll 8
	for (int i = 0; i < NURSERY_WAYS; i++) {
		__u64 differs = TAG_FP(LOAD(&b->t[i]) ^ h); /* below 2^39 */

		m |= (differs - 1) >> 63 << i;
		OPAQUE(m);
	}
	return (__u32)m;
}

/* way_first - index of the lowest set bit of m, which has one. */
static __always_inline __u32 way_first(__u32 m)
{
	__u32 low = m & -m;
	__u32 i = ((low & 0xaa) + 0xff) >> 8 | ((low & 0xcc) + 0xff) >> 8 << 1 |
		  ((low & 0xf0) + 0xff) >> 8 << 2;

	OPAQUE(i);
	return i & (NURSERY_WAYS - 1);
}

/* attempt_matches - 1 if pkt was sent by a's originator, 2 if by its responder, else 0. */
static __always_inline int attempt_matches(const struct attempt *a, const struct packet *pkt)
{
	if (a->proto != pkt->proto)
		return 0;
	if (a->orig_port == pkt->src_port && a->resp_port == pkt->dst_port &&
	    addr_same(&a->orig, &pkt->src) && addr_same(&a->resp, &pkt->dst))
		return 1;
	if (a->orig_port == pkt->dst_port && a->resp_port == pkt->src_port &&
	    addr_same(&a->orig, &pkt->dst) && addr_same(&a->resp, &pkt->src))
		return 2;
	return 0;
}

/* nursery_holds - is this hash's fingerprint in its bucket? nursery_look() in two thirds of the
 * instructions, for those of which it is not. */
static __always_inline int nursery_holds(struct store *st, __u64 h)
{
	const struct nursery_tags *b = nursery_tags_at(st, h);

	if (!b)
		return 0;
#pragma GCC unroll 8
	for (__u32 i = 0; i < NURSERY_WAYS; i++)
		if ((LOAD(&b->t[i]) ^ h) < TAG_FP_ONE)
			return 1;
	return 0;
}

/* nursery_look - which way has this hash's fingerprint? All that the packet of an innocent
 * connection costs: one cache line. Returns the way, with LOOK_DECIDED if the attempt there is
 * decided, or LOOK_NONE. */
static __always_inline __u32 nursery_look(struct store *st, __u64 h)
{
	const struct nursery_tags *b = nursery_tags_at(st, h);

	if (!b)
		return LOOK_NONE;
#pragma GCC unroll 8
	for (__u32 i = 0; i < NURSERY_WAYS; i++) {
		__u64 tag = LOAD(&b->t[i]);

		if ((tag ^ h) < TAG_FP_ONE)
			return i | (tag & LOOK_DECIDED);
	}
	return LOOK_NONE;
}

/* nursery_find - is the attempt that pkt belongs to, in either direction, where nursery_look() has
 * seen its fingerprint? h is its nursery_hash(). Returns FOUND_YES with *ret filled, or why not. */
static __always_inline int nursery_find(struct store *st, __u64 h, __u32 look,
					const struct packet *pkt, struct slot *ret)
{
	struct nursery_tags *b = nursery_tags_at(st, h);
	struct nursery_vals *vals = nursery_vals_at(st, h);
	__u32 i = look & (NURSERY_WAYS - 1);
	int side;

	if (!b || !vals || look & LOOK_NONE)
		return FOUND_NOT;
	OPAQUE(i);
	i &= NURSERY_WAYS - 1;
	ret->tag_ptr = &b->t[i];
	ret->a = &vals->v[i];
	ret->tag = LOAD(ret->tag_ptr);
	if (TAG_FP(ret->tag ^ h))
		return FOUND_NOT; /* it left between two looks: as if this packet came later */
	if (!(TAG_STATE(ret->tag) & STATE_LIVE)) {
		store_count(st, STAT_NURSERY_BUSY);
		return FOUND_BUSY;
	}
	side = attempt_matches(ret->a, pkt);
	if (!side) {
		if (LOAD(ret->tag_ptr) == ret->tag)
			return FOUND_OTHER;
		store_count(st, STAT_NURSERY_RETRY);
		return FOUND_NOT;
	}
	ret->from_orig = side == 1;
	return FOUND_YES;
}

/* ways_empty - the ways that hold nothing, one bit each. Branch-free, see ways_of(). */
static __always_inline __u32 ways_empty(const struct nursery_tags *b)
{
	__u64 m = 0;

#pragma GCC unroll 8
	for (int i = 0; i < NURSERY_WAYS; i++) {
		__u64 state = TAG_STATE(LOAD(&b->t[i]));

		m |= (state - 1) >> 63 << i;
		OPAQUE(m);
	}
	return (__u32)m;
}

#define VICTIM_LIVE	  (1ull << 12)
#define VICTIM_DECIDED	  (1ull << 11)
#define VICTIM_COUNTED	  (1ull << 10)
#define VICTIM_STRANGER	  (1ull << 9)
#define VICTIM_UNANSWERED (1ull << 8)

/* victim_score - how gladly a slot is given up, see above; the older first: bits 7 to 0. BUSY is
 * below all (0 to 7). Branch-free, see ways_of(). */
static __always_inline __u64 victim_score(__u64 tag, __u8 age, __u32 way)
{
	__u64 state = TAG_STATE(tag);
	__u64 live = ~state & 1;
	__u64 score = VICTIM_LIVE | (state >> 5 & 1) * VICTIM_DECIDED |
		      (state >> 4 & ~(state >> 2) & 1) * VICTIM_COUNTED |
		      (~(tag >> 24) & 1) * VICTIM_STRANGER |
		      (~(state >> 2) & 1) * VICTIM_UNANSWERED | (__u8)(age - TAG_AGE(tag));

	return (score & (0 - live)) << 3 | way;
}

/* nursery_victim - the way that an attempt may have, plus NURSERY_WAYS or more: an empty one, which
 * is the rule, else the one given up most gladly; known: TAG_KNOWN, or 0 for a stranger's. Below
 * NURSERY_WAYS: none. */
static __always_inline __u64 nursery_victim(struct store *st, const struct nursery_tags *b,
					    __u64 known)
{
	__u8 age = store_age(st);
	__u64 best = 0;
	__u32 empty;

	if (!TAG_STATE(LOAD(&b->t[0])))
		return NURSERY_WAYS; /* what the next lines would find, at a tenth of the cost */
	empty = ways_empty(b);
	if (empty)
		return NURSERY_WAYS | way_first(empty);

#pragma GCC unroll 8
	for (__u32 i = 0; i < NURSERY_WAYS; i++) {
		__u64 score = victim_score(LOAD(&b->t[i]), age, i);
		__u64 worse = (__u64)((__s64)(score - best) >> 63); /* all ones: keep best */

		OPAQUE(worse); /* else clang makes a branch of it, each with another way */
		best = (best & worse) | (score & ~worse);
		OPAQUE(best);
	}
	if (!known && best < (VICTIM_LIVE | VICTIM_STRANGER) << 3)
		return 0;
	return best;
}

/* evicted_speaks - the last word of an attempt that was judged and has to give way: payload that no
 * sweep has read, and its line in the log. */
static __always_inline void evicted_speaks(struct store *st, const struct attempt *a, __u8 state)
{
	__u32 owed = owed_bits(a, state);

	if (owed)
		store_judged(st, a, owed);
	store_ended(st, a, state, ended_bits(a, state));
}

static __always_inline void count_evicted(struct store *st, __u64 tag)
{
	__u8 state = TAG_STATE(tag);

	if (state & (STATE_DECIDED | STATE_REPORTED))
		store_count(st, STAT_NURSERY_EVICTED_SEEN);
	else if (state)
		store_count(st, STAT_NURSERY_EVICTED_UNSEEN);
}

/* nursery_claim - makes one slot of b BUSY with h's fingerprint, and `known` as of
 * nursery_victim(). Returns its way and hands its new tag to *ret and the one before to *ret_old,
 * or returns -1 (counted). */
static __always_inline int nursery_claim(struct store *st, struct nursery_tags *b, __u64 h,
					 __u64 known, __u64 *ret, __u64 *ret_old)
{
	for (int try = 0; try < NURSERY_TRIES; try++) {
		__u64 best = nursery_victim(st, b, known), old, claim;
		__u32 i = (__u32)best & (NURSERY_WAYS - 1);

		if (best < NURSERY_WAYS) {
			store_count(st, STAT_NURSERY_NO_ROOM);
			return -1;
		}
		OPAQUE(i);
		i &= NURSERY_WAYS - 1;
		old = LOAD(&b->t[i]);
		claim = TAG_MAKE(h, TAG_GEN(old) + 1, store_age(st), STATE_BUSY) | known;
		if (!(TAG_STATE(old) & STATE_BUSY) && CAS(&b->t[i], old, claim) == old) {
			count_evicted(st, old);
			*ret = claim;
			*ret_old = old;
			return (int)i;
		}
	}
	store_count(st, STAT_NURSERY_GAVE_UP);
	return -1;
}

/* nursery_is_twin - after a claim of way i: does another CPU hold, or is it about to hold, the same
 * attempt, so that this one gives in? The comparison of ways is no branch, or the verifier would
 * learn of i from each look, and walk the rest once for each. */
static __always_inline int nursery_is_twin(struct store *st, const struct nursery_tags *b, __u64 h,
					   __u32 i)
{
	for (int look = 0; look < NURSERY_LOOKS; look++) {
		__u32 m = ways_of(b, h) & ~(1u << i), j;
		__u64 gives_in;

		if (!m)
			return 0;
		store_count(st, STAT_NURSERY_TWIN);
		j = way_first(m);
		gives_in = ((__u64)j - i) >> 63 | (LOAD(&b->t[j]) & STATE_LIVE);
		OPAQUE(gives_in);
		if (gives_in)
			return 1;
	}
	store_count(st, STAT_NURSERY_UNSURE);
	return 0;
}

/* A place that is being filled; nobody else touches it. */
struct nursery_claim {
	__u64 *tag_ptr;
	__u64 tag; /* whose generation is to be part of the value's `acct` */
};

/* nursery_claim_value - a place for an attempt that nursery_find() did not find; known: TAG_KNOWN,
 * or 0 for a stranger's. Returns its value, all of which is to be written before
 * nursery_publish(), or NULL and a counter says why. */
static __always_inline struct attempt *nursery_claim_value(struct store *st, __u64 h, __u64 known,
							   struct nursery_claim *ret)
{
	struct nursery_tags *b = nursery_tags_at(st, h);
	struct nursery_vals *vals = nursery_vals_at(st, h);
	__u64 old = 0;
	int way;
	__u32 i;

	ret->tag = 0;
	if (!b || !vals)
		return NULL;
	way = nursery_claim(st, b, h, known, &ret->tag, &old);
	if (way < 0)
		return NULL;
	i = (__u32)way;
	OPAQUE(i);
	i &= NURSERY_WAYS - 1;
	if (old & (STATE_DECIDED | STATE_REPORTED)) /* its value is ours until it is overwritten */
		evicted_speaks(st, &vals->v[i], TAG_STATE(old));
	if (nursery_is_twin(st, b, h, i)) {
		PUBLISH(&b->t[i], TAG_EMPTY(ret->tag));
		store_count(st, STAT_NURSERY_EXISTS);
		return NULL;
	}
	ret->tag_ptr = &b->t[i];
	return &vals->v[i];
}

/* nursery_publish - it is there from now on. */
static __always_inline void nursery_publish(const struct nursery_claim *c, __u8 state)
{
	PUBLISH(c->tag_ptr, c->tag ^ (STATE_BUSY | STATE_LIVE | state));
}

/* slot_swap - puts `want` in the place of the slot's tag. Returns 1 if that was done; 0 if the tag
 * had changed and s->tag is now the new one of the same attempt; -1 if the attempt is gone. The
 * generation tells a recycled slot apart. */
static __always_inline int slot_swap(struct slot *s, __u64 want)
{
	__u64 was = CAS(s->tag_ptr, s->tag, want);

	if (was == s->tag) {
		s->tag = want;
		return 1;
	}
	if ((was ^ s->tag) & ~0xffffull || !(TAG_STATE(was) & STATE_LIVE))
		return -1;
	s->tag = was;
	return 0;
}

/* tag_renewed - tag with the age of now. */
static __always_inline __u64 tag_renewed(struct store *st, __u64 tag)
{
	return (tag & ~0xff00ull) | (__u64)store_age(st) << 8;
}

/* nursery_mark - sets state bits of an attempt and renews its age. Returns 1, or 0 if it has been
 * taken meanwhile. */
static __always_inline int nursery_mark(struct store *st, struct slot *s, __u8 bits)
{
	int r = 0;

	for (int try = 0; try < NURSERY_TRIES && !r; try++)
		r = slot_swap(s, tag_renewed(st, s->tag) | bits);
	return r > 0;
}

/* nursery_settle - marks an attempt as decided and heard of, and copies it out. Returns 1: the copy
 * is whole and the caller's alone to judge, s->tag is what it was before; or 0: another CPU decided
 * or took it. */
static __always_inline int nursery_settle(struct store *st, struct slot *s, struct attempt *ret)
{
	__u64 was = s->tag;
	int r = 0;

	for (int try = 0; try < NURSERY_TRIES && !r; try++) {
		was = s->tag;
		if (was & STATE_DECIDED)
			return 0;
		*ret = *s->a;
		r = slot_swap(s,
			      tag_renewed(st, was) | STATE_DECIDED | STATE_REPORTED | STATE_AGAIN);
	}
	s->tag = was;
	return r > 0;
}

/* nursery_decide - marks an attempt as decided, which the daemon has yet to hear. Returns 1, or 0
 * if another CPU did, or took it. */
static __always_inline int nursery_decide(struct store *st, struct slot *s)
{
	int r = 0;

	for (int try = 0; try < NURSERY_TRIES && !r; try++) {
		if (s->tag & STATE_DECIDED)
			return 0;
		r = slot_swap(s, (tag_renewed(st, s->tag) & ~(__u64)STATE_REPORTED) |
					 STATE_DECIDED | STATE_AGAIN);
	}
	return r > 0;
}

/* nursery_take - removes the attempt and copies it out. Returns 1: the copy is whole and the
 * caller's alone to judge, s->tag is its last tag; or 0: somebody else took it, or decided it
 * meanwhile, and what the caller concluded from s->tag holds no more. */
static __always_inline int nursery_take(struct slot *s, struct attempt *ret)
{
	__u64 tag = s->tag, decided = tag & STATE_DECIDED;
	int r = 0;

	for (int try = 0; try < NURSERY_TRIES && !r; try++) {
		tag = s->tag;
		if ((tag & STATE_DECIDED) != decided)
			return 0;
		*ret = *s->a;
		r = slot_swap(s, TAG_EMPTY(tag));
	}
	s->tag = tag;
	return r > 0;
}

#endif
