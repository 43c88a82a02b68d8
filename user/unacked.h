/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What was written to a connection and has not arrived yet, as far as its kernel knows: should the
 * connection die, it goes out again on the next. Syslog over TCP answers nothing, so that is all
 * that can be known: what the receiver's kernel has acknowledged and its program not read when that
 * died is gone. */
#ifndef RECONMON_UNACKED_H
#define RECONMON_UNACKED_H

#include "output_dest.h"

enum {
	UNACKED_MAX = 1 << 20 /* bytes of text; more than a socket's queue holds (tcp_wmem: 4 MB at
			       * most, 16 KB to begin with), so that what is older has arrived */
};

struct unacked {
	struct record *head, **tail; /* r->n: where it ends, in bytes of the connection */
	size_t bytes;
};

void unacked_init(struct unacked *u);

/* unacked_add - a copy of r, which ended at so many bytes of the connection. Returns 0 or -ENOMEM:
 * then it will not be sent again. */
int unacked_add(struct unacked *u, const struct record *r, uint64_t end);

/* unacked_settle - so many bytes of the connection have arrived. */
void unacked_settle(struct unacked *u, uint64_t arrived);

/* unacked_pop - takes the oldest out, for the caller to free; NULL: none is left. */
struct record *unacked_pop(struct unacked *u);

/* unacked_unpop - puts it back where it was. */
void unacked_unpop(struct unacked *u, struct record *r);

void unacked_done(struct unacked *u);

#endif
