/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the nursery lies in memory: what the BPF side, nursery.h and the daemon's sweep agree on. */
#ifndef RECONMON_TAG_H
#define RECONMON_TAG_H

#include "attempt.h"

enum {
	NURSERY_WAYS = 8,
	NURSERY_AGE_SHIFT = 29, /* 2^29 ns: 0.54 s a unit; 8 bits wrap after 137 s, so user space
				 * clamps the age of what is older than half of that */
	NURSERY_TRIES = 3,  /* compare-and-exchanges lost in a row before an insertion gives up */
	NURSERY_LOOKS = 16, /* looks at another CPU's BUSY claim before both may stand */
};

struct nursery_tags {
	__u64 t[NURSERY_WAYS];
} __attribute__((aligned(64)));

struct nursery_vals {
	struct attempt v[NURSERY_WAYS];
};

#define TAG_FP(x)      ((x) >> 25)
#define TAG_FP_ONE     (1ull << 25)
#define TAG_KNOWN      (1ull << 24) /* ACCT_KNOWN, where replacement sees it */
#define TAG_STATE(tag) ((__u8)(tag))
#define TAG_AGE(tag)   ((__u8)((tag) >> 8))
#define TAG_GEN(tag)   ((__u8)((tag) >> 16))
#define TAG_EMPTY(tag) ((tag)&0xff0000) /* the generation outlives the attempt */
#define TAG_MAKE(h, gen, age, state)                                                               \
	(((h) & ~0x1ffffffull) | (__u64)(__u8)(gen) << 16 | (__u64)(__u8)(age) << 8 | (__u8)(state))

/* tag_swept - what the sweep puts in a decided slot's place when it takes owed_bits() out of it:
 * nothing after TCP, whose later packets then cost no more than anybody's; a UDP flow stays, for
 * its next datagram must not open another attempt. */
static __always_inline __u64 tag_swept(__u64 tag, __u8 proto)
{
	return proto == PROTO_UDP ? tag | STATE_REPORTED : TAG_EMPTY(tag);
}

#endif
