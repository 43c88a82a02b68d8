// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "pieces.h"

#include <stdlib.h>
#include <string.h>

enum {
	RADIX_BITS = 11,
	RADIX = 1 << RADIX_BITS,
	FEW = 128, /* pieces are sorted by comparing */
};

static struct piece *piece_new(struct pieces *p)
{
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct piece *more =
			room <= UINT32_MAX ? realloc(p->piece, room * sizeof(*more)) : NULL;
		struct piece_order *order;

		p->piece = more ? more : p->piece;
		/* Both orders in one: nothing is in them before all pieces are there. */
		order = more ? malloc(2 * room * sizeof(*order)) : NULL;
		if (!order) {
			p->no_memory++;
			return NULL;
		}
		free(p->order < p->other ? p->order : p->other);
		p->order = order;
		p->other = order + room;
		p->room = room;
	}
	return &p->piece[p->n++];
}

void pieces_add(struct pieces *p, const struct piece *one)
{
	struct piece *piece = piece_new(p);

	if (piece)
		*piece = *one;
}

void pieces_add_contact(struct pieces *p, const struct contact_key *key, const struct contact *c)
{
	struct piece *piece = piece_new(p);

	if (piece)
		*piece = (struct piece){ .key = *key, .contact = *c };
}

void pieces_add_attempt(struct pieces *p, const struct attempt *a, uint32_t bits)
{
	struct piece *piece = piece_new(p);

	if (!piece)
		return;
	piece->key = contact_key_of(a);
	contact_init(&piece->contact, &piece->key, a, bits);
}

uint64_t piece_time(const struct piece *piece)
{
	const struct contact *c = &piece->contact;

	return c->silent_last_ns > c->carried_last_ns ? c->silent_last_ns : c->carried_last_ns;
}

/* --- order ---------------------------------------------------------------------------------- */

/* At the same moment the key decides, so that the same evidence is always told in the same order,
 * however it was gathered. */
static int compare_pieces(const void *a, const void *b, void *pieces)
{
	const struct piece_order *x = a, *y = b;
	const struct piece *of = ((const struct pieces *)pieces)->piece;

	return x->t_ns != y->t_ns ? (x->t_ns > y->t_ns) - (x->t_ns < y->t_ns)
				  : memcmp(&of[x->i].key, &of[y->i].key, sizeof(of->key));
}

/* radix_pass - from p->order to p->other by RADIX_BITS of the time; the two change places. */
static void radix_pass(struct pieces *p, uint64_t from_ns, unsigned int shift)
{
	struct piece_order *other = p->other;
	uint32_t at[RADIX] = { 0 }, sum = 0;

	for (size_t i = 0; i < p->n; i++)
		at[(p->order[i].t_ns - from_ns) >> shift & (RADIX - 1)]++;
	for (int i = 0; i < RADIX; i++) {
		uint32_t n = at[i];

		at[i] = sum;
		sum += n;
	}
	for (size_t i = 0; i < p->n; i++)
		other[at[(p->order[i].t_ns - from_ns) >> shift & (RADIX - 1)]++] = p->order[i];
	p->other = p->order;
	p->order = other;
}

/* sort_ties - what has the same time stands in a row by now. */
static void sort_ties(struct pieces *p)
{
	for (size_t i = 0, end; i < p->n; i = end) {
		for (end = i + 1; end < p->n && p->order[end].t_ns == p->order[i].t_ns;)
			end++;
		if (end - i > 1)
			qsort_r(&p->order[i], end - i, sizeof(*p->order), compare_pieces, p);
	}
}

void pieces_sort(struct pieces *p)
{
	uint64_t first = UINT64_MAX, last = 0;
	bool sorted = true;

	for (size_t i = 0; i < p->n; i++) {
		uint64_t t = piece_time(&p->piece[i]);

		p->order[i] = (struct piece_order){ .t_ns = t, .i = (uint32_t)i };
		sorted &= t > last || !i;
		first = t < first ? t : first;
		last = t > last ? t : last;
	}
	p->fed = 0;
	if (sorted)
		return;
	if (p->n < FEW) {
		qsort_r(p->order, p->n, sizeof(*p->order), compare_pieces, p);
		return;
	}
	for (unsigned int shift = 0; shift < 64 && (last - first) >> shift; shift += RADIX_BITS)
		radix_pass(p, first, shift);
	sort_ties(p);
}

const struct piece *pieces_at(const struct pieces *p, size_t i)
{
	return &p->piece[p->order[i].i];
}

/* --- feeding -------------------------------------------------------------------------------- */

/* look_ahead - works out where the next pieces belong, and asks for the memory that they touch,
 * step by step. */
static void look_ahead(struct pieces *p, const struct engine *e, size_t from, size_t n)
{
	static const enum table_step steps[] = { EXPECT_SLOT, EXPECT_NODE, EXPECT_TOUCH,
						 EXPECT_WITHIN };

	for (size_t i = 0; i < n; i++) {
		const struct piece *piece = pieces_at(p, from + i);

		engine_plan(e, &piece->key, &piece->contact, &p->plan[i]);
	}
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++)
		for (size_t i = 0; i < n; i++)
			engine_expect(e, &pieces_at(p, from + i)->contact, &p->plan[i], steps[s]);
}

static void feed(struct pieces *p, struct engine *e, size_t i, const struct engine_plan *plan)
{
	const struct piece *piece = pieces_at(p, i);
	bool counted = engine_contact_planned(e, &piece->key, &piece->contact, plan);

	if (p->told)
		p->told(p->ctx, piece, counted);
}

bool pieces_feed_some(struct pieces *p, struct engine *e, size_t most)
{
	size_t end = p->n - p->fed < most ? p->n : p->fed + most;

	while (p->fed < end) {
		size_t n = end - p->fed < PIECES_PLANS ? end - p->fed : PIECES_PLANS;

		look_ahead(p, e, p->fed, n);
		for (size_t i = 0; i < n; i++)
			feed(p, e, p->fed + i, &p->plan[i]);
		p->fed += n;
	}
	return end < p->n;
}

void pieces_feed(struct pieces *p, struct engine *e)
{
	pieces_sort(p);
	pieces_feed_some(p, e, p->n);
}

void pieces_clear(struct pieces *p)
{
	p->n = 0;
	p->fed = 0;
}

void pieces_done(struct pieces *p)
{
	free(p->piece);
	free(p->order < p->other ? p->order : p->other);
	*p = (struct pieces){ 0 };
}
