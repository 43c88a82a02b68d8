/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Do we see what goes by? A watched interface whose packets the kernel counts, and of which none
 * reaches our programs: another program takes them first (XDP, AF_XDP), senders bypass the hook, or
 * the programs were taken away.
 *
 * Input: at every look each watched interface, with the kernel's counts and what our programs noted
 * since the look before. Of an interface, a direction is unseen when at two looks in a row at least
 * UNSEEN_PACKETS more were counted and none was noted. One thread owns it. */
#ifndef RECONMON_UNSEEN_H
#define RECONMON_UNSEEN_H

#include "iface.h"

enum {
	UNSEEN_PACKETS = 64, /* a look: fewer may be what drivers count and never hand up */
	UNSEEN_TEXT_MAX = 256,
};

struct unseen;

/* unseen_new - nothing looked at yet. NULL for want of memory. */
struct unseen *unseen_new(void);
void unseen_free(struct unseen *u); /* NULL is fine */

/* unseen_begin - a look begins; interfaces that it does not come by are forgotten with the next. */
void unseen_begin(struct unseen *u);

/* unseen_look - one interface. seen: set of 1 << enum attempt_dir. Returns true, with a sentence in
 * text of UNSEEN_TEXT_MAX bytes, if there is news: it is unseen, or is seen again (*ret_again). */
bool unseen_look(struct unseen *u, const struct iface *iface, uint8_t seen, char *text,
		 bool *ret_again);

/* unseen_why - the sentence about an interface that is unseen, into text; false: it is not. */
bool unseen_why(const struct unseen *u, uint32_t ifindex, char *text);

/* unseen_count - how many are. */
size_t unseen_count(const struct unseen *u);

#endif
