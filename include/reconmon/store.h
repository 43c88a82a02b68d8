/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What track.h and nursery.h ask of the side that includes them: declared here, defined there.
 * The kernel's definitions are in bpf/, the host's in user/host_store.h, so the state machine and
 * the table exist once. */
#ifndef RECONMON_STORE_H
#define RECONMON_STORE_H

#include "attempt.h"
#include "flood.h"
#include "stats.h"

struct store;
struct nursery_tags;
struct nursery_vals;

/* Where an attempt was found. */
struct slot {
	__u64 *tag_ptr;
	struct attempt *a;
	__u64 tag;	/* as it was when the key was compared */
	__u8 from_orig; /* 1: the packet's source is the originator */
};

enum store_found {
	FOUND_NOT = 0,
	FOUND_YES,
	FOUND_BUSY,  /* another CPU is storing it: this packet goes unseen */
	FOUND_OTHER, /* another attempt has this fingerprint: nothing can be stored here */
};

/* What store_look() answers, besides a way in the low bits. */
enum {
	LOOK_DECIDED = STATE_DECIDED, /* an attempt that is decided is there */
	LOOK_NONE = 0x100,	      /* none is: certainly not */
};

/* Surroundings. */
static __always_inline void store_count(struct store *st, enum stat which);
static __always_inline __u8 store_age(struct store *st); /* now, in units of NURSERY_AGE_SHIFT */
static __always_inline int store_exempts_transfers(struct store *st);
static __always_inline void store_stamp(struct store *st, struct attempt *a); /* first_ns,
									       * ifindex, dir */

/* The flood guard (guard.h): its memory, or NULL: everybody is admitted; attempts a second at one
 * service, at most GUARD_RATE_MAX, or 0: it is off; a clock of ticks, and how many a second has;
 * the hashes' seed, four odd words. */
static __always_inline struct guard *store_guard(struct store *st);
static __always_inline __u32 store_guard_rate(struct store *st);
static __always_inline __u32 store_ticks(struct store *st);
static __always_inline __u32 store_second(struct store *st);
static __always_inline const volatile __u64 *store_seed(struct store *st);

/* ... where this packet was seen; one more attempt that was not followed, of guard.flood[i]; the
 * daemon should look before its tick. */
struct attempt_origin {
	__u32 ifindex;
	__u8 dir;
};
static __always_inline struct attempt_origin store_origin(struct store *st);
static __always_inline void store_count_unfollowed(struct store *st, __u32 i);
static __always_inline void store_wake(struct store *st);

/* The table's memory; NULL ends the packet. */
static __always_inline struct nursery_tags *nursery_tags_at(struct store *st, __u64 hash);
static __always_inline struct nursery_vals *nursery_vals_at(struct store *st, __u64 hash);

/* Attempts: by nursery.h, or by a plain LRU hash. Semantics as nursery_find() and so on. */
static __always_inline __u64 store_hash(struct store *st, const struct packet *pkt);
static __always_inline int store_holds(struct store *st, __u64 hash);
static __always_inline __u32 store_look(struct store *st, __u64 hash);
static __always_inline int store_find(struct store *st, __u64 hash, __u32 look,
				      const struct packet *pkt, struct slot *ret);
struct claim;
static __always_inline struct attempt *store_claim(struct store *st, __u64 hash, __u64 known,
						   struct claim *ret);
static __always_inline __u64 store_generation(const struct claim *c); /* at its place in `acct` */
static __always_inline int store_publish(struct store *st, struct claim *c, __u8 state);
static __always_inline int store_mark(struct store *st, struct slot *s, __u8 bits);
static __always_inline int store_decide(struct store *st, struct slot *s);
static __always_inline int store_settle(struct store *st, struct slot *s, struct attempt *ret);
static __always_inline int store_take(struct store *st, struct slot *s, struct attempt *ret);

/* An attempt is judged, unless it is decided by payload: contact_bits are CONTACT_*. */
static __always_inline void store_judged(struct store *st, const struct attempt *a,
					 __u32 contact_bits);

/* An attempt has left the table at a packet: for the log of attempts, if there is one. */
static __always_inline void store_ended(struct store *st, const struct attempt *a, __u8 state,
					__u32 contact_bits);

/* One word a flow, in a small table in which each has one place and any other may take it: what
 * kind of segment went by that belonged to no undecided attempt? What is forgotten is no evidence.
 */
static __always_inline __u32 *store_note_at(struct store *st, __u64 hash);

#endif
