// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "huge.h"

enum {
	NIL = 0, /* node numbers start at 1 */

	/* Small tables grow by little; once there are SMALL_NODES and up to as many more, by
	 * BIG_NODES at a time, in huge pages. How many more they have by turns: tables that grow
	 * side by side would all touch a fresh huge page with the same piece of evidence. */
	CHUNK_NODES = 256,
	SMALL_NODES = 16384,
	BIG_NODES = 16384,

	LINE = 64,     /* of the cache */
	CACHED = 1024, /* so many nodes stay in it anyway */
	PAGE = 4096,

	LINE_SLOTS = 8,
	LINES_FIRST = 8, /* a power of two; of the slots three in four may be taken */

	/* From five in eight on, or a little later by turns, the next index is made ready, so many
	 * bytes at a time. Memory that
	 * nobody has touched may cost a virtual machine 5 ms for 2 MiB, and an index is visited all
	 * over from the moment that it is in use. */
	CLEARED = 65536,
};

/* Of the index, as many slots as a line of the cache has room for: an entry is in the line that its
 * hash says, or, if that is full, in one of those that follow, up to the first that is not. Slots
 * are taken from the first one on, without gaps. The hash beside the number of the node, so that
 * nobody else's node is looked at: that would be a miss of the cache, as the next line mostly is.
 */
struct line {
	uint32_t hash[LINE_SLOTS]; /* 0: free */
	uint32_t node[LINE_SLOTS];
};
_Static_assert(sizeof(struct line) == LINE, "one miss a look-up");

struct index {
	struct line *line;
	uint32_t mask; /* lines - 1 */
};

struct node {
	uint32_t self; /* NIL: free */
	uint32_t hash;
	uint32_t older, newer; /* older: in the free list the next one */
	struct group_key key;
	/* the value follows */
};
_Static_assert(sizeof(struct node) == 56, "value stays aligned to 8");

struct table {
	size_t node_size, value_size;
	uint32_t max, count, made; /* entries allowed, alive, nodes ever made */
	uint32_t oldest, newest, free;
	struct index index, old; /* old.line: until all that is in it has moved; or NULL */
	uint32_t moved;		 /* lines of it that have */
	struct index next;	 /* line: one that is being made ready; or NULL */
	size_t cleared;		 /* bytes of it that are */
	uint32_t turn;		 /* when it asks for memory: huge_turn() */
	uint32_t small;		 /* nodes in small chunks; a multiple of CHUNK_NODES */
	char **chunk;
	uint32_t chunks;
	size_t bytes; /* of all chunks */
	uint64_t seed[6];
};

static uint32_t chunk_of(const struct table *t, uint32_t n)
{
	n--;
	return n < t->small ? n / CHUNK_NODES : t->small / CHUNK_NODES + (n - t->small) / BIG_NODES;
}

static struct node *node_at(const struct table *t, uint32_t n)
{
	uint32_t within = n <= t->small ? (n - 1) % CHUNK_NODES : (n - 1 - t->small) % BIG_NODES;

	return (struct node *)(t->chunk[chunk_of(t, n)] + (size_t)within * t->node_size);
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
 * wyhash): a chain of multiplications, one a word, takes three times as long. Never 0. */
static uint32_t hash_key(const struct table *t, const struct group_key *key)
{
	const __u64 *orig = key->orig.w, *resp = key->resp.w;
	const uint64_t *s = t->seed;
	uint32_t hash = (uint32_t)(fold(fold(orig[0] ^ s[0], orig[1] ^ s[1]) ^ s[2],
					fold(resp[0] ^ s[3], resp[1] ^ s[4]) ^
						fold(key->what ^ s[5], s[2] | 1)) >>
				   32);

	return hash ? hash : 1;
}

/* populate - has the pages of p, which is to be filled, put there at once, if they are small: else
 * each is looked at before it is written, and costs two faults, the second of which interrupts the
 * other threads. In huge pages that is rare, and to clear them all would take milliseconds. */
static void populate(void *p, size_t len)
{
	uintptr_t from = ((uintptr_t)p + PAGE - 1) / PAGE * PAGE;
	uintptr_t end = ((uintptr_t)p + len) / PAGE * PAGE;

	if (len <= HUGE_PAGE && end > from)
		(void)madvise((void *)from, end - from, MADV_POPULATE_WRITE); /* Linux 5.14 */
}

