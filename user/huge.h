/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory in huge pages: what is visited at random among a million others misses the TLB too with
 * small ones. Of maps of its own: in a piece of the heap, a word of malloc's before or behind it is
 * enough for the kernel to fill the whole of it with small pages. */
#ifndef RECONMON_HUGE_H
#define RECONMON_HUGE_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HUGE_PAGE = 2 * 1024 * 1024, /* of x86-64 and arm64 (4 KiB granule) */
	HUGE_TURNS = 8
};

/* huge_turn - 0 to HUGE_TURNS - 1 by turns. A huge page takes a millisecond to be cleared; what
 * grows in step with others asks for its next one at another time than they do. */
unsigned int huge_turn(void);

/* huge_map - zeroed memory of its own for len bytes that begins where a huge page may; in huge
 * pages, if `huge` and the kernel agree: refused, it is slower and no more. NULL for want of
 * memory; give it back with huge_unmap(). */
void *huge_map(size_t len, bool huge);
void huge_unmap(void *p, size_t len); /* NULL is fine */

#endif
