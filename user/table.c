// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	CHUNK_NODES = 256,
	NIL = 0 /* node numbers start at 1 */
};

struct node {
	uint32_t self;
	uint32_t chain; /* next in its bucket; in the free list: next free */
	uint32_t older, newer;
	struct group_key key;
	/* the value follows */
};
_Static_assert(sizeof(struct node) == 56, "value stays aligned to 8");

struct table {
	size_t node_size, value_size;
	uint32_t max, count, made; /* entries allowed, alive, nodes ever made */
	uint32_t oldest, newest, free;
	uint32_t *bucket;
	uint32_t buckets; /* a power of two */
	char **chunk;
	uint32_t chunks;
	uint64_t seed[6];
};

static struct node *node_at(const struct table *t, uint32_t n)
{
	return (struct node *)(t->chunk[(n - 1) / CHUNK_NODES] +
			       (size_t)((n - 1) % CHUNK_NODES) * t->node_size);
}

static void *value_of(struct node *n)
{
	return n + 1;
}

static struct node *node_of(const void *value)
{
	return (struct node *)(uintptr_t)value - 1;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

/* hash_key - pairs of words, each with a secret of its own, multiplied side by side (the way of
 * wyhash): a chain of multiplications, one a word, takes three times as long. */
static uint32_t hash_key(const struct table *t, const struct group_key *key)
{
	const uint64_t *s = t->seed;
	uint64_t w[5];

	memcpy(w, key, sizeof(w));
	return (uint32_t)(fold(fold(w[0] ^ s[0], w[1] ^ s[1]) ^ s[2],
			       fold(w[2] ^ s[3], w[3] ^ s[4]) ^ fold(w[4] ^ s[5], s[2] | 1)) >>
			  32);
}

struct table *table_new(size_t value_size, uint32_t max)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->value_size = value_size;
	t->node_size = (sizeof(struct node) + value_size + 7) & ~(size_t)7;
	t->max = max;
	t->buckets = 64;
	t->bucket = calloc(t->buckets, sizeof(*t->bucket));
	if (!t->bucket) {
		free(t);
		return NULL;
	}
	/* A weak seed only makes collisions guessable; early at boot there may be none better. */
	if (getrandom(t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
		for (size_t i = 0; i < sizeof(t->seed) / sizeof(t->seed[0]); i++)
			t->seed[i] = ((uintptr_t)t + i) * 0x9E3779B97F4A7C15ull;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->chunks; i++)
		free(t->chunk[i]);
	free(t->chunk);
	free(t->bucket);
	free(t);
}

static struct node *find(const struct table *t, const struct group_key *key, uint32_t hash)
{
	uint32_t n = t->bucket[hash & (t->buckets - 1)];

	while (n != NIL) {
		struct node *node = node_at(t, n);

		if (!memcmp(&node->key, key, sizeof(*key)))
			return node;
		n = node->chain;
	}
	return NULL;
}

void table_expect(const struct table *t, const struct group_key *key, bool near)
{
	const uint32_t *head = &t->bucket[hash_key(t, key) & (t->buckets - 1)];

	if (!near)
		__builtin_prefetch(head);
	else if (*head != NIL)
		__builtin_prefetch(&node_at(t, *head)->key);
}

void *table_get(const struct table *t, const struct group_key *key)
{
	struct node *n = t->count ? find(t, key, hash_key(t, key)) : NULL;

	return n ? value_of(n) : NULL;
}

static void unlink_age(struct table *t, struct node *n)
{
	if (n->older)
		node_at(t, n->older)->newer = n->newer;
	else
		t->oldest = n->newer;
	if (n->newer)
		node_at(t, n->newer)->older = n->older;
	else
		t->newest = n->older;
}

static void link_newest(struct table *t, struct node *n)
{
	n->older = t->newest;
	n->newer = NIL;
	if (t->newest)
		node_at(t, t->newest)->newer = n->self;
	else
		t->oldest = n->self;
	t->newest = n->self;
}

void table_touch(struct table *t, void *value)
{
	struct node *n = node_of(value);

	if (t->newest == n->self)
		return;
	unlink_age(t, n);
	link_newest(t, n);
}

/* Doubling keeps chains short; failing to is not fatal, they only grow longer. */
static void grow_buckets(struct table *t)
{
	uint32_t wider = t->buckets * 2, *bucket;

	if (t->buckets >= 1u << 30)
		return;
	bucket = calloc(wider, sizeof(*bucket));
	if (!bucket)
		return;
	for (uint32_t i = t->oldest; i != NIL;) {
		struct node *n = node_at(t, i);
		uint32_t *head = &bucket[hash_key(t, &n->key) & (wider - 1)];

		n->chain = *head;
		*head = n->self;
		i = n->newer;
	}
	free(t->bucket);
	t->bucket = bucket;
	t->buckets = wider;
}

static struct node *node_new(struct table *t)
{
	struct node *n;

