/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How do windows and open alerts outlive the daemon, kill -9 included?
 *
 * The guarantee: an attempt that the kernel has seen reaches the windows once, however often the
 * daemon is killed, at whatever moment, and restarted; an alert keeps its id. Evidence is at any
 * time in at least one place that outlives the process: in the kernel's maps (pin.h), or in memory
 * that is pinned beside them:
 *
 *	keep_batch      where the system call that empties `contacts` writes what it takes out: it
 *			ends whatever happens to its caller
 *	keep_journal    every piece of evidence, written before the nursery learns that it was told
 *			of; and every tick, before the engine sees it
 *	keep_snapshot   all that the engine knew when the journal began
 *
 * The next daemon loads the snapshot and gives the engine the journal once more, tick by tick, by
 * the clocks written there. The engine is the same then, ids included, because they are made of
 * evidence. Of the alerts that it raises meanwhile those are said that no output had taken by then
 * (a second time perhaps, by the same id); the others are not.
 *
 * When the journal is as large as the snapshot, and half a megabyte at least, a new snapshot takes
 *the place of both. All of it is memory, as the kernel's maps are, and ends with the boot; habits
 *have their file besides (state.h). What may be lost: in case of a panic everything; upon kill -9
 *rows of the log of attempts, and, of an output without a spool (spool.h), alerts that its receiver
 *has not taken for so long that the journal has grown to four times that size.
 *
 * NULL is a keep that keeps nothing. */
#ifndef RECONMON_KEEP_H
#define RECONMON_KEEP_H

#include "engine.h"
#include "pieces.h"
#include "pin.h"

struct keep;

enum {
	KEEP_BATCH = 4096, /* entries that one system call takes out */
};

/* What is kept beside the engine: the tick's own figures. */
struct keep_tick {
	uint64_t now_ns;
	int64_t wall_offset_ns;
	uint64_t taken, evicted; /* of `contacts`, since the maps were made (struct drain_stats) */
	uint64_t lost_sum;	 /* counters_lost() */
	uint64_t lost;		 /* evidence was lost since the tick before */
	uint64_t unfollowed;	 /* drain_unfollowed() */
};

struct keep_stats {
	uint64_t snapshots, pieces; /* made; written to the journal */
	uint64_t unkept;	    /* pieces that found no memory: kill -9 would have lost them */
	uint64_t bytes;		    /* of pinned memory */
};

/* keep_open - with what `pin` has kept, or with nothing if that was not taken over. Returns 0 with
 * *ret for keep_close(), or a negative errno with err filled. */
int keep_open(struct pin *pin, struct keep **ret, struct error *err);

/* keep_speak_fn - from now on alerts are to be said, or not. */
typedef void keep_speak_fn(void *ctx, bool aloud);

/* keep_recover - gives the engine, which has seen nothing, what its predecessor knew. speak: told
 * when alerts that the engine raises meanwhile are news; they are at the start, and at the end.
 * What the predecessor had taken from the kernel and not yet counted is added to `left`, for the
 * first tick. Returns 1 if there was something, *last its last tick; 0 if not; -EINVAL, with err
 * saying so, if it is damaged or another build's: then the engine is of no use, and what was kept
 * is removed. */
int keep_recover(struct keep *k, struct engine *e, keep_speak_fn *speak, void *ctx,
		 struct pieces *left, struct keep_tick *last, struct error *err);

/* keep_begin - from now on e is kept: unless keep_recover() has found something, by a first
 * snapshot. Returns 0, or a negative errno with err filled. */
int keep_begin(struct keep *k, const struct engine *e, struct error *err);

/* keep_keys, keep_contacts - where a batch is to be taken to, KEEP_BATCH each. keep_batch_begin -
 * one will be; keep_batch_end - its pieces, n entries, have been written. */
struct contact_key *keep_keys(struct keep *k);
struct contact *keep_contacts(struct keep *k);
void keep_batch_begin(struct keep *k);
void keep_batch_end(struct keep *k, uint32_t n);

/* keep_piece - writes a piece of evidence down. keep_piece_undo - the last one was none. */
void keep_piece(struct keep *k, const struct piece *piece);
void keep_piece_undo(struct keep *k);

/* keep_tick - all pieces of a tick are there, and the engine is about to see them. */
void keep_tick(struct keep *k, const struct keep_tick *tick);

/* keep_lost - the sum of all counters of losses, which goes with the next tick. */
void keep_lost(struct keep *k, uint64_t sum);

/* keep_said - all alerts so far have been taken by their outputs. keep_is_said - is that known? */
void keep_said(struct keep *k);
bool keep_is_said(const struct keep *k);

/* keep_turn - after a tick: makes a snapshot if it is time, or if it is the last one (now). */
void keep_turn(struct keep *k, const struct engine *e, bool now);

void keep_stats_get(const struct keep *k, struct keep_stats *ret);
void keep_close(struct keep *k);

#endif
