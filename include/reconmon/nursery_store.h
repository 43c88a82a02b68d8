/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The store of track.h over the nursery, on whichever side that is: what store.h asks for beyond
 * memory, clock and counters. */
#ifndef RECONMON_NURSERY_STORE_H
#define RECONMON_NURSERY_STORE_H

#include "nursery.h"

static __always_inline int store_holds(struct store *st, __u64 hash)
{
	return nursery_holds(st, hash);
}

static __always_inline __u32 store_look(struct store *st, __u64 hash)
{
	return nursery_look(st, hash);
}

static __always_inline int store_find(struct store *st, __u64 hash, __u32 look,
				      const struct packet *pkt, struct slot *ret)
{
	return nursery_find(st, hash, look, pkt, ret);
}

struct claim {
	struct nursery_claim place;
};

static __always_inline struct attempt *store_claim(struct store *st, __u64 hash, __u64 known,
						   struct claim *ret)
{
	return nursery_claim_value(st, hash, known, &ret->place);
}

static __always_inline __u64 store_generation(const struct claim *c)
{
	return (__u64)TAG_GEN(c->place.tag) << ACCT_GEN_SHIFT;
}

static __always_inline int store_publish(struct store *st, struct claim *c, __u8 state)
{
	(void)st;
	nursery_publish(&c->place, state);
	return 1;
}

static __always_inline int store_mark(struct store *st, struct slot *s, __u8 bits)
{
	return nursery_mark(st, s, bits);
}

static __always_inline int store_decide(struct store *st, struct slot *s)
{
	return nursery_decide(st, s);
}

static __always_inline int store_settle(struct store *st, struct slot *s, struct attempt *ret)
{
	return nursery_settle(st, s, ret);
}

static __always_inline int store_take(struct store *st, struct slot *s, struct attempt *ret)
{
	(void)st;
	return nursery_take(s, ret);
}

#endif
