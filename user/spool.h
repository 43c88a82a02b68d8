/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records that wait on disk for a receiver, in the order in which they came.
 *
 * A folder an output, and a process at a time. In it are segments, 0000000000000001.spool and so
 * on, of records each with its length and checksum. That a record was delivered is written into it
 * in place, and a segment of which all is delivered is removed: an empty spool is an empty folder
 * but for `lock`. So whatever ends the process, what was not delivered is there when it starts
 * again, and a record whose delivery was not noted any more is delivered twice, with the same id.
 *
 * What is damaged is found by its checksum. The last record, of which only a part was written, is
 * cut off; of any other file the sound records are kept and the file itself is set aside as
 * NAME.damaged.
 *
 * Bounded by the sizes of its files. What finds no room is refused, hence the newest: what came
 * before is already part of stories whose end the receiver is waiting for. Not thread-safe. */
#ifndef RECONMON_SPOOL_H
#define RECONMON_SPOOL_H

#include <stdint.h>

#include "error.h"
#include "output_dest.h"

struct spool;

struct spool_stats {
	uint64_t records, bytes; /* that wait; bytes of the files */
	uint64_t damaged;	 /* places at which something could not be read */
	uint64_t lost;		 /* lines that were known and could not be read back */
};

#define SPOOL_MIN (1u << 20) /* bytes */
#define SPOOL_MAX (2u << 30)

/* spool_open - takes a folder, making it (mode 0700) if its parent is there. limit: bytes of the
 * files, SPOOL_MIN to SPOOL_MAX. Returns 0 with *ret for spool_close(), and in note what was found
 * damaged ("" if nothing); or a negative errno with err filled: -EBUSY if another process has it.
 */
int spool_open(const char *folder, uint64_t limit, struct spool **ret, struct error *note,
	       struct error *err);
void spool_close(struct spool *s); /* NULL is fine; what waits stays */

/* spool_append - a copy of r behind all others. Returns 0; -EFBIG if the limit is reached; or the
 * negative errno of the disk. Then nothing of it is there. */
int spool_append(struct spool *s, const struct record *r);

/* spool_sync - what was appended outlasts a power cut from now on. Returns 0 or a negative errno.
 */
int spool_sync(struct spool *s);

/* spool_next - the first that was not delivered, for the caller to free; NULL: none is left.
 * Returns 0, or a negative errno with err filled: what was damaged is set aside, and the next call
 * goes on behind it. */
int spool_next(struct spool *s, struct record **ret, struct error *err);

/* spool_ack - the one that spool_next() gave last, or would give next, was delivered or is not to
 * be. Returns 0 or a negative errno: it will be delivered again after a restart. */
int spool_ack(struct spool *s);

/* spool_check - at the end, when nothing more is read: what waits in files that somebody has
 * removed waits no more, and is counted as lost. */
void spool_check(struct spool *s);

void spool_stats_get(const struct spool *s, struct spool_stats *ret);

/* spool_waiting - how many records wait in a folder, whoever it belongs to; 0 if it is none. */
uint64_t spool_waiting(const char *folder);

#endif
