/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The memory of a kernel's array, mapped a piece at a time where somebody looks, and for as long as
 * somebody does: all that is mapped of an array counts as this process's, and most of the arrays of
 * a quiet host are empty. One thread owns it. */
#ifndef RECONMON_ARRAY_VIEW_H
#define RECONMON_ARRAY_VIEW_H

#include <stdbool.h>
#include <stddef.h>

enum {
	ARRAY_VIEW_PIECE = 16384, /* bytes, or a page where pages are larger */
	ARRAY_VIEW_TURNS = 16,	  /* that a piece stays without being asked for */
};

struct array_view;

/* array_view_open - of an array of len bytes that can be mapped (BPF_F_MMAPABLE); `fd` must stay
 * open. Nothing is mapped yet. Returns NULL with errno set; free with array_view_close(). */
struct array_view *array_view_open(int fd, size_t len, bool writable);
void array_view_close(struct array_view *v); /* NULL is fine */

/* array_view_ask - the memory of len bytes (1 or more) from offset on, which are in the array; good
 * until the next turn. NULL with errno set if the kernel does not map it. */
void *array_view_ask(struct array_view *v, size_t offset, size_t len);

/* array_view_turn - lets go of what nobody has asked for in the last ARRAY_VIEW_TURNS turns. */
void array_view_turn(struct array_view *v);

/* array_view_mapped - how many bytes of it are mapped. */
size_t array_view_mapped(const struct array_view *v);

#endif
