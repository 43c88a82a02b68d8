/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The evidence of one tick, gathered from wherever it comes and handed to the engine in order of
 * its own time. Live, the kernel's maps and the sweep feed it; in replay, the state machine itself.
 */
#ifndef RECONMON_PIECES_H
#define RECONMON_PIECES_H

#include <reconmon/attempt.h>
#include <stddef.h>

#include "engine.h"

struct piece {
	struct contact_key key;
	struct contact contact;
};

/* Zeroed is empty. Memory is kept from tick to tick; pieces_done() frees it. */
struct pieces {
	struct piece *piece;
	size_t n, room;
	uint64_t no_memory; /* pieces that could not be kept: lost */
	/* told - of each piece that pieces_feed() has handed on, and whether a rule counted it as a
	 * probe; NULL: nobody asks. */
	void (*told)(void *ctx, const struct piece *piece, bool counted);
	void *ctx; /* its first argument */
};

/* pieces_add - adds a piece that was one before. */
void pieces_add(struct pieces *p, const struct piece *piece);

/* pieces_add_contact - adds what was seen at a contact. */
void pieces_add_contact(struct pieces *p, const struct contact_key *key, const struct contact *c);

/* pieces_add_attempt - adds one attempt; `bits` are CONTACT_*, as for contact_init(). */
void pieces_add_attempt(struct pieces *p, const struct attempt *a, uint32_t bits);

/* pieces_sort - in order of time, the last of each contact counts. piece_time() is that time. */
void pieces_sort(struct pieces *p);
uint64_t piece_time(const struct piece *piece);

/* pieces_feed - sorts them by time and hands them to the engine. They stay, sorted, until
 * pieces_clear(). */
void pieces_feed(struct pieces *p, struct engine *e);
void pieces_clear(struct pieces *p);
void pieces_done(struct pieces *p);

#endif
