/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which hosts, or pairs of host and port, are listed, and what did each answer? What portset.h is
 * to ports: an array for those who read it, and an index that finds a value in it.
 *
 * It takes room for what it holds and no more: most sweeps end after some dozen hosts. Up to
 * HOSTSET_MAX values. The index is seeded at random: hosts are chosen by strangers. Not
 * thread-safe. */
#ifndef RECONMON_HOSTSET_H
#define RECONMON_HOSTSET_H

#include <reconmon/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portset.h"

enum {
	HOSTSET_MAX = 4096 /* values; below 65,535, the index counts to there */
};

/* A host, or a host and one of its ports. */
struct host_value {
	struct ip_addr addr;
	enum answer answer; /* the best so far */
	uint16_t port;	    /* host byte order; 0 where hosts alone are listed */
	uint16_t refs;	    /* whatever the set's owner counts by it; 0 when added */
};

struct hostset {
	struct host_value *value; /* n of them, in no order; they move when one is removed */
	uint32_t n, room;
	uint32_t n_answer[ANSWER_MAX]; /* of these n, how many answered so */
	uint16_t *slot; /* 2 * room: a value's position + 1, or 0; NULL: nothing was added yet */
	uint64_t seed;
};

/* hostset_init - an empty set, which takes no memory yet. hostset_done - frees what it took; a set
 * of zeroes is fine. */
void hostset_init(struct hostset *s);
void hostset_done(struct hostset *s);

/* hostset_find - the value of a host and port, valid until the next change; NULL: not listed. */
struct host_value *hostset_find(const struct hostset *s, const struct ip_addr *addr, uint16_t port);

/* hostset_add - lists a value, or raises its answer to a better one. Returns 1 if it is new, 0 if
 * it was there, -ENOSPC if the set is full, -ENOMEM; nothing is changed then. */
int hostset_add(struct hostset *s, const struct ip_addr *addr, uint16_t port, enum answer answer);

/* hostset_remove - takes out what hostset_find() found. */
void hostset_remove(struct hostset *s, struct host_value *v);

/* hostset_save - writes the set down. hostset_load - reads it into one that holds no memory.
 * Returns 0, -EINVAL if b does not hold one, or -ENOMEM. */
void hostset_save(const struct hostset *s, struct blob *b);
int hostset_load(struct hostset *s, struct blob *b);

/* hostset_bytes - memory that it takes. */
size_t hostset_bytes(const struct hostset *s);

#endif