/* --- the index ------------------------------------------------------------------------------ */

static size_t index_bytes(const struct index *x)
{
	return x->line ? (x->mask + 1ul) * sizeof(*x->line) : 0;
}

/* index_slots - how many entries would fill it. */
static uint32_t index_slots(const struct index *x)
{
	return (x->mask + 1) * LINE_SLOTS;
}

/* index_new - one that is still to be cleared. Returns whether there is memory. */
static bool index_new(struct index *x, uint32_t lines)
{
	size_t len = lines * sizeof(*x->line);

	x->line = len < HUGE_PAGE ? aligned_alloc(LINE, len) : huge_map(len, true);
	x->mask = lines - 1;
	return x->line;
}

static void index_free(struct index *x)
{
	if (index_bytes(x) < HUGE_PAGE)
		free(x->line);
	else
		huge_unmap(x->line, index_bytes(x));
	x->line = NULL;
}

/* index_clear - from *cleared on, up to `to` at least. */
static void index_clear(struct index *x, size_t *cleared, size_t to)
{
	size_t len = index_bytes(x);

	while (*cleared < to) {
		char *at = (char *)x->line + *cleared;
		size_t n = len - *cleared < CLEARED ? len - *cleared : CLEARED;

		populate(at, n);
		memset(at, 0, n);
		*cleared += n;
	}
}

/* line_where - a bit for each word that is `what`: no branch that a processor would guess wrong. */
static inline unsigned int line_where(const uint32_t *word, uint32_t what)
{
#ifdef __SSE2__
	const __m128i *half = (const void *)word, all = _mm_set1_epi32((int)what);
	__m128 a = _mm_castsi128_ps(_mm_cmpeq_epi32(half[0], all));
	__m128 b = _mm_castsi128_ps(_mm_cmpeq_epi32(half[1], all));

	return (unsigned int)(_mm_movemask_ps(a) | _mm_movemask_ps(b) << LINE_SLOTS / 2);
#else
	unsigned int where = 0;

	for (unsigned int i = 0; i < LINE_SLOTS; i++)
		where |= (unsigned int)(word[i] == what) << i;
	return where;
#endif
}

static bool line_full(const struct line *l)
{
	return l->hash[LINE_SLOTS - 1];
}

static void line_add(struct line *l, uint32_t hash, uint32_t node)
{
	unsigned int i = (unsigned int)__builtin_ctz(line_where(l->hash, 0));

	l->hash[i] = hash;
	l->node[i] = node;
}

/* line_remove - its last one takes the place. */
static void line_remove(struct line *l, unsigned int i)
{
	unsigned int last = LINE_SLOTS - 1;

	while (!l->hash[last])
		last--;
	l->hash[i] = l->hash[last];
	l->node[i] = l->node[last];
	l->hash[last] = 0;
	l->node[last] = NIL;
}

static void index_add(struct index *x, uint32_t hash, uint32_t node)
{
	uint32_t at = hash & x->mask;

	while (line_full(&x->line[at]))
		at = (at + 1) & x->mask;
	line_add(&x->line[at], hash, node);
}

/* line_astray - which entry of line `from` belongs to line `at` or one before; LINE_SLOTS: none. */
static unsigned int line_astray(const struct index *x, uint32_t from, uint32_t at)
{
	const struct line *l = &x->line[from];

	for (unsigned int i = 0; i < LINE_SLOTS && l->hash[i]; i++)
		if (((from - l->hash[i]) & x->mask) >= ((from - at) & x->mask))
			return i;
	return LINE_SLOTS;
}

/* index_take - takes an entry out of a line. If that was full, one of those behind that would be
 * found no more moves up, and so on. */
static void index_take(struct index *x, uint32_t at, unsigned int i)
{
	bool was_full = line_full(&x->line[at]);

	line_remove(&x->line[at], i);
	for (uint32_t from = at; was_full;) {
		struct line *l = &x->line[from = (from + 1) & x->mask];

		was_full = line_full(l);
		i = line_astray(x, from, at);
		if (i == LINE_SLOTS)
			continue;
		line_add(&x->line[at], l->hash[i], l->node[i]);
		line_remove(l, i);
		at = from;
	}
}

