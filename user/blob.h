/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Bytes that are written one after the other and read back in the same order: how what the daemon
 * knows is kept for the next one (keep.h). For one host and one build's layout: no byte order, no
 * widths; who reads has checked that layout first.
 *
 * A failure sticks: what is put after it is nothing, what is got after it is zero, and the caller
 * looks at `failed` once, at the end. */
#ifndef RECONMON_BLOB_H
#define RECONMON_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. For reading: data and len set, at 0. */
struct blob {
	unsigned char *data; /* written: blob_done() frees it; read: the caller's */
	size_t len, room, at;
	bool failed; /* no memory, or a read beyond the end */
};

void blob_put(struct blob *b, const void *p, size_t len);
void blob_put_u32(struct blob *b, uint32_t n);

/* blob_put_text - a string, or NULL. blob_get_text - a copy for free(), or NULL. */
void blob_put_text(struct blob *b, const char *text);
char *blob_get_text(struct blob *b);

/* blob_get - the next len bytes into ret. Returns false, and zeroes, if there are fewer. */
bool blob_get(struct blob *b, void *ret, size_t len);
uint32_t blob_get_u32(struct blob *b);

/* blob_left - how many bytes are still to be read: no count may be larger than that. */
size_t blob_left(const struct blob *b);

/* blob_part_begin - what follows, up to blob_part_end(), can be skipped by who does not want it.
 * Give the one's result to the other. */
size_t blob_part_begin(struct blob *b);
void blob_part_end(struct blob *b, size_t begin);

/* blob_part - the next part, to be read by itself; b goes on behind it. */
struct blob blob_part(struct blob *b);

void blob_done(struct blob *b);

#endif
