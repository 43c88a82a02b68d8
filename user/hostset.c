// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "hostset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	ROOM_FIRST = 32, /* the sweep's threshold of 25 and some */
	SLOTS = 2,	 /* a value: a search ends after one or two */
};

void hostset_init(struct hostset *s)
{
	*s = (struct hostset){ .n = 0 };
	/* A weak seed only makes a crowded place guessable. */
	if (getrandom(&s->seed, sizeof(s->seed), GRND_NONBLOCK) != sizeof(s->seed))
		s->seed = (uintptr_t)s * 0x9E3779B97F4A7C15ull;
}

void hostset_done(struct hostset *s)
{
	free(s->value);
	free(s->slot);
	*s = (struct hostset){ .n = 0 };
}

static uint32_t home(const struct hostset *s, const struct ip_addr *addr, uint16_t port)
{
	uint64_t x = (addr->w[0] ^ s->seed ^ port) * 0x9E3779B97F4A7C15ull;

	x = (x ^ x >> 32 ^ addr->w[1]) * (s->seed | 1);
	x = (x ^ x >> 32) * 0xD6E8FEB86659FD93ull;
	return (uint32_t)(x >> 32) & (s->room * SLOTS - 1);
}

/* slot_of - the slot that has the value, or the empty one where it would be. */
static uint32_t slot_of(const struct hostset *s, const struct ip_addr *addr, uint16_t port)
{
	uint32_t i = home(s, addr, port);

	for (; s->slot[i]; i = (i + 1) & (s->room * SLOTS - 1)) {
		const struct host_value *v = &s->value[s->slot[i] - 1];

		if (v->port == port && addr_same(&v->addr, addr))
			break;
	}
	return i;
}

struct host_value *hostset_find(const struct hostset *s, const struct ip_addr *addr, uint16_t port)
{
	uint16_t at = s->slot ? s->slot[slot_of(s, addr, port)] : 0;

	return at ? &s->value[at - 1] : NULL;
}

/* grow - doubles the room and places everything anew. */
static int grow(struct hostset *s)
{
	uint32_t room = s->room ? s->room * 2 : ROOM_FIRST;
	struct host_value *value;
	uint16_t *slot;

	slot = calloc((size_t)room * SLOTS, sizeof(*slot));
	value = slot ? realloc(s->value, room * sizeof(*value)) : NULL;
	if (!value) {
		free(slot);
		return -ENOMEM;
	}
	free(s->slot);
	s->value = value;
	s->slot = slot;
	s->room = room;
	for (uint32_t i = 0; i < s->n; i++)
		slot[slot_of(s, &value[i].addr, value[i].port)] = (uint16_t)(i + 1);
	return 0;
}

int hostset_add(struct hostset *s, const struct ip_addr *addr, uint16_t port, enum answer answer)
{
	struct host_value *v = hostset_find(s, addr, port);

	if (v) {
		if (answer < v->answer) {
			s->n_answer[v->answer]--;
			s->n_answer[answer]++;
			v->answer = answer;
		}
		return 0;
	}
	if (s->n == HOSTSET_MAX)
		return -ENOSPC;
	if ((!s->value || s->n == s->room) && grow(s) < 0)
		return -ENOMEM;
	s->value[s->n] = (struct host_value){ .addr = *addr, .port = port, .answer = answer };
	s->slot[slot_of(s, addr, port)] = (uint16_t)(s->n + 1);
	s->n++;
	s->n_answer[answer]++;
	return 1;
}

/* The last value moves to the free place, and what stands behind the slot and would be found no
 * more moves up. */
void hostset_remove(struct hostset *s, struct host_value *v)
{
	uint32_t gap = slot_of(s, &v->addr, v->port), mask = s->room * SLOTS - 1;
	const struct host_value *last = &s->value[s->n - 1];

	for (uint32_t i = (gap + 1) & mask; s->slot[i]; i = (i + 1) & mask) {
		const struct host_value *there = &s->value[s->slot[i] - 1];

		if (((i - home(s, &there->addr, there->port)) & mask) < ((i - gap) & mask))
			continue;
		s->slot[gap] = s->slot[i];
		gap = i;
	}
	s->slot[gap] = 0;
	s->n_answer[v->answer]--;
	if (v != last) {
		s->slot[slot_of(s, &last->addr, last->port)] = (uint16_t)(v - s->value + 1);
		*v = *last;
	}
	s->n--;
}

size_t hostset_bytes(const struct hostset *s)
{
	return s->room * (sizeof(*s->value) + SLOTS * sizeof(*s->slot));
}

void hostset_save(const struct hostset *s, struct blob *b)
{
	blob_put_u32(b, s->n);
	blob_put(b, s->value, s->n * sizeof(*s->value));
}

/* load_value - into the place behind the last. Returns 0 or -EINVAL. */
static int load_value(struct hostset *s, struct blob *b)
{
	struct host_value v = { .refs = 0 };
	uint16_t *slot;

	if (!blob_get(b, &v, sizeof(v)) || v.answer >= ANSWER_MAX || !s->slot)
		return -EINVAL;
	slot = &s->slot[slot_of(s, &v.addr, v.port)];
	if (*slot) /* in a set a value is once */
		return -EINVAL;
	s->value[s->n++] = v;
	s->n_answer[v.answer]++;
	*slot = (uint16_t)s->n;
	return 0;
}

int hostset_load(struct hostset *s, struct blob *b)
{
	uint32_t n = blob_get_u32(b);
	int r = 0;

	hostset_init(s);
	if (b->failed || n > HOSTSET_MAX)
		return -EINVAL;
	while (!r && s->room < n)
		r = grow(s);
	for (uint32_t i = 0; !r && i < n; i++)
		r = load_value(s, b);
	return r;
}
