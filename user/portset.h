/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A set of ports with what each answered, and its text as ranges. */
#ifndef RECONMON_PORTSET_H
#define RECONMON_PORTSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"

/* Best knowledge first: a port that was open once is open. */
enum answer {
	ANSWER_OPEN,
	ANSWER_CLOSED,
	ANSWER_FILTERED,
	ANSWER_NONE,
	ANSWER_MAX,
};

/* answer_name - "open", "closed", "filtered", "none". */
const char *answer_name(enum answer a);

/* Ports come in chunks of 1,024, allocated when the first port of one is added: a scan of three
 * ports costs half a KiB, one of all 65,536 ports 32 KiB. */
struct portset;

/* portset_new - an empty set, or NULL for want of memory. The caller frees it with portset_free().
 */
struct portset *portset_new(void);
/* portset_free - NULL is fine. */
void portset_free(struct portset *p);

/* portset_add - adds a port (host byte order) with an answer. A port that is there takes the better
 * answer of the two (lower enum). Returns 1 if the port is new, 0 if not, -ENOMEM (then the set is
 * unchanged). */
int portset_add(struct portset *p, uint16_t port, enum answer a);

/* portset_remove - returns true if the port was there. */
bool portset_remove(struct portset *p, uint16_t port);

/* portset_get - what a port answered. Returns false, *ret unchanged, if it is not in the set. */
bool portset_get(const struct portset *p, uint16_t port, enum answer *ret);

uint32_t portset_count(const struct portset *p);
uint32_t portset_count_answer(const struct portset *p, enum answer a);

/* portset_shared - how many ports are in both, whatever they answered. */
uint32_t portset_shared(const struct portset *p, const struct portset *q);

/* portset_next - the first port from `port` on with that answer (ANSWER_MAX: any), or -1. `port`
 * may be 65,536, past the last. */
int portset_next(const struct portset *p, enum answer a, uint32_t port);

/* portset_bytes - memory that it takes. */
size_t portset_bytes(const struct portset *p);

/* portset_format - writes the ports as ascending ranges: "22,80,443,8000-8010"; two neighbours stay
 * a list, three become a range. `a` chooses one answer, ANSWER_MAX all. Whole elements only: what
 * does not fit in len bytes is left out. Returns the length the whole text has, so a return value
 * of len or more says that it was cut. */
size_t portset_format(const struct portset *p, enum answer a, char *buf, size_t len);

/* portset_save - writes the set down. portset_load - reads it into a new one; NULL if b does not
 * hold one, or for want of memory. */
void portset_save(const struct portset *p, struct blob *b);
struct portset *portset_load(struct blob *b);

#endif
