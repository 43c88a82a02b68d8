// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "unacked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void unacked_init(struct unacked *u)
{
	u->head = NULL;
	u->tail = &u->head;
	u->bytes = 0;
}

struct record *unacked_pop(struct unacked *u)
{
	struct record *r = u->head;

	if (!r)
		return NULL;
	u->head = r->next;
	if (!u->head)
		u->tail = &u->head;
	u->bytes -= r->len;
	return r;
}

void unacked_unpop(struct unacked *u, struct record *r)
{
	r->next = u->head;
	u->head = r;
	if (!r->next)
		u->tail = &r->next;
	u->bytes += r->len;
}

int unacked_add(struct unacked *u, const struct record *r, uint64_t end)
{
	struct record *copy = malloc(sizeof(*copy) + r->len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, r, sizeof(*copy) + r->len + 1);
	copy->next = NULL;
	copy->n = end;
	*u->tail = copy;
	u->tail = &copy->next;
	u->bytes += copy->len;
	while (u->bytes > UNACKED_MAX && u->head != copy)
		free(unacked_pop(u));
	return 0;
}

void unacked_settle(struct unacked *u, uint64_t arrived)
{
	while (u->head && u->head->n <= arrived)
		free(unacked_pop(u));
}

void unacked_done(struct unacked *u)
{
	while (u->head)
		free(unacked_pop(u));
}
