/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Is somebody emptying the maps of contacts? A word that user space makes odd before it does and
 * even again afterwards, and that the packet path reads before and after it writes an entry: what
 * it wrote may have been too late only if a drain was under way (bpf/contact.h). */
#ifndef RECONMON_DRAIN_SEQ_H
#define RECONMON_DRAIN_SEQ_H

#include "platform.h"

/* drain_met - was a drain under way at any time between two readings of the word? */
static __always_inline int drain_met(__u32 before, __u32 after)
{
	return before & 1 || before != after;
}

#ifndef __bpf__
/* drain_enter, drain_leave - around the calls that empty a map. A daemon that is killed in between
 * leaves the word odd: attempts cost more until the next has drained. The store comes before all
 * that the kernel copies, as the packet path's addition comes before its second reading: one of the
 * two sees the other. */
static __always_inline void drain_enter(__u32 *seq)
{
	__atomic_store_n(seq, *seq | 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static __always_inline void drain_leave(__u32 *seq)
{
	__atomic_store_n(seq, (*seq | 1) + 1, __ATOMIC_SEQ_CST);
}
#endif

#endif
