// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "unseen.h"

#include <inttypes.h>
#include <reconmon/attempt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DIRS = 2, /* enum attempt_dir */
	LOOKS = 2 /* in a row */
};

struct watched {
	uint32_t ifindex, look; /* of the look that came by last */
	uint64_t packets[DIRS]; /* by the kernel's count, then */
	uint64_t missed[DIRS];	/* since it was seen last */
	unsigned int in_a_row[DIRS];
};

struct unseen {
	struct watched *watched; /* by ifindex: few, and looked at rarely */
	size_t n, room;
	uint32_t look;
};

struct unseen *unseen_new(void)
{
	return calloc(1, sizeof(struct unseen));
}

void unseen_free(struct unseen *u)
{
	if (!u)
		return;
	free(u->watched);
	free(u);
}

void unseen_begin(struct unseen *u)
{
	for (size_t i = u->n; i--;)
		if (u->watched[i].look != u->look)
			u->watched[i] = u->watched[--u->n];
	u->look++;
}

static struct watched *find(const struct unseen *u, uint32_t ifindex)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->watched[i].ifindex == ifindex)
			return &u->watched[i];
	return NULL;
}

/* add - NULL for want of memory: that one is not looked at. */
static struct watched *add(struct unseen *u, uint32_t ifindex)
{
	if (u->n == u->room) {
		size_t room = u->room ? u->room * 2 : 8;
		struct watched *more = realloc(u->watched, room * sizeof(*more));

		if (!more)
			return NULL;
		u->watched = more;
		u->room = room;
	}
	u->watched[u->n] = (struct watched){ .ifindex = ifindex };
	return &u->watched[u->n++];
}

static bool is_unseen(const struct watched *w)
{
	return w->in_a_row[DIR_INGRESS] >= LOOKS || w->in_a_row[DIR_EGRESS] >= LOOKS;
}

/* judge - one direction since the last look. */
static void judge(struct watched *w, int dir, uint64_t packets, bool seen)
{
	uint64_t more = packets > w->packets[dir] ? packets - w->packets[dir] : 0;

	w->packets[dir] = packets;
	if (seen) {
		w->in_a_row[dir] = 0;
		w->missed[dir] = 0;
		return;
	}
	w->missed[dir] += more;
	/* A pause proves nothing: what was unseen stays so, what was not begins anew. */
	if (more >= UNSEEN_PACKETS)
		w->in_a_row[dir] += w->in_a_row[dir] < LOOKS;
	else if (w->in_a_row[dir] < LOOKS)
		w->in_a_row[dir] = 0;
}

static void tell(const struct watched *w, char *text)
{
	bool in = w->in_a_row[DIR_INGRESS] >= LOOKS, out = w->in_a_row[DIR_EGRESS] >= LOOKS;
	uint64_t missed = (in ? w->missed[DIR_INGRESS] : 0) + (out ? w->missed[DIR_EGRESS] : 0);

	snprintf(text, UNSEEN_TEXT_MAX,
		 "the kernel counts packets that %s (%" PRIu64
		 " so far) and none was seen: another program takes them first (XDP, AF_XDP), a "
		 "sender bypasses tc, or our programs were removed",
		 in && out ? "come in and go out"
		 : in	   ? "come in"
			   : "go out",
		 missed);
}

bool unseen_look(struct unseen *u, const struct iface *iface, uint8_t seen, char *text,
		 bool *ret_again)
{
	struct watched *w = find(u, iface->index);
	bool is_new = !w, was;

	if (is_new)
		w = add(u, iface->index);
	if (!w)
		return false;
	w->look = u->look;
	was = is_unseen(w);
	if (is_new) {
		w->packets[DIR_INGRESS] = iface->rx_packets;
		w->packets[DIR_EGRESS] = iface->tx_packets;
		return false;
	}
	judge(w, DIR_INGRESS, iface->rx_packets, seen & 1u << DIR_INGRESS);
	judge(w, DIR_EGRESS, iface->tx_packets, seen & 1u << DIR_EGRESS);
	*ret_again = was;
	if (was == is_unseen(w))
		return false;
	if (was)
		snprintf(text, UNSEEN_TEXT_MAX, "its packets are seen again");
	else
		tell(w, text);
	return true;
}

bool unseen_why(const struct unseen *u, uint32_t ifindex, char *text)
{
	const struct watched *w = find(u, ifindex);

	if (!w || !is_unseen(w))
		return false;
	tell(w, text);
	return true;
}

size_t unseen_count(const struct unseen *u)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n; i++)
		n += is_unseen(&u->watched[i]);
	return n;
}
