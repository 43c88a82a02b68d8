/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The store of track.h over a plain LRU hash: slower, simpler, and therefore the reference that the
 * nursery is compared with (tests/bpf, tests/bench; `make lru` builds a daemon of it). */
#ifndef RECONMON_BPF_STORE_LRU_H
#define RECONMON_BPF_STORE_LRU_H

#include "contact.h"

/* Attempts still undecided, by their own key; the value's tag has generation 0 always and no
 * fingerprint, so that the state machine reads it as it reads a nursery tag. Written by
 * track_packet(), swept by user/sweep_lru.c. */
struct attempt_key {
	struct ip_addr orig, resp;
	__be16 orig_port, resp_port;
	__u8 proto;
	__u8 pad[3]; /* zero */
};

struct attempt_entry {
	__u64 tag;
	struct attempt a;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct attempt_key);
	__type(value, struct attempt_entry);
} attempts SEC(".maps");

static __always_inline __u64 store_hash(struct store *st, const struct packet *pkt)
{
	(void)st;
	return nursery_hash(pkt, hash_seed); /* for store_note(); the kernel hashes for itself */
}

static __always_inline int store_holds(struct store *st, __u64 hash)
{
	(void)st;
	(void)hash;
	return 1; /* maybe: no cheaper question than store_find() */
}

static __always_inline __u32 store_look(struct store *st, __u64 hash)
{
	(void)st;
	(void)hash;
	return 0; /* maybe, as above */
}

static __always_inline int store_find(struct store *st, __u64 hash, __u32 look,
				      const struct packet *pkt, struct slot *ret)
{
	struct attempt_key key = {
		.orig = pkt->src,
		.resp = pkt->dst,
		.orig_port = pkt->src_port,
		.resp_port = pkt->dst_port,
		.proto = pkt->proto,
	};
	struct attempt_entry *e;

	e = bpf_map_lookup_elem(&attempts, &key);

	(void)st;
	(void)hash;
	(void)look;
	ret->from_orig = 1;
	if (!e) {
		key.orig = pkt->dst;
		key.resp = pkt->src;
		key.orig_port = pkt->dst_port;
		key.resp_port = pkt->src_port;
		e = bpf_map_lookup_elem(&attempts, &key);
		ret->from_orig = 0;
	}
	if (!e)
		return FOUND_NOT;
	ret->tag_ptr = &e->tag;
	ret->a = &e->a;
	ret->tag = LOAD(&e->tag);
	return TAG_STATE(ret->tag) & STATE_LIVE ? FOUND_YES : FOUND_NOT;
}

static __always_inline struct attempt_key attempt_key_of(const struct attempt *a)
{
	return (struct attempt_key){
		.orig = a->orig,
		.resp = a->resp,
		.orig_port = a->orig_port,
		.resp_port = a->resp_port,
		.proto = a->proto,
	};
}

struct claim {
	struct attempt_entry e;
};

static __always_inline struct attempt *store_claim(struct store *st, __u64 hash, __u64 known,
						   struct claim *ret)
{
	(void)st;
	(void)hash;
	(void)known;
	return &ret->e.a;
}

static __always_inline __u64 store_generation(const struct claim *c)
{
	(void)c;
	return 0;
}

static __always_inline int store_publish(struct store *st, struct claim *c, __u8 state)
{
	struct attempt_key key = attempt_key_of(&c->e.a);

	c->e.tag = TAG_MAKE(0ull, 0, store_age(st), STATE_LIVE | state);
	if (!bpf_map_update_elem(&attempts, &key, &c->e, BPF_NOEXIST))
		return 1;
	store_count(st, STAT_NURSERY_EXISTS);
	return 0;
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
	struct attempt_key key;

	(void)st;
	if (!nursery_take(s, ret))
		return 0;
	key = attempt_key_of(ret);
	bpf_map_delete_elem(&attempts, &key);
	return 1;
}

/* nursery.h's own table is not used here. */
static __always_inline struct nursery_tags *nursery_tags_at(struct store *st, __u64 hash)
{
	(void)st;
	(void)hash;
	return NULL;
}

static __always_inline struct nursery_vals *nursery_vals_at(struct store *st, __u64 hash)
{
	(void)st;
	(void)hash;
	return NULL;
}

#endif
