// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "slab.h"

enum {
	LINE = 64, /* of the cache */
};

/* A piece that is free. */
struct slab_free {
	struct slab_free *next;
};

/* At the beginning of a chunk; pieces follow from the next line of the cache on. */
struct slab_chunk {
	struct slab_chunk *prev, *next; /* in slab.some, while it has room */
	struct slab_free *free;
	uint32_t made, live, room;
};
_Static_assert(sizeof(struct slab_chunk) <= LINE, "pieces follow");

static void link_chunk(struct slab *s, struct slab_chunk *c)
{
	c->prev = NULL;
	c->next = s->some;
	if (c->next)
		c->next->prev = c;
	s->some = c;
}

static void unlink_chunk(struct slab *s, struct slab_chunk *c)
{
	*(c->prev ? &c->prev->next : &s->some) = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

static struct slab_chunk *chunk_new(struct slab *s)
{
	struct slab_chunk *c = huge_map(SLAB_CHUNK, s->chunks > 0);

	if (!c)
		return NULL;
	c->room = (uint32_t)((SLAB_CHUNK - LINE) / s->size);
	if (!s->chunks && c->room > HUGE_TURNS) /* none of the rest is ever touched */
		c->room -= c->room / HUGE_TURNS * huge_turn();
	s->chunks++;
	link_chunk(s, c);
	return c;
}

static void chunk_drop(struct slab *s, struct slab_chunk *c)
{
	unlink_chunk(s, c);
	s->chunks--;
	huge_unmap(c, SLAB_CHUNK);
}

void *slab_get(struct slab *s)
{
	struct slab_chunk *c = s->some ? s->some : chunk_new(s);
	void *piece;

	if (!c)
		return NULL;
	piece = c->free;
	if (piece)
		c->free = c->free->next;
	else
		piece = (char *)c + LINE + c->made++ * s->size;
	if (++c->live == c->room)
		unlink_chunk(s, c);
	return piece;
}

void slab_put(struct slab *s, void *piece)
{
	struct slab_chunk *c = (void *)((uintptr_t)piece & ~(uintptr_t)(SLAB_CHUNK - 1));
	struct slab_free *f = piece;

	f->next = c->free;
	c->free = f;
	if (c->live-- == c->room)
		link_chunk(s, c);
	if (!c->live && s->chunks > 1)
		chunk_drop(s, c);
}

void slab_done(struct slab *s)
{
	if (s->some)
		chunk_drop(s, s->some);
}