/* index_remove - returns whether the node was there. */
static bool index_remove(struct index *x, uint32_t hash, uint32_t node)
{
	unsigned int where;

	for (uint32_t at = hash & x->mask;; at = (at + 1) & x->mask) {
		where = line_where(x->line[at].node, node);
		if (where)
			index_take(x, at, (unsigned int)__builtin_ctz(where));
		if (where || !line_full(&x->line[at]))
			return where;
	}
}

/* index_move - a line of the old index moves to the new one, and those that follow up to one that
 * was not full: what stays is still found. */
static void index_move(struct table *t)
{
	bool was_full = true;

	while (was_full && t->moved <= t->old.mask) {
		struct line *l = &t->old.line[t->moved++];

		was_full = line_full(l);
		for (unsigned int i = 0; i < LINE_SLOTS && l->hash[i]; i++)
			index_add(&t->index, l->hash[i], l->node[i]);
		memset(l, 0, sizeof(*l));
	}
	if (t->moved <= t->old.mask)
		return;
	index_free(&t->old);
}

/* index_prepare - makes an index of twice the size ready, in step with the entries that come. That
 * there is no memory for it is not fatal as long as a slot is free. */
static void index_prepare(struct table *t)
{
	uint32_t slots = index_slots(&t->index);
	uint32_t from = slots / 8 * 5 + slots / 64 * t->turn, steps = slots / 4 * 3 - from;
	size_t done;

	if (t->count < from || t->old.line)
		return;
	if (!t->next.line) {
		if (slots > UINT32_MAX / 2 || !index_new(&t->next, 2 * (t->index.mask + 1)))
			return;
		t->cleared = 0;
	}
	done = t->count - from < steps ? t->count - from : steps;
	index_clear(&t->next, &t->cleared, index_bytes(&t->next) / steps * done);
}

/* index_grow - begins with the index that is ready. */
static void index_grow(struct table *t)
{
	while (t->old.line) /* not seen: it is done long before */
		index_move(t);
	index_prepare(t);
	if (!t->next.line)
		return;
	index_clear(&t->next, &t->cleared, index_bytes(&t->next));
	t->old = t->index;
	t->index = t->next;
	t->next.line = NULL;
	t->moved = 0;
}

/* index_find - the node of key (NULL: the first that has the hash), or NULL. */
static struct node *index_find(const struct table *t, const struct index *x, uint32_t hash,
			       const struct group_key *key)
{
	for (uint32_t at = hash & x->mask;; at = (at + 1) & x->mask) {
		const struct line *l = &x->line[at];

		for (unsigned int w = line_where(l->hash, hash); w; w &= w - 1) {
			struct node *n = node_at(t, l->node[__builtin_ctz(w)]);

			if (!key || group_same(&n->key, key))
				return n;
		}
		if (!line_full(l))
			return NULL;
	}
}

static struct node *find(const struct table *t, uint32_t hash, const struct group_key *key)
{
	struct node *n = index_find(t, &t->index, hash, key);

	return !n && t->old.line ? index_find(t, &t->old, hash, key) : n;
}

struct table *table_new(size_t value_size, uint32_t max)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->value_size = value_size;
	t->node_size = (sizeof(struct node) + value_size + 7) & ~(size_t)7;
	t->max = max;
	if (!index_new(&t->index, LINES_FIRST)) {
		free(t);
		return NULL;
	}
	index_clear(&t->index, &t->cleared, index_bytes(&t->index));
	/* A weak seed only makes collisions guessable; early at boot there may be none better. */
	if (getrandom(t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
		for (size_t i = 0; i < sizeof(t->seed) / sizeof(t->seed[0]); i++)
			t->seed[i] = ((uintptr_t)t + i) * 0x9E3779B97F4A7C15ull;
	t->turn = huge_turn();
	t->small = SMALL_NODES + t->turn * (BIG_NODES / HUGE_TURNS);
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->chunks; i++)
		if (i < t->small / CHUNK_NODES)
			free(t->chunk[i]);
		else
			huge_unmap(t->chunk[i], BIG_NODES * t->node_size);
	free(t->chunk);
	index_free(&t->index);
	index_free(&t->old);
	index_free(&t->next);
	free(t);
}

struct table_look table_look(const struct table *t, const struct group_key *key)
{
	return (struct table_look){ .hash = hash_key(t, key) };
}

/* look_up - the node of key: the one that was found before, if it still is. */
static struct node *look_up(const struct table *t, const struct table_look *look,
			    const struct group_key *key)
{
	struct node *n = look->value ? node_of(look->value) : NULL;

	if (n && n->self != NIL && group_same(&n->key, key))
		return n;
	return find(t, look->hash, key);
}

