/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Many pieces of memory of a few sizes, in huge pages where there are many (huge.h), and without
 * the allocator's own word beside each piece, which is a tenth of it.
 *
 * Of each size, chunks of SLAB_CHUNK bytes that a piece's address tells; one that is empty is given
 * back, but for the last of its size. The first one is in small pages: a quiet host touches a few
 * of them. One thread owns it. */
#ifndef RECONMON_SLAB_H
#define RECONMON_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "huge.h"

enum {
	SLAB_CHUNK = HUGE_PAGE,
	SLAB_MAX = SLAB_CHUNK / 16, /* larger pieces are not for it */
};

struct slab_chunk;

/* Pieces of one size; zero but for it. */
struct slab {
	size_t size;		 /* a multiple of 8, SLAB_MAX at the most */
	struct slab_chunk *some; /* chunks with room, of which the first is used */
	size_t chunks;
};

/* slab_get - a piece, not cleared; NULL for want of memory. slab_put - gives it back. */
void *slab_get(struct slab *s);
void slab_put(struct slab *s, void *piece);

/* slab_done - gives back the chunk that is kept; every piece has been before. */
void slab_done(struct slab *s);

#endif
