// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "pieces.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* So many pieces ahead is memory asked for: buckets, then what they point to. A piece takes
	 * about half a microsecond, memory a tenth of one. */
	FAR = 4,
	NEAR = 2,
};

static struct piece *piece_new(struct pieces *p)
{
	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 256;
		struct piece *more = realloc(p->piece, room * sizeof(*more));

		if (!more) {
			p->no_memory++;
			return NULL;
		}
		p->piece = more;
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

/* At the same moment the key decides, so that the same evidence is always told in the same order,
 * however it was gathered. */
static int compare_pieces(const void *a, const void *b)
{
	uint64_t x = piece_time(a), y = piece_time(b);
	const struct piece *p = a, *q = b;

	return x != y ? (x > y) - (x < y) : memcmp(&p->key, &q->key, sizeof(p->key));
}

void pieces_sort(struct pieces *p)
{
	if (p->n > 1)
		qsort(p->piece, p->n, sizeof(*p->piece), compare_pieces);
}

static void expect(const struct pieces *p, const struct engine *e, size_t i, bool near)
{
	if (i < p->n)
		engine_expect(e, &p->piece[i].key, &p->piece[i].contact, near);
}

void pieces_feed(struct pieces *p, struct engine *e)
{
	bool counted;

	pieces_sort(p);
	for (size_t i = 0; i < p->n; i++) {
		expect(p, e, i + FAR, false);
		expect(p, e, i + NEAR, true);
		counted = engine_contact(e, &p->piece[i].key, &p->piece[i].contact);
		if (p->told)
			p->told(p->ctx, &p->piece[i], counted);
	}
}

void pieces_clear(struct pieces *p)
{
	p->n = 0;
}

void pieces_done(struct pieces *p)
{
	free(p->piece);
	*p = (struct pieces){ 0 };
}