	if (t->free != NIL) {
		n = node_at(t, t->free);
		t->free = n->chain;
		return n;
	}
	if (t->made == t->chunks * CHUNK_NODES) {
		char **more = realloc(t->chunk, (t->chunks + 1) * sizeof(*more));

		if (!more)
			return NULL;
		t->chunk = more;
		/* A node of 64 bytes is one cache line then. */
		t->chunk[t->chunks] = aligned_alloc(64, CHUNK_NODES * t->node_size);
		if (!t->chunk[t->chunks])
			return NULL;
		t->chunks++;
	}
	n = node_at(t, ++t->made);
	n->self = t->made;
	return n;
}

void *table_put(struct table *t, const struct group_key *key, bool *ret_new)
{
	uint32_t hash = hash_key(t, key), *head;
	struct node *n = find(t, key, hash);

	*ret_new = !n;
	if (n) {
		table_touch(t, value_of(n));
		return value_of(n);
	}
	if (t->count >= t->max)
		return NULL;
	/* Two buckets an entry: most look-ups are for what is not there, and each entry met on the
	 * way is a miss of the cache. */
	if (t->count >= t->buckets / 2)
		grow_buckets(t);
	n = node_new(t);
	if (!n)
		return NULL;
	head = &t->bucket[hash & (t->buckets - 1)];
	n->key = *key;
	n->chain = *head;
	*head = n->self;
	memset(value_of(n), 0, t->value_size);
	link_newest(t, n);
	t->count++;
	return value_of(n);
}

void table_remove(struct table *t, void *value)
{
	struct node *n = node_of(value);
	uint32_t *link = &t->bucket[hash_key(t, &n->key) & (t->buckets - 1)];

	while (*link != n->self)
		link = &node_at(t, *link)->chain;
	*link = n->chain;
	unlink_age(t, n);
	n->chain = t->free;
	t->free = n->self;
	t->count--;
}

void *table_oldest(const struct table *t)
{
	return t->oldest ? value_of(node_at(t, t->oldest)) : NULL;
}

void *table_newer(const struct table *t, const void *value)
{
	uint32_t newer = node_of(value)->newer;

	return newer ? value_of(node_at(t, newer)) : NULL;
}

void *table_newest(const struct table *t)
{
	return t->newest ? value_of(node_at(t, t->newest)) : NULL;
}

void *table_older(const struct table *t, const void *value)
{
	uint32_t older = node_of(value)->older;

	return older ? value_of(node_at(t, older)) : NULL;
}

const struct group_key *table_key(const void *value)
{
	return &node_of(value)->key;
}

uint32_t table_count(const struct table *t)
{
	return t->count;
}

bool table_full(const struct table *t)
{
	return t->count >= t->max;
}

size_t table_bytes(const struct table *t)
{
	return (size_t)t->chunks * CHUNK_NODES * t->node_size +
	       (size_t)t->buckets * sizeof(*t->bucket);
}