static void expect_node(const struct table *t, const struct node *n)
{
	ask_for(n);
	ask_for((const char *)n + LINE);
	ask_for((const char *)n + t->node_size - 1); /* mostly one of these */
}

void table_expect(const struct table *t, struct table_look *look, enum table_step step)
{
	struct node *n;

	if (t->made < CACHED)
		return;
	if (step == EXPECT_SLOT) {
		ask_for(&t->index.line[look->hash & t->index.mask]);
	} else if (step == EXPECT_NODE) {
		n = find(t, look->hash, NULL);
		look->value = n ? value_of(n) : NULL;
		if (n)
			expect_node(t, n);
	} else if (step == EXPECT_TOUCH && look->value) {
		n = node_of(look->value);
		if (n->older)
			ask_for(node_at(t, n->older));
		if (n->newer)
			ask_for(node_at(t, n->newer));
	}
}

void table_expect_oldest(const struct table *t)
{
	const struct node *next;

	if (t->made < CACHED || t->oldest == t->newest)
		return;
	/* The next one came with this call's last turn, and its slot is known now; of the one after
	 * it only the place. */
	next = node_at(t, node_at(t, t->oldest)->newer);
	ask_for(&t->index.line[next->hash & t->index.mask]);
	if (next->newer != NIL)
		expect_node(t, node_at(t, next->newer));
}

void *table_get_by(const struct table *t, const struct table_look *look,
		   const struct group_key *key)
{
	struct node *n = look_up(t, look, key);

	return n ? value_of(n) : NULL;
}

void *table_get(const struct table *t, const struct group_key *key)
{
	struct node *n = t->count ? find(t, hash_key(t, key), key) : NULL;

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

/* add_chunk - room for more nodes. Returns whether there is. */
static bool add_chunk(struct table *t)
{
	bool big = t->made >= t->small;
	size_t len = (big ? BIG_NODES : CHUNK_NODES) * t->node_size;
	char **more = realloc(t->chunk, (t->chunks + 1) * sizeof(*more)), *chunk;

	if (!more)
		return false;
	t->chunk = more;
	chunk = big ? huge_map(len, true) : aligned_alloc(LINE, (len + LINE - 1) / LINE * LINE);
	if (!chunk)
		return false;
	t->chunk[t->chunks++] = chunk;
	t->bytes += len;
	return true;
}

static struct node *node_new(struct table *t)
{
	struct node *n;

	if (t->free != NIL) {
		n = node_at(t, t->free);
		n->self = t->free;
		t->free = n->older;
		return n;
	}
	if (chunk_of(t, t->made + 1) == t->chunks && !add_chunk(t))
		return NULL;
	n = node_at(t, ++t->made);
	n->self = t->made;
	return n;
}

void *table_put(struct table *t, const struct group_key *key, bool *ret_new)
{
	const struct table_look look = table_look(t, key);
	void *value = table_put_by(t, &look, key, ret_new);

	if (value)
		table_touch(t, value);
	return value;
}

void *table_put_by(struct table *t, const struct table_look *look, const struct group_key *key,
		   bool *ret_new)
{
	struct node *n = look_up(t, look, key);

	*ret_new = !n;
	if (n)
		return value_of(n);
	if (t->count >= t->max)
		return NULL;
	if (t->count >= index_slots(&t->index) / 4 * 3)
		index_grow(t);
	else
		index_prepare(t);
	if (t->old.line)
		index_move(t);
	n = t->count < index_slots(&t->index) - 1 ? node_new(t) : NULL;
	if (!n)
		return NULL;
	n->key = *key;
	n->hash = look->hash;
	index_add(&t->index, n->hash, n->self);
	memset(value_of(n), 0, t->value_size);
	link_newest(t, n);
	t->count++;
	return value_of(n);
}

void table_remove(struct table *t, void *value)
{
	struct node *n = node_of(value);

	if (!index_remove(&t->index, n->hash, n->self))
		index_remove(&t->old, n->hash, n->self);
	unlink_age(t, n);
	n->older = t->free;
	t->free = n->self;
	n->self = NIL;
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

uint32_t table_number(const void *value)
{
	return node_of(value)->self;
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
	return t->bytes + index_bytes(&t->index) + index_bytes(&t->old) + index_bytes(&t->next);
}
