// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "array_view.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct array_view {
	int fd, prot;
	char *at;	   /* addresses for all of it, of which some are mapped */
	size_t len, piece; /* bytes; len in whole pages */
	size_t pieces;
	uint8_t left[]; /* turns that each piece stays; 0: it is not mapped */
};

static size_t page_round(size_t len, size_t page)
{
	return (len + page - 1) / page * page;
}

struct array_view *array_view_open(int fd, size_t len, bool writable)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t piece = page_round(ARRAY_VIEW_PIECE, page);
	size_t pieces = (len + piece - 1) / piece;
	struct array_view *v = calloc(1, sizeof(*v) + pieces);

	if (!v)
		return NULL;
	v->fd = fd;
	v->prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	v->len = page_round(len, page);
	v->piece = piece;
	v->pieces = pieces;
	v->at = mmap(NULL, v->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (v->at != MAP_FAILED)
		return v;
	free(v);
	return NULL;
}

void array_view_close(struct array_view *v)
{
	if (!v)
		return;
	munmap(v->at, v->len);
	free(v);
}

static size_t piece_len(const struct array_view *v, size_t i)
{
	return i + 1 < v->pieces ? v->piece : v->len - i * v->piece;
}

/* map_piece - returns whether it is there; errno is set if it is not. */
static bool map_piece(struct array_view *v, size_t i)
{
	return mmap(v->at + i * v->piece, piece_len(v, i), v->prot, MAP_SHARED | MAP_FIXED, v->fd,
		    (off_t)(i * v->piece)) != MAP_FAILED;
}

/* unmap_piece - its addresses stay ours. Returns whether it is gone: it may stay for want of
 * memory. */
static bool unmap_piece(struct array_view *v, size_t i)
{
	return mmap(v->at + i * v->piece, piece_len(v, i), PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

void *array_view_ask(struct array_view *v, size_t offset, size_t len)
{
	for (size_t i = offset / v->piece; i <= (offset + len - 1) / v->piece; i++) {
		if (!v->left[i] && !map_piece(v, i))
			return NULL;
		v->left[i] = ARRAY_VIEW_TURNS;
	}
	return v->at + offset;
}

void array_view_turn(struct array_view *v)
{
	for (size_t i = 0; i < v->pieces; i++)
		if (v->left[i] > 1 || (v->left[i] && unmap_piece(v, i)))
			v->left[i]--;
}

size_t array_view_mapped(const struct array_view *v)
{
	size_t mapped = 0;

	for (size_t i = 0; i < v->pieces; i++)
		mapped += v->left[i] ? piece_len(v, i) : 0;
	return mapped;
}
