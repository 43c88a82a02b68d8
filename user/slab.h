/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Many pieces of memory of a few sizes, in huge pages where there are many: what is visited at
 * random among a million others misses the TLB too with small ones, and the allocator's own word
 * beside each piece is a tenth of it.
 *
 * Of each size, chunks of SLAB_CHUNK bytes that a piece's address tells; one that is empty is given
 * back, but for the last of its size. The first one is in small pages: a quiet host touches a few
 * of them. One thread owns it. */
#ifndef RECONMON_SLAB_H
#define RECONMON_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SLAB_CHUNK = 2 * 1024 * 1024, /* a huge page of x86-64 and arm64 (4 KiB granule) */
	SLAB_MAX = SLAB_CHUNK / 16,   /* larger pieces are not for it */
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

/* huge_turn - 0 to HUGE_TURNS - 1 by turns. A huge page takes a millisecond to be cleared; what
 * grows in step with others asks for its next one at another time than they do. */
enum {
	HUGE_TURNS = 8
};
unsigned int huge_turn(void);

/* huge_map - zeroed memory of its own for len bytes that begins where a huge page may; in huge
 * pages, if `huge` and the kernel agree: refused, it is slower and no more. NULL for want of
 * memory; give it back with huge_unmap(). */
void *huge_map(size_t len, bool huge);
void huge_unmap(void *p, size_t len);

#endif
