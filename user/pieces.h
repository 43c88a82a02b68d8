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

enum {
	PIECES_PLANS = 16 /* that are looked ahead at together */
};

/* A piece's place in the order of time. */
struct piece_order {
	uint64_t t_ns;
	uint32_t i; /* in the array of pieces */
};

/* Zeroed is empty. Memory is kept from tick to tick; pieces_done() frees it. */
struct pieces {
	struct piece *piece;
	size_t n, room;
	struct piece_order *order, *other;     /* in order of time, once sorted; and room to sort */
	size_t fed;			       /* handed to the engine */
	struct engine_plan plan[PIECES_PLANS]; /* of those that are being handed over */
	uint64_t no_memory;		       /* pieces that could not be kept: lost */
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

/* pieces_sort - in order of time, the last of each contact counts; piece_time() is that time. Takes
 * about 20 ns a piece. pieces_at - the i-th in that order. */
void pieces_sort(struct pieces *p);
uint64_t piece_time(const struct piece *piece);
const struct piece *pieces_at(const struct pieces *p, size_t i);

/* pieces_feed_some - hands the next `most` of what was sorted to the engine, whose rules may not
 * change meanwhile. Returns whether some are left. They stay, sorted, until pieces_clear(). */
bool pieces_feed_some(struct pieces *p, struct engine *e, size_t most);

/* pieces_feed - sorts all and hands all over. */
void pieces_feed(struct pieces *p, struct engine *e);
void pieces_clear(struct pieces *p);
void pieces_done(struct pieces *p);

#endif
