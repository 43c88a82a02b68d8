/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One output's way out: a bounded queue in memory, a thread that empties it, and behind it, if it
 * has one, a spool on disk with a thread that fills it.
 *
 * A thread each, because a receiver may hold up whoever writes to it in ways that no event loop can
 * avoid: a file on a network disk that hangs, a name server that does not answer. Whatever blocks,
 * blocks there; the one that drains the kernel's maps only ever appends to a list.
 *
 * What could not be written stays at the head of the queue and is tried again, with a back-off of
 * 0.1 s to 5 s. A problem is said on standard error when it begins, not at every attempt, and again
 * when it is over.
 *
 * With a spool, what was not delivered within 0.1 s, or finds a receiver that fails, moves to disk
 * and is sent from there, in order; so it outlasts the process, however that ends. While the spool
 * takes nothing (full, or its disk is), the queue holds what it can. */
#ifndef RECONMON_OUTPUT_LANE_H
#define RECONMON_OUTPUT_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output_dest.h"
#include "spool.h"

struct lane;

struct lane_stats {
	uint64_t written;  /* records that the receiver took */
	uint64_t lost;	   /* lines that were never written: one an alert */
	uint64_t failures; /* attempts that failed */
	uint64_t queued_bytes;
	uint32_t queued;	  /* records that wait in memory */
	struct spool_stats spool; /* and on disk, for this run or the next */
	bool failing;		  /* the last attempt failed */
	int dead;		  /* errno of a receiver that will never take another, else 0 */
};

/* lane_spec - name: for messages, copied. limit: bytes that may wait. patient: an append waits for
 * room (replay, where nothing is lost by waiting) instead of failing at once, and a receiver that
 * fails for longer than dest->patience_ns is dead. */
struct lane_spec {
	const char *name;
	const struct dest *dest;
	void *handle; /* of dest->open(); the lane closes it */
	size_t limit;
	bool patient;
	struct spool *spool; /* the lane closes it; NULL: none. Not for a patient one. */
};

/* lane_open - starts the threads. Returns 0, or a negative errno; handle and spool stay the
 * caller's then. */
int lane_open(const struct lane_spec *spec, struct lane **ret);

/* lane_push - appends a record, which the lane frees, in any case. Returns false if there is no
 * room or the receiver is dead; then it is not written, and not counted as lost either: the caller
 * may yet say it again, and if not calls lane_lost(). */
bool lane_push(struct lane *l, struct record *r);
void lane_lost(struct lane *l);

/* lane_is_calm - at most half of the queue is in use and the receiver lives: time to say again what
 * was dropped. */
bool lane_is_calm(struct lane *l);

/* lane_reopen - the destination is opened anew before the next record (files: after logrotate). */
void lane_reopen(struct lane *l);

/* lane_end - nothing more comes. Waits until all is written, or the receiver fails, or the moment
 * until_ns (CLOCK_MONOTONIC; 0: however long it takes); what is left is in the spool for the next
 * run, or lost. */
void lane_end(struct lane *l, uint64_t until_ns);

void lane_stats_get(struct lane *l, struct lane_stats *ret);

/* lane_free - after lane_end(); NULL is fine. A thread that the kernel does not let go of (a disk
 * that hangs) keeps its memory until it ends. */
void lane_free(struct lane *l);

#endif
