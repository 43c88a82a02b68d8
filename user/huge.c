// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "huge.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

unsigned int huge_turn(void)
{
	static atomic_uint turn;

	return atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed) % HUGE_TURNS;
}

static size_t whole_pages(size_t len)
{
	return (len + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
}

void *huge_map(size_t len, bool huge)
{
	const size_t want = whole_pages(len);
	size_t before;
	char *p = mmap(NULL, want + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	before = (size_t)(-(uintptr_t)p % HUGE_PAGE);
	if (before)
		munmap(p, before);
	p += before;
	if (before < HUGE_PAGE)
		munmap(p + want, HUGE_PAGE - before);
	if (huge)
		(void)madvise(p, want, MADV_HUGEPAGE);
	return p;
}

void huge_unmap(void *p, size_t len)
{
	if (p)
		munmap(p, whole_pages(len));
}
